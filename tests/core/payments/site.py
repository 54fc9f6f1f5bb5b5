"""A shop's site: core's payment routes and a page that sells one thing for 100 euros."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from granian.constants import Interfaces
from granian.server.embed import Server
from jinja2 import ChoiceLoader, DictLoader
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.types import Receive, Send
from litestar.types import Scope as AsgiScope
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.identity import Identity, acting_as
from core.errors import DomainError
from core.ids import new_id
from core.payments.card import card_page
from core.payments.routes import CONTROLLERS
from core.payments.services import Payments
from core.permissions import CORE_PERMISSIONS, Role, public
from core.plugin import Plugins
from core.settings import Settings
from core.web import unit
from core.web.csrf import same_origin
from core.web.forms import Form, blank, posted, text
from core.web.headers import secure
from core.web.locales import localised
from core.web.pages import Page, SeeOther
from core.web.parts import HANDLERS
from core.web.problems import exception_handlers
from core.web.render import Renderer
from core.web.static import Static
from tests.core.payments.conftest import PRICE, Shop

TEMPLATES = {
    "pay.html": """{% extends "shell/site.html" %}
{% import "macros/payments.html" as payments with context %}
{% block content %}<h1>Pay</h1><form method="post" action="/pay" data-at-form>
{{ payments.card_field(card, form.errors_of("payment_method")) }}
<button class="btn btn-primary" type="submit">Pay</button></form>{% endblock %}""",
    "ask.html": """{% extends "shell/site.html" %}
{% import "macros/payments.html" as payments with context %}
{% block content %}<h1>Confirm</h1>
{{ payments.card_action(card, payment, action="/resume/" ~ payment.id) }}{% endblock %}""",
    "done.html": """{% extends "shell/site.html" %}
{% block content %}<h1>State: {{ state }}</h1>{% endblock %}""",
}


class Sale(Form):
    payment_method: Annotated[str, text("Card")]


def owner() -> Identity:
    """Somebody who may change settings."""
    return Identity(
        user_id=new_id(),
        name="Olga",
        email="olga@acme.example",
        role=Role.OWNER,
        permissions=frozenset(each.name for each in CORE_PERMISSIONS),
        session_id=new_id(),
    )


class Site:
    """What the edge and the composition root would put together."""

    def __init__(self, shop: Shop, port: int) -> None:
        self.shop, self.port = shop, port
        self.identity: Identity | None = None
        self.heard = 0
        settings = Settings(
            database_url="", development=True, public_scheme="http", public_port=port
        )
        static = Static(Plugins({}))
        renderer = Renderer(settings, Plugins({}), static)
        environment = renderer.environment
        assert environment.loader is not None
        environment.loader = ChoiceLoader([environment.loader, DictLoader(TEMPLATES)])
        self.app = Litestar(
            route_handlers=[*HANDLERS, *CONTROLLERS, *self.pages()],
            dependencies={"session": Provide(_session, sync_to_thread=False)},
            state=State({"renderer": renderer, "static": static}),
            guards=[same_origin],
            middleware=[localised],
            before_send=[secure],
            exception_handlers=exception_handlers,
            openapi_config=None,
        )

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        with acting_as(self.identity):
            await unit.serve(
                self.app, self.shop.scopes.databases, self.shop.tenant, scope, receive, send
            )
        self.heard += scope["path"].startswith("/webhooks/")

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address, on a real port."""
        server = Server(self, address="127.0.0.1", port=self.port, interface=Interfaces.ASGINL)
        running = asyncio.create_task(server.serve())
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        try:
            yield f"http://acme.localhost:{self.port}"
        finally:
            server.stop()  # type: ignore[no-untyped-call]  # Granian's
            await running

    def pages(self) -> list[Any]:
        """The page that sells."""
        shop = self.shop

        @get("/pay", access=public)
        async def show(session: NamedDependency[AsyncSession]) -> Page:
            card = await card_page(session)
            return Page("pay.html", {"card": card, "form": blank(Sale)}, csp=card.csp)

        @post("/pay", access=public, status_code=200)
        async def pay(
            request: Request[Any, Any, Any], session: NamedDependency[AsyncSession]
        ) -> Page:
            card = await card_page(session)
            form = await posted(request, Sale)
            try:
                payment = await Payments(session).authorise(
                    subject_type="thing",
                    subject_id=shop.subject,
                    amount=PRICE,
                    method=form.value.payment_method,
                    description="A thing",
                )
            except DomainError as error:
                context = {"card": card, "form": form.refuse(error)}
                return Page("pay.html", context, status=422, csp=card.csp)
            if payment.state == "requires_action":
                return Page("ask.html", {"card": card, "payment": payment}, csp=card.csp)
            return Page("done.html", {"state": payment.state})

        @post("/resume/{payment_id:uuid}", access=public, status_code=200)
        async def resume(
            session: NamedDependency[AsyncSession], payment_id: FromPath[UUID]
        ) -> Page | SeeOther:
            try:
                payment = await Payments(session).resume(payment_id)
            except DomainError as error:
                return Page("done.html", {"state": str(error)})
            return Page("done.html", {"state": payment.state})

        return [show, pay, resume]


def _session(request: Request[Any, Any, Any]) -> AsyncSession:
    session: AsyncSession = request.scope["state"]["session"]
    return session


def errors_in(page: str) -> list[str]:
    """The texts shown as errors."""
    boxes = re.findall(r'class="at-error"[^>]*>(.*?)</div>\s*</div>', page, re.S)
    return [re.sub(r"<[^>]+>|\s+", " ", box).strip() for box in boxes]

"""``/settings/webhooks``: where a business has its events sent, and what became of them."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.web import refused
from core.errors import DomainError, EditedMeanwhile, NotFound
from core.i18n import _
from core.permissions import MANAGE_SETTINGS, permission
from core.plugin import BUSINESS, NavItem
from core.web.api import paged, place
from core.web.forms import Bound, bind, blank, posted, typed_fields
from core.web.http import AnyRequest, Session
from core.web.navigation import served
from core.web.pages import Page, SeeOther
from core.webhooks import api_routes, endpoints, log, spreading, views
from core.webhooks.declaration import Webhook
from core.webhooks.models import WebhookEndpoint
from core.webhooks.schemas import EndpointInput

PATH: Final = "/settings/webhooks"
_MANAGE: Final = permission(MANAGE_SETTINGS.name)

NAVIGATION: Final = (
    NavItem(
        title=_("Webhooks"),
        path=PATH,
        icon="webhook",
        permission=MANAGE_SETTINGS.name,
        order=905,
        group=BUSINESS,
    ),
)
_WORDS: Final = {
    "states": views.STATES,
    "colors": views.COLORS,
    "ends": views.ENDS,
    "end_colors": views.END_COLORS,
    "problems": views.PROBLEMS,
    "state_of": views.state_of,
    "secret": None,
}


class Webhooks(Controller):
    """The endpoints of a business."""

    path = PATH
    include_in_schema = False

    @get(access=_MANAGE)
    async def listing(self, session: Session) -> Page:
        """All of them."""
        return Page("webhooks/list.html", _WORDS | {"rows": await endpoints.every(session)})

    @get("/events", access=_MANAGE)
    async def events(self, request: AnyRequest) -> Page:
        """What can be heard, with an example of each."""
        groups = views.groups(served(request.app.state["plugins"]))
        shown = {"groups": groups, "example_of": _example}
        return Page("webhooks/events.html", shown)

    @get("/new", access=_MANAGE)
    async def new(self, request: AnyRequest) -> Page:
        """The form for another."""
        return Page("webhooks/new.html", {"form": blank(EndpointInput), **_choices(request)})

    @post("/new", access=_MANAGE, idempotent=True, status_code=200)
    async def add(self, request: AnyRequest, session: Session) -> Page:
        """Add one; this answer is the only one that ever shows its secret."""
        form = await posted(request, EndpointInput)
        try:
            known = views.known(served(request.app.state["plugins"]))
            made = await endpoints.add(session, form.value, known)
        except DomainError as problem:
            return refused("webhooks/new.html", form, problem, **_choices(request))
        return await _page(request, session, made, secret=made.secret)

    @get("/{endpoint_id:uuid}", access=_MANAGE)
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        endpoint_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """One, with the newest of what it was sent."""
        found = await endpoints.one(session, endpoint_id)
        return await _page(request, session, found, cursor=cursor)

    @post("/{endpoint_id:uuid}", access=_MANAGE)
    async def change(
        self, request: AnyRequest, session: Session, endpoint_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Another address or choice."""
        typed = await typed_fields(request)
        version = str(typed.pop("version", ""))
        seen = int(version) if re.fullmatch(r"[0-9]{1,9}", version) else None
        form = bind(EndpointInput, typed)
        try:
            known = views.known(served(request.app.state["plugins"]))
            await endpoints.change(session, endpoint_id, form.value, known, seen)
        except NotFound:
            raise
        except DomainError as problem:
            found = await endpoints.one(session, endpoint_id)
            context = await _context(request, session, found, form.refuse(problem))
            if seen is not None and not isinstance(problem, EditedMeanwhile):
                context["version"] = seen  # who mends a slip still hears that another was faster
            return Page("webhooks/show.html", context, status=problem.status)
        return SeeOther(_at(endpoint_id), flash=_("The endpoint was changed."))

    @post("/{endpoint_id:uuid}/rotation", access=_MANAGE, idempotent=True, status_code=200)
    async def rotate(
        self, request: AnyRequest, session: Session, endpoint_id: FromPath[UUID]
    ) -> Page:
        """Another secret, shown this once."""
        found = await endpoints.rotate(session, endpoint_id)
        return await _page(request, session, found, secret=found.secret)

    @post("/{endpoint_id:uuid}/activation", access=_MANAGE)
    async def switch_on(self, session: Session, endpoint_id: FromPath[UUID]) -> SeeOther:
        """Send to it again."""
        await endpoints.switch_on(session, endpoint_id)
        return SeeOther(_at(endpoint_id), flash=_("The endpoint is on."))

    @post("/{endpoint_id:uuid}/deactivation", access=_MANAGE)
    async def switch_off(self, session: Session, endpoint_id: FromPath[UUID]) -> SeeOther:
        """Send nothing to it."""
        await endpoints.switch_off(session, endpoint_id)
        return SeeOther(_at(endpoint_id), flash=_("The endpoint is off."))

    @post("/{endpoint_id:uuid}/removal", access=_MANAGE)
    async def remove(self, session: Session, endpoint_id: FromPath[UUID]) -> SeeOther:
        """Forget it and its log."""
        await endpoints.remove(session, endpoint_id)
        return SeeOther(PATH, flash=_("The endpoint was removed."))

    @post("/{endpoint_id:uuid}/tests", access=_MANAGE)
    async def test(self, session: Session, endpoint_id: FromPath[UUID]) -> SeeOther:
        """Send it a message that says nothing."""
        made = await spreading.test(session, endpoint_id)
        return SeeOther(_at(endpoint_id, made.id), flash=_("The test is on its way."))

    @get("/{endpoint_id:uuid}/deliveries/{delivery_id:uuid}", access=_MANAGE)
    async def delivery(
        self,
        request: AnyRequest,
        session: Session,
        endpoint_id: FromPath[UUID],
        delivery_id: FromPath[UUID],
    ) -> Page:
        """What was sent, and how each attempt went."""
        endpoint = await endpoints.one(session, endpoint_id)
        found, message, attempts = await log.one(session, endpoint_id, delivery_id)
        context = {
            "endpoint": endpoint,
            "here": _at(endpoint_id),
            "delivery": views.DeliveryView.of(found, message.type),
            "body": _indented(message.body),
            "attempts": attempts,
            "titles": views.titles(served(request.app.state["plugins"])),
        }
        return Page("webhooks/delivery.html", _WORDS | context, block="results")

    @post(
        "/{endpoint_id:uuid}/deliveries/{delivery_id:uuid}/repetition",
        access=_MANAGE,
    )
    async def again(
        self, session: Session, endpoint_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> SeeOther:
        """Send it once more."""
        found, _message, _attempts = await log.one(session, endpoint_id, delivery_id)
        made = await spreading.again(session, found)
        return SeeOther(_at(endpoint_id, made.id), flash=_("It is on its way again."))


CONTROLLERS: Final[tuple[type[Controller], ...]] = (Webhooks, *api_routes.CONTROLLERS)


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    endpoint: WebhookEndpoint,
    *,
    secret: str | None = None,
    cursor: str | None = None,
) -> Page:
    kept = {name: getattr(endpoint, name) for name in EndpointInput.__struct_fields__}
    context = await _context(request, session, endpoint, blank(EndpointInput, kept), cursor)
    return Page("webhooks/show.html", context | {"secret": secret}, block="results")


async def _context(
    request: AnyRequest,
    session: AsyncSession,
    endpoint: WebhookEndpoint,
    form: Bound[EndpointInput],
    cursor: str | None = None,
) -> dict[str, Any]:
    rows = await log.page(session, endpoint.id, before=place(cursor))
    return {
        **_WORDS,
        **_choices(request),
        **paged(rows, log.PAGE_SIZE, cursor, lambda row: row[0].id),
        "form": form,
        "endpoint": endpoint,
        "version": endpoint.version,
        "here": _at(endpoint.id),
        "state": views.state_of(endpoint),
        "titles": views.titles(served(request.app.state["plugins"])),
    }


def _choices(request: AnyRequest) -> dict[str, Any]:
    return {"groups": views.groups(served(request.app.state["plugins"]))}


def _at(endpoint_id: UUID, delivery_id: UUID | None = None) -> str:
    below = f"/deliveries/{delivery_id}" if delivery_id else ""
    return f"{PATH}/{endpoint_id}{below}"


def _example(told: Webhook) -> str:
    said = {
        "type": told.name,
        "version": told.version,
        "timestamp": "2026-11-21T09:30:00Z",
        "data": msgspec.to_builtins(told.example),
    }
    return _indented(msgspec.json.encode(said).decode())


def _indented(body: str) -> str:
    return msgspec.json.format(body, indent=2)

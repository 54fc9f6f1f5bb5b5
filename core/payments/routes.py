"""Webhooks, and the page where a business enters its keys."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Controller, Request, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.payments.models import PaymentAccount
from core.payments.services import accounts, notices
from core.permissions import MANAGE_SETTINGS, permission, public
from core.plugin import BUSINESS, NavItem
from core.web.forms import Bound, Form, blank, posted, text
from core.web.http import Session
from core.web.pages import Page, SeeOther

SETTINGS_PATH: Final = "/settings/payments"
_MANAGE: Final = permission(MANAGE_SETTINGS.name)

NAVIGATION: Final = (
    NavItem(
        title=_("Card payments"),
        path=SETTINGS_PATH,
        icon="credit-card",
        permission=MANAGE_SETTINGS.name,
        order=890,
        group=BUSINESS,
    ),
)


class Keys(Form):
    """An account's API keys."""

    publishable_key: Annotated[
        str,
        text(
            _("Publishable key"),
            max=255,
            pattern=r"^pk_(test|live)_[A-Za-z0-9_]+$",
            hint=_("It begins with pk_test_ or pk_live_."),
            autocomplete="off",
        ),
    ]
    secret_key: Annotated[
        str,
        text(
            _("Secret key"),
            max=255,
            pattern=r"^(sk|rk)_(test|live)_[A-Za-z0-9_]+$",
            hint=_("It begins with sk_test_ or sk_live_."),
            input="password",
            autocomplete="off",
        ),
    ]


class PaymentSettings(Controller):
    """A business's own account at the provider."""

    path = SETTINGS_PATH
    include_in_schema = False

    @get(access=_MANAGE)
    async def show(self, session: Session) -> Page:
        """What is connected, and the form to change it."""
        return await _page(session, blank(Keys))

    @post(access=_MANAGE)
    async def connect(self, request: Request[Any, Any, Any], session: Session) -> Page | SeeOther:
        """Check the keys with the provider and keep them."""
        form = await posted(request, Keys)
        try:
            keys = form.value
            await accounts.connect(
                session, publishable_key=keys.publishable_key, secret_key=keys.secret_key
            )
        except DomainError as error:
            return await _page(session, form.refuse(error), status=422)
        return SeeOther(SETTINGS_PATH, flash=_("Stripe is connected: you can take cards now."))

    @post("/disconnection", access=_MANAGE)
    async def disconnect(self, session: Session) -> SeeOther:
        """Take no new payments."""
        await accounts.disconnect(session)
        return SeeOther(SETTINGS_PATH, flash=_("You no longer take cards."))


class Webhooks(Controller):
    """Where providers tell us what happened; the edge has found the tenant in the address."""

    path = "/webhooks"
    include_in_schema = False

    @post("/{provider:str}/{endpoint:str}", access=public, status_code=200)
    async def receive(
        self,
        request: Request[Any, Any, Any],
        session: Session,
        provider: FromPath[str],
        endpoint: FromPath[str],
    ) -> dict[str, bool]:
        """Verify, write down, answer; a job does the rest."""
        await notices.receive(
            session,
            provider=provider,
            token=endpoint.partition(".")[2],
            body=await request.body(),
            signature=request.headers.get("stripe-signature", ""),
        )
        return {"received": True}


CONTROLLERS: Final[tuple[type[Controller], ...]] = (PaymentSettings, Webhooks)


async def _page(session: AsyncSession, form: Bound[Keys], status: int = 200) -> Page:
    account: PaymentAccount | None = await accounts.active_or_none(session)
    return Page(
        "payments/settings.html",
        {
            "form": form,
            "account": account,
            "secret_hint": f"{account.secret_key[:8]}…{account.secret_key[-4:]}" if account else "",
            "hook_url": accounts.hook_url(account) if account else "",
        },
        status=status,
    )

"""What a page needs to show the card field (``macros/payments.html``)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from core.payments.gateway import installed
from core.payments.services import accounts
from core.web.headers import Csp

_STRIPE = Csp(
    # Stripe's own list: docs.stripe.com/security/guide, "Content Security Policy".
    script=("https://js.stripe.com", "https://*.js.stripe.com"),
    frame=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    connect=("https://api.stripe.com",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The provider's script and the business's publishable key."""

    script_url: str
    publishable_key: str

    @property
    def csp(self) -> Csp:
        """The origins that the page must allow: ``Page(…, csp=card.csp)``."""
        parts = urlsplit(self.script_url)
        if parts.hostname == "js.stripe.com":
            return _STRIPE
        origin = f"{parts.scheme}://{parts.netloc}"
        return Csp(script=(origin,), connect=(origin,))


async def card_page(session: AsyncSession) -> Card:
    """For a page that takes a card.

    Raises:
        NotAcceptingCards: the business has not connected a provider.
    """
    account = await accounts.active(session)
    return Card(script_url=installed().script_url, publishable_key=account.publishable_key)

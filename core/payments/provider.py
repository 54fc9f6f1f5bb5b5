"""The port to whoever moves the money. Values are frozen; amounts are ``Money``.

Every call that changes something carries our own idempotency key: made twice it does its work
once. A call ends in one of four ways: a result; ``Declined`` (the bank said no); ``Refused`` or
``ProviderUnavailable`` (certainly not done); ``OutcomeUnknown`` (the answer was lost).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.errors import Conflict, DomainError, Unavailable
from core.i18n import LazyText, _
from core.money import Money
from core.payments.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the cardholder must do: on our page with ``client_secret``, or at ``redirect_url``."""

    client_secret: str
    redirect_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An authorisation to ask for. ``method`` is a token of the card element or a saved payment
    method; never a card number. ``return_url`` asks for 3-D Secure by redirect.

    ``save`` keeps the card with the provider, for later. ``customer`` is under whom it was kept:
    with it the cardholder is not there, and a bank that wants to ask them declines.
    """

    payment_id: UUID
    amount: Money
    method: str
    description: str
    return_url: str | None = None
    save: bool = False
    customer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """One refund, as the provider knows it."""

    ref: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A payment as the provider shows it now. ``state`` is None while it is undecided there."""

    ref: str
    state: State | None
    captured: Money
    refunds: tuple[Refunded, ...] = ()
    next_action: NextAction | None = None
    failure_code: str | None = None
    card: str | None = None
    """Such as ``visa 4242``."""
    lapses_at: datetime | None = None
    """When the bank lets go of what is reserved (aware), where the provider says it."""
    customer: str | None = None
    method: str | None = None
    """Under whom, and as what, the card was kept for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """Whose keys these are."""

    ref: str
    name: str
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A registered webhook endpoint and the secret of its signatures."""

    ref: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A verified webhook: which event, about which payment. Nothing else in it is believed; the
    payment is looked up at the provider."""

    event_id: str
    kind: str
    ref: str | None
    payment_id: UUID | None


class Provider(Protocol):
    """A provider, opened with one account's keys."""

    async def authorise(self, order: Order, key: str) -> Snapshot:
        """Reserve the amount on the card, to be captured later."""

    async def capture(self, ref: str, amount: Money, key: str) -> Snapshot:
        """Collect the amount, at most what was authorised; the rest is released."""

    async def void(self, ref: str, key: str) -> Snapshot:
        """Release what was authorised."""

    async def refund(self, ref: str, amount: Money, key: str) -> Refunded:
        """Give back part or all of what was captured."""

    async def retrieve(self, ref: str) -> Snapshot:
        """The payment as it stands at the provider."""

    async def find(self, payment_id: UUID, since: datetime) -> Snapshot | None:
        """The payment we asked for under this id at or after ``since`` (aware), if it got there."""

    async def account(self) -> AccountInfo:
        """Whose keys these are; the cheapest way to see whether they work."""

    async def register_hook(self, url: str, key: str) -> Hook:
        """Have webhooks sent to ``url``."""

    async def remove_hook(self, ref: str) -> None:
        """Stop them."""

    def read_notice(self, body: bytes, signature: str, secret: str) -> Notice:
        """The webhook in ``body``.

        Raises:
            BadSignature: it was not signed with ``secret``, or too long ago.
        """


_DECLINES: dict[str, LazyText] = {
    "insufficient_funds": _("The card has insufficient funds. Please use another card."),
    "expired_card": _("The card has expired. Please use another card."),
    "incorrect_cvc": _("The card's security code is wrong. Please check it."),
    "incorrect_number": _("The card number is wrong. Please check it."),
    "authentication_required": _("The bank wants the cardholder to confirm this themselves."),
    "authentication_failed": _("The bank could not confirm that it is you. Please try again."),
    "processing_error": _("The bank had a problem. Nothing was charged; please try again."),
    "method_used": _("Please enter the card again."),
    "not_reached": _("Card payments are briefly unavailable. Nothing was charged."),
}


def decline_message(code: str | None) -> LazyText:
    """What to tell the cardholder; a lost or stolen card is told as any other refusal."""
    otherwise = _("The card was declined. Please use another card or ask your bank.")
    return _DECLINES.get(code or "", otherwise)


class Declined(DomainError):
    """The bank, or the card's checks, said no. Nothing was charged."""

    status = 402
    code = "card_declined"
    title = _("The card was declined. Please use another card or ask your bank.")

    def __init__(self, reason: str | None = None, *, ref: str | None = None) -> None:
        self.reason = reason
        self.ref = ref
        super().__init__(decline_message(reason), field="payment_method")


class Refused(Conflict):
    """The provider refused the request as it stands; nothing was done."""

    code = "payment_refused"
    title = _("The payment provider refused this")

    def __init__(self, message: LazyText | str | None = None, *, reason: str = "") -> None:
        self.reason = reason
        super().__init__(message)


class KeysRefused(Refused):
    """The provider does not know the account's keys."""

    code = "payment_keys"
    title = _("The payment provider does not accept these keys")


class ProviderUnavailable(Unavailable):
    """The provider cannot be reached; certainly nothing was done."""

    code = "payments_unavailable"
    title = _("Card payments are briefly unavailable. Nothing was charged.")


class OutcomeUnknown(Exception):
    """The answer was lost: it may have been done. It is recorded and found out."""


class BadSignature(DomainError):
    """A webhook that the provider did not sign."""

    status = 400
    code = "bad_signature"
    title = _("The signature does not fit")

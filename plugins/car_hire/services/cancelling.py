"""What it costs not to come: by the rules of the house as they were when the booking was made.

Only what was paid can be kept. Whoever was to pay at pick-up owes nothing for staying away; of a
booking on account nothing was paid, and the fee is invoiced to the company.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, plugin_settings
from core.errors import Conflict
from core.i18n import _, fill
from core.money import Money
from core.payments.services.payments import Payments
from core.payments.states import FAILED
from plugins.car_hire.models import Booking
from plugins.car_hire.policy import PLUGIN, Policy

PAID_FOR = "car_hire.booking"


class FeeHasChanged(Conflict):
    """The time until which it was free, or cost less, passed while somebody looked."""

    code = "car_hire.fee_has_changed"
    title = _("The fee has changed meanwhile. Look at it again")


@dataclass(frozen=True, slots=True)
class Consequence:
    """What is kept and what goes back, of what was paid; ``free_until`` if it costs nothing yet."""

    fee: Money
    back: Money
    free_until: datetime | None
    on_account: bool
    """Whether a company owes the fee, instead of it being kept."""


async def rules_of(session: AsyncSession, booking: Booking) -> Policy:
    """The rules of the house as they were when the booking was made."""
    return await plugin_settings.read_at(session, PLUGIN, Policy, booking.created_at)


async def of_cancellation(session: AsyncSession, booking: Booking) -> Consequence:
    """What cancelling now would cost; nothing is written."""
    rules = await rules_of(session, booking)
    paid = await _paid(session, booking)
    deadline = booking.starts_at - timedelta(hours=rules.cancel_free_hours)
    if clock.now() < deadline or not rules.cancel_percent:
        free_until = deadline if rules.cancel_percent else None
        return _split(booking, Money.zero(booking.currency), paid, free_until)
    return _kept(booking, paid, rules.cancel_percent)


async def of_no_show(session: AsyncSession, booking: Booking) -> Consequence:
    """What staying away costs; nothing is written."""
    rules = await rules_of(session, booking)
    return _kept(booking, await _paid(session, booking), rules.no_show_percent)


def _kept(booking: Booking, paid: Money, percent: int) -> Consequence:
    share = Money(booking.gross * percent / 100, booking.currency).rounded()
    return _split(booking, share, paid, None)


def _split(booking: Booking, share: Money, paid: Money, free_until: datetime | None) -> Consequence:
    if booking.company_id is not None:
        return Consequence(share, paid, free_until, on_account=True)
    fee = min(share, paid)
    return Consequence(fee, paid - fee, free_until, on_account=False)


async def _paid(session: AsyncSession, booking: Booking) -> Money:
    """What is reserved or was taken for a booking that stands."""
    paid = Money.zero(booking.currency)
    if booking.state == "pending_payment":
        return paid
    for payment in await Payments(session).of(PAID_FOR, booking.id):
        if payment.standing not in FAILED:
            paid += payment.captured_amount if payment.captured else payment.authorised_amount
    return paid


def check_seen(consequence: Consequence, seen: str | None) -> None:
    """Refuse to charge another fee than somebody saw before they agreed.

    Raises:
        FeeHasChanged: it is not the one of now.
    """
    if seen and seen != str(consequence.fee.amount):
        fee = str(consequence.fee.rounded())
        raise FeeHasChanged(fill(_("The fee is now {fee}. Look at it again"), fee=fee))

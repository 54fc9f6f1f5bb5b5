"""A deposit that is kept after the return: while damage is looked into, nothing is taken of it.

The desk adds to the bill what it finds, with a reason and what shows it; then it has the bill
taken from the deposit, or releases the deposit untouched. What is taken is always what the bill
says, never an amount that somebody typed for the card.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.audit import services as audit
from core.errors import Invalid
from core.i18n import _, fill
from core.money import Money
from core.payments.models import BY_CARD
from core.payments.services.payments import Payments
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import BillLine, Damage, Hire, Inspection
from plugins.car_hire.models.zones import IN
from plugins.car_hire.schemas_money import ChargeInput
from plugins.car_hire.services import bookings, checks, hires, quotes
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.paying import renewing
from plugins.car_hire.services.paying.names import RELEASE_KEPT
from plugins.car_hire.services.paying.settling import settle_soon
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.pricing.lines import line


async def charge(session: AsyncSession, hire_id: UUID, given: ChargeInput) -> BillLine:
    """Add to the bill what was found after the return.

    Raises:
        NotNow: the deposit is not kept.
        Invalid: it comes to more than the deposit, or the mark is of another hire.
    """
    hire = await _kept(session, hire_id)
    checks.coins(given.amount, hire.currency)
    booking = await bookings.one(session, hire.booking_id)
    terms = quotes.terms_then(await quotes.one(session, booking.quote_id))
    evidence: dict[str, Any] = {"texts": {"en": given.reason, "pt": given.reason}}
    if given.damage_id is not None:
        await _check_mark(session, hire, given.damage_id)
        evidence["noted"] = str(given.damage_id)
    price = Money(given.amount, hire.currency)
    made = line(rules.BY_HAND, 1, price, terms.taxes.of("damage"), evidence)
    billed = (hire.billed or Decimal(0)) + made.gross.amount
    if billed > hire.deposit:
        most = Money(hire.deposit - (hire.billed or Decimal(0)), hire.currency)
        text = fill(_("The deposit covers {amount} more, with tax."), amount=most)
        raise Invalid(text, field="amount")
    last = select(func.coalesce(func.max(BillLine.position), 0)).where(BillLine.hire_id == hire_id)
    (row,) = quotes.rows(BillLine, [made], hire_id=hire_id)
    row.position = (await session.scalar(last) or 0) + 1
    session.add(row)
    edit(hire, None)
    hire.billed = billed
    await session.flush()
    told = {"reason": given.reason, "amount": str(made.gross.amount), "currency": hire.currency}
    await audit.record(session, "car_hire.charged_by_hand", "car_hire.hire", hire_id, told)
    return row


async def _check_mark(session: AsyncSession, hire: Hire, damage_id: UUID) -> None:
    query = (
        select(Damage.id)
        .join(Inspection, Inspection.id == Damage.inspection_id)
        .where(Damage.id == damage_id, Inspection.booking_id == hire.booking_id)
        .where(Inspection.kind == IN)
    )
    if await session.scalar(query) is None:
        raise Invalid(_("There is no such mark"), field="damage_id")


async def take(session: AsyncSession, hire_id: UUID, reason: str) -> Hire:
    """Have the bill taken from the deposit; the rest of it is released.

    Raises:
        NotNow: the deposit is not kept.
    """
    hire = await _kept(session, hire_id)
    hire.deposit_kept = False
    told = {"reason": reason, "amount": str(hire.billed), "currency": hire.currency}
    await audit.record(session, "car_hire.deposit_taken", "car_hire.hire", hire_id, told)
    await settle_soon(session, hire_id)
    return hire


async def release(session: AsyncSession, hire_id: UUID, reason: str) -> Hire:
    """Release the deposit untouched; what the bill says is owed, and paid by other means.

    Raises:
        NotNow: the deposit is not kept, or was paid by hand: that is given back by hand.
    """
    hire = await _kept(session, hire_id)
    assert hire.deposit_payment_id is not None
    if (await Payments(session).get(hire.deposit_payment_id)).method != BY_CARD:
        raise NotNow(_("This deposit was received by hand: settle it, and give back the rest"))
    hire.deposit_kept = False
    told = {"reason": reason, "amount": str(hire.deposit), "currency": hire.currency}
    await audit.record(session, "car_hire.deposit_released", "car_hire.hire", hire_id, told)
    await jobs.put(session, RELEASE_KEPT, {"hire_id": hire_id}, key=f"release-kept:{hire_id}")
    return hire


async def released(session: AsyncSession, hire_id: UUID) -> None:
    """Let the bank release it, and settle what is left of the bill. Any number of times."""
    hire = await hires.one(session, hire_id)
    assert hire.deposit_payment_id is not None
    await renewing.release(session, hire.deposit_payment_id)
    await settle_soon(session, hire_id)


async def _kept(session: AsyncSession, hire_id: UUID) -> Hire:
    hire = await hires.locked(session, hire_id)
    if hire.state != "returned" or not hire.deposit_kept:
        raise NotNow
    return hire

"""Bank transfers: promised, found by their reference when they come, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Customer, Transfer
from plugins.car_hire.services import announcing, bookings, hires, paying, paying_by_hand
from plugins.car_hire.services.editing import edit

PAGE_SIZE: Final = 50

Listed = Row[Transfer, str, str]
"""A transfer with the booking's number and the customer's name."""


async def expect(session: AsyncSession, booking_id: UUID, due_on: date) -> Transfer:
    """A customer will pay by transfer: the price, or what is owed after the return. A booking that
    awaited its payment is confirmed; its car is not handed over before the money came.

    Raises:
        NotNow: nothing is to be paid, or a transfer of it is expected already.
        Invalid: the day is over.
    """
    tenant: Tenant = session.info["tenant"]
    if due_on < clock.today(tenant.zone):
        raise Invalid(_("This day is over."), field="due_on")
    booking = await bookings.locked(session, booking_id)
    if await _expected(session, booking_id) is not None:
        raise NotNow(_("A transfer is expected already"))
    made = await _of(session, booking, due_on)
    session.add(made)
    if booking.state == "pending_payment":
        booking.owed_at_pick_up = True
        await bookings.confirm(session, booking)
        await announcing.booked(session, booking_id)
    await session.flush()
    told = {"amount": str(made.amount), "due_on": str(due_on)}
    await audit.record(session, "car_hire.transfer_expected", "car_hire.booking", booking_id, told)
    return made


async def _of(session: AsyncSession, booking: Booking, due_on: date) -> Transfer:
    amount, purpose = booking.gross, paying.CHARGE
    waits = booking.state == "pending_payment" and booking.hold_until >= clock.now()
    if not waits and not (booking.state == "confirmed" and booking.owed_at_pick_up):
        hire = await hires.of_booking(session, booking.id)
        owed = await paying.outstanding(session, hire) if hire else None
        if not owed or booking.state != "returned":
            raise NotNow
        amount, purpose = owed.amount, paying.REST
    return Transfer(
        version=1,
        booking_id=booking.id,
        purpose=purpose,
        reference=booking.number,
        amount=amount,
        currency=booking.currency,
        due_on=due_on,
        state="expected",
    )


async def received(session: AsyncSession, transfer_id: UUID, expected: int | None = None) -> None:
    """The money is on the account.

    Raises:
        NotNow: it is not waited for, or what it was for was paid otherwise.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _locked(session, transfer_id)
    if found.state == "received":
        return
    if found.state != "expected":
        raise NotNow
    edit(found, expected)
    booking = await bookings.one(session, found.booking_id)
    if found.purpose == paying.CHARGE:
        if booking.gross != found.amount:
            raise NotNow(_("The price has changed since. Give this transfer up, and note it anew"))
        paid = await paying_by_hand.take_price(session, found.booking_id, "transfer")
        found.payment_id = paid.payment_id
    else:
        hire = await hires.of_booking(session, found.booking_id)
        assert hire is not None
        found.payment_id = (await paying_by_hand.take_rest(session, hire.id, "transfer")).id
    found.state = "received"
    await session.flush()


async def give_up(session: AsyncSession, transfer_id: UUID) -> None:
    """It will not come, or was paid otherwise; what it was for is still owed.

    Raises:
        NotNow: it has come.
    """
    found = await _locked(session, transfer_id)
    if found.state == "received":
        raise NotNow
    edit(found, None)
    found.state = "given_up"
    await session.flush()
    what = ("car_hire.booking", found.booking_id)
    await audit.record(session, "car_hire.transfer_given_up", *what)


async def page(
    session: AsyncSession, *, text: str = "", state: str = "", before: UUID | None = None
) -> Sequence[Listed]:
    """A page of transfers, the newest first, one more than fits; ``text`` begins the reference."""
    query = (
        select(Transfer, Booking.number, Customer.name)
        .join(Booking, Booking.id == Transfer.booking_id)
        .join(Customer, Customer.id == Booking.customer_id)
    )
    if text:
        query = query.where(Transfer.reference.startswith(text.upper(), autoescape=True))
    if state:
        query = query.where(Transfer.state == state)
    if before:
        query = query.where(Transfer.id < before)
    return (await session.execute(query.order_by(Transfer.id.desc()).limit(PAGE_SIZE + 1))).all()


async def of_booking(session: AsyncSession, booking_id: UUID) -> Transfer | None:
    """The transfer that a booking waits for, if it does."""
    return await _expected(session, booking_id)


async def _expected(session: AsyncSession, booking_id: UUID) -> Transfer | None:
    return await session.scalar(
        select(Transfer).where(Transfer.booking_id == booking_id, Transfer.state == "expected")
    )


async def _locked(session: AsyncSession, transfer_id: UUID) -> Transfer:
    found = await session.get(Transfer, transfer_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such transfer"))
    return found

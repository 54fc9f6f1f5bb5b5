"""Who is told of what happens to bookings and hires: the desk, and the customer who signs in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import notifications
from core.auth import identity
from core.money import Money
from core.notices import Notice
from core.payments.events import PaymentFailed
from plugins.car_hire import notices
from plugins.car_hire.models import Booking, Customer, Hire, VehicleClass
from plugins.car_hire.services import fleet

BOOKING: Final = "car_hire.booking"
HIRE: Final = "car_hire.hire"
LATER: Final = "car_hire.later"
"""A fine or toll."""


async def booked(session: AsyncSession, booking: Booking) -> None:
    """A booking is paid: the car is theirs."""
    await _tell_desk(session, notices.BOOKED, booking, **await _of_the_car(session, booking))


async def cancelled(session: AsyncSession, booking: Booking) -> None:
    """A booking is cancelled: by the customer, or by the desk."""
    query = (
        select(VehicleClass.name, Customer.user_id)
        .join(Customer, Customer.id == booking.customer_id)
        .where(VehicleClass.id == booking.class_id)
    )
    class_name, user_id = (await session.execute(query)).one()
    car = {"vehicle_class": class_name, "starts_at": booking.starts_at}
    await _tell_desk(session, notices.CANCELLED, booking, **car)
    await _tell(session, user_id, notices.OWN_CANCELLED, booking, **car)


async def unpaid(session: AsyncSession, booking: Booking) -> None:
    """Nobody paid in time."""
    await _tell_customer(session, notices.OWN_UNPAID, booking)


async def payment_failed(session: AsyncSession, event: PaymentFailed) -> None:
    """Money that we relied on is not reserved any more. A card that is declined at the counter or
    on the site is seen by whoever pays, and needs nobody else."""
    relied_on = select(Booking)
    if event.subject_type == BOOKING:
        notice = notices.PAYMENT_FAILED
        relied_on = relied_on.where(
            Booking.id == UUID(event.subject_id),
            Booking.payment_id == event.payment_id,
            Booking.state.in_(("confirmed", "out", "returned")),
        )
    elif event.subject_type == HIRE:
        notice = notices.DEPOSIT_LAPSED
        relied_on = relied_on.join(Hire, Hire.booking_id == Booking.id).where(
            Hire.id == UUID(event.subject_id),
            Hire.deposit_payment_id == event.payment_id,
            or_(Hire.state == "out", Hire.deposit_kept),
        )
    else:
        return
    booking = (await session.scalars(relied_on)).one_or_none()
    if booking is not None:
        amount = Money.of(event.amount, event.currency)
        await _tell_desk(session, notice, booking, amount=amount)


async def deposit_lapsing(
    session: AsyncSession, booking: Booking, amount: Money, until: datetime
) -> None:
    """The car is out, and its deposit will not be reserved for much longer."""
    await _tell_desk(session, notices.DEPOSIT_LAPSING, booking, amount=amount, until=until)


async def deposit_refused(
    session: AsyncSession, booking: Booking, amount: Money, until: datetime
) -> None:
    """The car is out, and the bank does not hold its deposit anew."""
    await _tell_desk(session, notices.DEPOSIT_REFUSED, booking, amount=amount, until=until)
    await _tell_customer(session, notices.OWN_DEPOSIT, booking, amount=amount, until=until)


async def bank_asks(session: AsyncSession, booking: Booking, amount: Money) -> None:
    """The customer left their bank's question unanswered."""
    until = booking.hold_until
    await _tell_customer(session, notices.OWN_BANK_ASKS, booking, amount=amount, until=until)


async def charged(session: AsyncSession, booking: Booking, billed: Money, owed: Money) -> None:
    """The car is back with something to pay; ``owed`` is what the deposit does not cover."""
    if billed:
        await _tell_customer(session, notices.OWN_BILL, booking, amount=billed)
    if owed:
        await _tell_desk(session, notices.OWED, booking, amount=owed)


async def _of_the_car(session: AsyncSession, booking: Booking) -> dict[str, Any]:
    chosen = await fleet.vehicle_class(session, booking.class_id)
    return {"vehicle_class": chosen.name, "starts_at": booking.starts_at}


async def _tell_desk(
    session: AsyncSession, notice: Notice, booking: Booking, **values: Any
) -> None:
    await notifications.notify(
        session,
        notice,
        subject=(BOOKING, booking.id),
        link=f"/car-hire/desk/bookings/{booking.id}",
        number=booking.number,
        **values,
    )


async def _tell_customer(
    session: AsyncSession, notice: Notice, booking: Booking, **values: Any
) -> None:
    customer = select(Customer.user_id).where(Customer.id == booking.customer_id)
    await _tell(session, await session.scalar(customer), notice, booking, **values)


async def _tell(
    session: AsyncSession, user_id: UUID | None, notice: Notice, booking: Booking, **values: Any
) -> None:
    """Unless they have no sign-in, or have just done it themselves."""
    doer = identity.current()
    if user_id is None or (doer is not None and doer.user_id == user_id):
        return
    await notifications.notify(
        session,
        notice,
        to=[user_id],
        subject=(BOOKING, booking.id),
        link=f"/car-hire/bookings/{booking.id}",
        number=booking.number,
        **values,
    )

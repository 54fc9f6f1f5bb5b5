"""Deposits of long hires: held anew before the bank lets go of them.

A job asks the bank with the card that was kept, some days before the hold lapses; the new hold
takes the old one's place in the hire (``reserved.deposit_authorised``), and then the old one is
released. So there is always a hold, and never two that stay. Holds of a hire are numbered by their
purpose: ``deposit``, ``deposit.2`` … One purpose has one live payment, however often the job comes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.audit import services as audit
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.errors import NotFound
from core.i18n import _, gettext
from core.ids import new_id
from core.money import Money
from core.payments.models import BY_CARD, Payment
from core.payments.provider import Declined
from core.payments.services import NoSavedCard
from core.payments.services.payments import Payments
from core.payments.states import FAILED, TOOK_MONEY, State
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, DepositRefusal, Hire
from plugins.car_hire.services import bookings, hires, letters, reminders, telling
from plugins.car_hire.services.paying.names import DEPOSIT, HIRE, RELEASE_DEPOSIT, RENEW

BEFORE: Final = timedelta(hours=72)
"""So long before a hold lapses it is renewed: who must act has two days after a refusal."""
LATEST: Final = timedelta(hours=54)
"""Where the bank holds amounts for a shorter time than usual."""
_BREATH: Final = timedelta(hours=1)


def due(now: datetime, until: datetime) -> datetime:
    """When a hold that was made at ``now`` and lapses at ``until`` is renewed (both aware)."""
    half = min(now + (until - now) / 2, until - LATEST)
    return max(until - BEFORE, half, now + _BREATH)


def ordinal(purpose: str) -> int:
    """Which of a hire's holds it is: 1 for ``deposit``, 2 for ``deposit.2``."""
    return int(purpose.partition(".")[2] or 1)


def following(purpose: str) -> str:
    """The purpose of the hold after this one."""
    return f"{DEPOSIT}.{ordinal(purpose) + 1}"


async def plan(session: AsyncSession, hire: Hire, payment: Payment) -> None:
    """A deposit is held: have it renewed in time, and the desk told should it not have been."""
    await jobs.put(
        session,
        RENEW,
        {"hire_id": hire.id, "payment_id": payment.id},
        key=f"renew:{payment.id}",
        due_at=due(clock.now(), payment.reserved_until),
    )
    await reminders.of_deposit(session, hire, payment)


async def renew(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> Payment | None:
    """Hold the deposit anew with the card that was kept; None where there is nothing to renew.

    A refusal is told to the desk and to the customer, who gets a link to authorise it again.

    Raises:
        ProviderUnavailable: to be tried again.
    """
    hire = await hires.locked(session, hire_id)
    if not hire.needs_hold or hire.deposit_payment_id != payment_id:
        return None
    held = await Payments(session).get(payment_id)
    if held.standing is not State.AUTHORISED or await _was_refused(session, held):
        return None  # the desk has heard of it
    booking = await bookings.one(session, hire.booking_id)
    try:
        return await Payments(session).authorise_again(
            held,
            subject_type=HIRE,
            subject_id=hire_id,
            purpose=following(held.purpose),
            amount=Money(hire.deposit, hire.currency),
            description=gettext("Deposit for car hire %(number)s") % {"number": booking.number},
        )
    except Declined as refused:
        await _refused(session, hire_id, held, refused.reason or refused.code)
    except NoSavedCard as refused:
        await _refused(session, hire_id, held, refused.code)
    return None


async def _was_refused(session: AsyncSession, held: Payment) -> bool:
    known = select(DepositRefusal.id).where(DepositRefusal.payment_id == held.id)
    return await session.scalar(known) is not None


async def _refused(session: AsyncSession, hire_id: UUID, held: Payment, reason: str) -> None:
    hire = await hires.locked(session, hire_id)
    if not hire.needs_hold or hire.deposit_payment_id != held.id:
        return  # brought back, or renewed at the desk meanwhile
    secret = fresh_token()
    made = (
        insert(DepositRefusal)
        .values(
            id=new_id(), hire_id=hire_id, payment_id=held.id, reason=reason, link=digest(secret),
            asked_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["payment_id"])
        .returning(DepositRefusal.id)
    )  # fmt: skip
    if await session.scalar(made) is None:
        return
    booking = await bookings.one(session, hire.booking_id)
    amount, until = Money(hire.deposit, hire.currency), held.reserved_until
    await letters.deposit_again(session, booking, secret, amount, until)
    await telling.deposit_refused(session, booking, amount, until)
    told = {"reason": reason}
    await audit.record(session, "car_hire.deposit_refused", "car_hire.hire", hire_id, told)


async def purpose_of_next(session: AsyncSession, hire: Hire) -> str:
    """What another card is to hold while the car is out.

    Raises:
        NotNow: there is no deposit by card to be renewed.
    """
    if not hire.needs_hold or hire.deposit_payment_id is None:
        raise NotNow
    held = await Payments(session).get(hire.deposit_payment_id)
    if held.method != BY_CARD:
        raise NotNow
    return following(held.purpose)


async def take_over(session: AsyncSession, hire: Hire, payment: Payment) -> None:
    """A newer hold of a car that is out takes the place of the one before, which is released."""
    before = hire.deposit_payment_id
    hire.deposit_payment_id = payment.id
    told = {"payment_id": before}
    await jobs.put(session, RELEASE_DEPOSIT, told, key=f"release-deposit:{before}")
    answered = update(DepositRefusal).where(
        DepositRefusal.hire_id == hire.id, DepositRefusal.answered_at.is_(None)
    )
    await session.execute(answered.values(answered_at=clock.now()))
    await plan(session, hire, payment)
    await audit.record(session, "car_hire.deposit_renewed", "car_hire.hire", hire.id)


async def release(session: AsyncSession, payment_id: UUID) -> None:
    """Release a hold that another took the place of."""
    payment = await Payments(session).get(payment_id)
    if payment.standing not in FAILED | TOOK_MONEY:
        await Payments(session).void(payment_id)


async def refusal_of(session: AsyncSession, hire: Hire) -> DepositRefusal | None:
    """The refusal that still waits for another card, if there is one."""
    query = select(DepositRefusal).where(
        DepositRefusal.hire_id == hire.id, DepositRefusal.answered_at.is_(None)
    )
    found: DepositRefusal | None = await session.scalar(query.order_by(DepositRefusal.id.desc()))
    return found


async def by_link(session: AsyncSession, secret: str) -> tuple[DepositRefusal, Hire, Booking]:
    """What the link with ``secret`` is about.

    Raises:
        NotFound: nothing.
    """
    query = (
        select(DepositRefusal, Hire, Booking)
        .join(Hire, Hire.id == DepositRefusal.hire_id)
        .join(Booking, Booking.id == Hire.booking_id)
        .where(DepositRefusal.link == digest(secret[:MAX_LENGTH]))
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound(_("This link does not lead to a deposit"))
    refusal, hire, booking = found
    return refusal, hire, booking

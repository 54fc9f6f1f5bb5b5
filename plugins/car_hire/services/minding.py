"""What the desk minds of a customer: notes for colleagues, and a block on further bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import NotFound
from core.i18n import _
from core.money import Money
from core.scope import Tenant
from plugins.car_hire.models import Booking, Customer, CustomerNote
from plugins.car_hire.schemas import BlockCustomerInput, NoteInput
from plugins.car_hire.services.editing import edit

LATEST: Final = 50


async def notes(session: AsyncSession, customer_id: UUID) -> Sequence[CustomerNote]:
    """What colleagues wrote, the newest first."""
    query = select(CustomerNote).where(CustomerNote.customer_id == customer_id)
    return (await session.scalars(query.order_by(CustomerNote.id.desc()).limit(LATEST))).all()


async def note(session: AsyncSession, customer_id: UUID, given: NoteInput) -> CustomerNote:
    """Write something down of a customer, by name of whoever does.

    Raises:
        NotFound: there is no such customer.
    """
    await _locked(session, customer_id)
    author = identity.required()
    made = CustomerNote(customer_id=customer_id, text=given.text, author=author.name)
    session.add(made)
    await session.flush()
    await audit.record(session, "car_hire.customer_noted", "car_hire.customer", customer_id)
    return made


async def block(session: AsyncSession, customer_id: UUID, given: BlockCustomerInput) -> Customer:
    """Take no more bookings of a customer; those that stand are not touched.

    Raises:
        NotFound: there is no such customer.
    """
    customer = await _locked(session, customer_id)
    edit(customer, None)
    customer.blocked_at, customer.blocked_why = clock.now(), given.reason
    await session.flush()
    await audit.record(session, "car_hire.customer_blocked", "car_hire.customer", customer_id)
    return customer


async def unblock(session: AsyncSession, customer_id: UUID) -> Customer:
    """Take bookings again.

    Raises:
        NotFound: there is no such customer.
    """
    customer = await _locked(session, customer_id)
    if customer.blocked_at is not None:
        edit(customer, None)
        customer.blocked_at = customer.blocked_why = None
        await session.flush()
        await audit.record(session, "car_hire.customer_unblocked", "car_hire.customer", customer_id)
    return customer


async def _locked(session: AsyncSession, customer_id: UUID) -> Customer:
    found = await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such customer"))
    return found


@dataclass(frozen=True, slots=True)
class Record:
    """What a customer was to the business so far; ``spent`` on hires that were driven."""

    hires: int
    upcoming: int
    cancelled: int
    no_shows: int
    spent: Money


async def record(session: AsyncSession, customer_id: UUID) -> Record:
    """All of a customer's bookings, in one statement."""
    tenant: Tenant = session.info["tenant"]
    driven = Booking.state.in_(("out", "returned", "closed"))
    query = select(
        func.count().filter(driven),
        func.count().filter(Booking.state.in_(("pending_payment", "confirmed"))),
        func.count().filter(Booking.state == "cancelled"),
        func.count().filter(Booking.state == "no_show"),
        func.coalesce(func.sum(Booking.gross).filter(driven), Decimal(0)),
    ).where(Booking.customer_id == customer_id)
    hires, upcoming, cancelled, no_shows, spent = (await session.execute(query)).one()
    return Record(hires, upcoming, cancelled, no_shows, Money(spent, tenant.currency))

"""What companies owe: booked, invoiced, stated; and how long it has been due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from plugins.car_hire.models import AccountEntry, Booking, Company, Statement
from plugins.car_hire.services.branches.whole import WHOLE

_TO_COME: Final = ("pending_payment", "confirmed", "out", "returned")
AGES: Final = (0, 30, 60)
"""Days after the due day at which a column of the list of ages ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """Of one company, in its currency. ``ages``: not due yet, up to 30 and 60 days late, later."""

    booked: Decimal
    invoiced: Decimal
    """Since the last statement."""
    ages: tuple[Decimal, Decimal, Decimal, Decimal]

    @property
    def stated(self) -> Decimal:
        """What is unpaid of all statements."""
        return sum(self.ages, Decimal(0))

    @property
    def all(self) -> Decimal:
        """What counts against the credit limit."""
        return self.booked + self.invoiced + self.stated

    @property
    def late(self) -> Decimal:
        """What should have been paid by now."""
        return sum(self.ages[1:], Decimal(0))


NOTHING: Final = Owing(
    booked=Decimal(0), invoiced=Decimal(0), ages=(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
)


async def of_all(
    session: AsyncSession, today: date, company_id: UUID | None = None
) -> dict[UUID, Owing]:
    """What every company owes, or one of them; three queries, however many there are."""
    booked = await _sums(
        session,
        select(Booking.company_id, func.sum(Booking.gross))
        .where(Booking.company_id.is_not(None), Booking.state.in_(_TO_COME))
        .where(_of(Booking.company_id, company_id))
        .group_by(Booking.company_id)
        .execution_options(**WHOLE),
    )
    invoiced = await _sums(
        session,
        select(AccountEntry.company_id, func.sum(AccountEntry.amount))
        .where(AccountEntry.statement_id.is_(None), _of(AccountEntry.company_id, company_id))
        .group_by(AccountEntry.company_id),
    )
    ages = await _ages(session, today, company_id)
    zero = Decimal(0)
    return {
        each: Owing(
            booked=booked.get(each, zero),
            invoiced=invoiced.get(each, zero),
            ages=ages.get(each, NOTHING.ages),
        )
        for each in {*booked, *invoiced, *ages}
    }


async def of_one(session: AsyncSession, company: Company, today: date) -> Owing:
    """What a company owes."""
    return (await of_all(session, today, company.id)).get(company.id, NOTHING)


async def _ages(
    session: AsyncSession, today: date, company_id: UUID | None
) -> dict[UUID, tuple[Decimal, Decimal, Decimal, Decimal]]:
    left = func.sum(Statement.amount - Statement.paid)
    ends = [today - timedelta(days=each) for each in AGES]
    when = (
        Statement.due_on >= ends[0],
        and_(Statement.due_on < ends[0], Statement.due_on >= ends[1]),
        and_(Statement.due_on < ends[1], Statement.due_on >= ends[2]),
        Statement.due_on < ends[2],
    )
    query = (
        select(Statement.company_id, *(func.coalesce(left.filter(each), 0) for each in when))
        .where(Statement.paid < Statement.amount, _of(Statement.company_id, company_id))
        .group_by(Statement.company_id)
    )
    rows = (await session.execute(query)).all()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


async def _sums(session: AsyncSession, query: object) -> dict[UUID, Decimal]:
    rows = (await session.execute(query)).all()  # type: ignore[call-overload]  # two columns each
    return {row[0]: row[1] for row in rows}


def _of(column: InstrumentedAttribute[Any], company_id: UUID | None) -> ColumnElement[bool]:
    return true() if company_id is None else column == company_id

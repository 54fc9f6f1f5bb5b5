"""The cash desk: opened with a float, moved by what is taken and given back, counted and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.scope import Tenant
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import CashDesk, CashMovement
from plugins.car_hire.services import checks
from plugins.car_hire.services.branches import reach
from plugins.car_hire.services.editing import edit

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    """A cash desk with what moved, the newest first, and what should be in it."""

    desk: CashDesk
    movements: Sequence[CashMovement]
    expected: Money

    @property
    def difference(self) -> Money | None:
        """What was counted beyond what should be there; below zero it is missing."""
        if self.desk.counted is None:
            return None
        return Money(self.desk.counted, self.desk.currency) - self.expected


async def open_with(session: AsyncSession, opening: Decimal) -> CashDesk:
    """Open the drawer with a float of ``opening``; asked again, it answers with the open one.

    Raises:
        NotNow: it is open already, with another float.
    """
    tenant: Tenant = session.info["tenant"]
    checks.coins(opening, tenant.currency, "opening")
    person = identity.current()
    branch_id = await reach.standing(session)
    made = await session.scalar(
        insert(CashDesk)
        .values(
            id=new_id(), version=1, branch_id=branch_id, currency=tenant.currency,
            opening=opening, note="",
            opened_at=clock.now(), opened_by=person.user_id if person else None,
        )
        .on_conflict_do_nothing()
        .returning(CashDesk.id)
    )  # fmt: skip
    desk = await opened(session)
    assert desk is not None
    if made is None:
        if desk.opening != opening:
            raise NotNow(_("The cash desk is open already. Count and close it first"))
        return desk
    told = {"opening": str(opening)}
    await audit.record(session, "car_hire.cash_opened", "car_hire.cash_desk", desk.id, told)
    return desk


async def opened(session: AsyncSession) -> CashDesk | None:
    """The open drawer of the branch at which whoever is asking stands, locked, if one is."""
    here = or_(CashDesk.branch_id.is_(None), CashDesk.branch_id == await reach.standing(session))
    query = select(CashDesk).where(CashDesk.closed_at.is_(None), here).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def move(
    session: AsyncSession,
    kind: str,
    amount: Money,
    *,
    key: str,
    booking_id: UUID | None = None,
    note: str = "",
) -> None:
    """Note cash that went in or (below zero) out; once for a ``key``. Where nobody has opened the
    drawer, it is opened empty: the money is there all the same.
    """
    desk = await opened(session) or await open_with(session, Decimal(0))
    person = identity.current()
    await session.execute(
        insert(CashMovement)
        .values(
            id=new_id(), desk_id=desk.id, kind=kind, amount=amount.amount, key=key, note=note,
            booking_id=booking_id, moved_at=clock.now(),
            moved_by=person.user_id if person else None,
        )
        .on_conflict_do_nothing(index_elements=[CashMovement.key])
    )  # fmt: skip


async def put_in_or_out(session: AsyncSession, amount: Decimal, note: str) -> None:
    """Change, or the day's money on its way to the bank; ``amount`` below zero goes out.

    Raises:
        Invalid: nothing, or more than is in the drawer.
    """
    desk = await opened(session) or await open_with(session, Decimal(0))
    checks.coins(amount, desk.currency)
    there = await _expected(session, desk)
    if not amount or (there.amount + amount) < 0:
        raise Invalid(_("There is not that much in the drawer."), field="amount")
    kind = "paid_in" if amount > 0 else "paid_out"
    moved = Money(amount, desk.currency)
    await move(session, kind, moved, key=f"hand:{new_id()}", note=note)
    told = {"amount": str(amount), "note": note}
    await audit.record(session, "car_hire.cash_moved", "car_hire.cash_desk", desk.id, told)


async def close(
    session: AsyncSession, counted: Decimal, note: str, expected: int | None = None
) -> CashDesk:
    """Count the drawer and close it; what should be there is kept beside what is.

    Raises:
        NotNow: it is not open.
        EditedMeanwhile: it changed since version ``expected``.
        Invalid: it does not come out, and no note says why.
    """
    desk = await opened(session)
    if desk is None:
        raise NotNow(_("The cash desk is not open"))
    edit(desk, expected)
    checks.coins(counted, desk.currency, "counted")
    should = await _expected(session, desk)
    if counted != should.amount and not note.strip():
        raise Invalid(_("It does not come out: say why."), field="note")
    person = identity.current()
    desk.expected, desk.counted, desk.note = should.amount, counted, note
    desk.closed_at, desk.closed_by = clock.now(), person.user_id if person else None
    await session.flush()
    told = {"expected": str(should.amount), "counted": str(counted)}
    await audit.record(session, "car_hire.cash_closed", "car_hire.cash_desk", desk.id, told)
    return desk


async def drawer(session: AsyncSession, desk: CashDesk) -> Drawer:
    """A cash desk with its movements."""
    query = select(CashMovement).where(CashMovement.desk_id == desk.id)
    rows = await session.scalars(query.order_by(CashMovement.id.desc()).limit(500))
    return Drawer(desk=desk, movements=rows.all(), expected=await _expected(session, desk))


async def one(session: AsyncSession, desk_id: UUID) -> CashDesk:
    """One cash desk.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(CashDesk, desk_id)
    if found is None:
        raise NotFound(_("There is no such cash desk"))
    return found


async def page(session: AsyncSession, before: UUID | None = None) -> Sequence[CashDesk]:
    """A page of closed drawers, the newest first, one more than fits."""
    query = select(CashDesk).where(CashDesk.closed_at.is_not(None))
    if before:
        query = query.where(CashDesk.id < before)
    return (await session.scalars(query.order_by(CashDesk.id.desc()).limit(PAGE_SIZE + 1))).all()


async def _expected(session: AsyncSession, desk: CashDesk) -> Money:
    if desk.expected is not None:
        return Money(desk.expected, desk.currency)
    moved = select(func.coalesce(func.sum(CashMovement.amount), 0))
    total = await session.scalar(moved.where(CashMovement.desk_id == desk.id))
    return Money(desk.opening + Decimal(total or 0), desk.currency)

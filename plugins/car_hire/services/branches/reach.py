"""Which branches' bookings, cars and drawers somebody at the desk may see: said here alone.

Staff who are bound to branches see what begins, ends or stands there; whoever is bound to none,
and whoever keeps the branches, sees everything. Every query for a person is narrowed as it is
executed, so that a page that is added tomorrow shows no more than those of today. Jobs act for
nobody, and see all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, event, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from core.audit import services as audit
from core.auth import identity
from core.auth.models import User
from core.errors import Invalid
from core.i18n import _
from plugins.car_hire.models import (
    Agreement,
    AgreementFile,
    Booking,
    BranchStaff,
    CalendarFeed,
    CashDesk,
    DepositRefusal,
    Hire,
    Inspection,
    LaterCharge,
    Paper,
    Review,
    Transfer,
    Vehicle,
    Wait,
)
from plugins.car_hire.permissions import BRANCHES, DESK
from plugins.car_hire.policy import PLUGIN
from plugins.car_hire.services.branches import keeping, whole

Mine = Sequence[UUID]
_KNOWN: Final = "car_hire.reach"
SHOWN: Final = 200


def _booked(mine: Mine) -> ColumnElement[bool]:
    return or_(Booking.pick_up_branch_id.in_(mine), Booking.return_branch_id.in_(mine))


def _of_booking(column: Any) -> Callable[[Mine], ColumnElement[bool]]:
    return lambda mine: column.in_(select(Booking.id).where(_booked(mine)))


def _of_hire(column: Any) -> Callable[[Mine], ColumnElement[bool]]:
    hired = select(Hire.id).join(Booking, Booking.id == Hire.booking_id)
    return lambda mine: column.in_(hired.where(_booked(mine)))


NARROWED: Final[Mapping[type[Any], Callable[[Mine], ColumnElement[bool]]]] = {
    Booking: _booked,
    Vehicle: lambda mine: or_(
        Vehicle.branch_id.in_(mine),
        Vehicle.home_branch_id.in_(mine),
        Vehicle.id.in_(select(Booking.vehicle_id).where(_booked(mine))),
    ),
    Hire: _of_booking(Hire.booking_id),
    Inspection: _of_booking(Inspection.booking_id),
    Transfer: _of_booking(Transfer.booking_id),
    LaterCharge: _of_booking(LaterCharge.booking_id),
    Review: _of_hire(Review.hire_id),
    DepositRefusal: _of_hire(DepositRefusal.hire_id),
    Agreement: _of_hire(Agreement.hire_id),
    AgreementFile: _of_hire(AgreementFile.hire_id),
    Wait: lambda mine: or_(Wait.pick_up_branch_id.in_(mine), Wait.return_branch_id.in_(mine)),
    CalendarFeed: lambda mine: or_(
        CalendarFeed.customer_id.is_not(None), CalendarFeed.branch_id.in_(mine)
    ),
    Paper: lambda mine: or_(
        Paper.booking_id.is_(None), Paper.booking_id.in_(select(Booking.id).where(_booked(mine)))
    ),
    CashDesk: lambda mine: or_(CashDesk.branch_id.is_(None), CashDesk.branch_id.in_(mine)),
}
"""What is narrowed, and how. What a car is spoken for (occupancies, blocks, kept extras) is not:
whoever gives a car away has to know of everything that is in the way. Nor is a query that is asked
of the ``whole`` business."""


def may_be_bound() -> bool:
    """Whether whoever is asking works at the desk and does not keep the branches."""
    person = identity.current()
    return person is not None and person.may(DESK) and not person.may(BRANCHES)


def _narrow(state: ORMExecuteState) -> None:
    tenant = state.session.info.get("tenant")
    if tenant is None or PLUGIN not in tenant.plugins:
        return  # the platform, or a business without branches
    if not state.is_select or state.is_column_load or whole.is_whole(state.execution_options):
        return
    if not may_be_bound():
        return
    mine = _mine(state.session)
    if mine:
        state.statement = state.statement.options(
            *(with_loader_criteria(kind, said(mine)) for kind, said in NARROWED.items())
        )


def _mine(session: Session) -> Mine:
    """The branches of whoever is asking; none where they are bound to none. Asked once."""
    user_id = identity.required().user_id
    known: tuple[UUID, Mine] | None = session.info.get(_KNOWN)
    if known is not None and known[0] == user_id:
        return known[1]
    session.info[_KNOWN] = (user_id, ())  # the question below is asked of everything
    with session.no_autoflush:
        query = select(BranchStaff.branch_id).where(BranchStaff.user_id == user_id)
        found = tuple(session.scalars(query))
    session.info[_KNOWN] = (user_id, found)
    return found


def install() -> None:
    """Narrow every query from now on."""
    if not event.contains(Session, "do_orm_execute", _narrow):
        event.listen(Session, "do_orm_execute", _narrow)


async def standing(session: AsyncSession) -> UUID:
    """The branch at whose desk whoever is asking stands: their own, or else the main one."""
    main = await keeping.main(session)
    if not may_be_bound():
        return main.id
    query = select(BranchStaff.branch_id).where(BranchStaff.user_id == identity.required().user_id)
    mine = sorted(await session.scalars(query))
    return main.id if not mine or main.id in mine else mine[0]


async def own(session: AsyncSession) -> Mine:
    """The branches to which whoever is asking is bound; none: they see all."""
    return await session.run_sync(_mine) if may_be_bound() else ()


async def people(session: AsyncSession) -> Sequence[User]:
    """Whoever could be bound to branches, by name."""
    query = select(User).where(User.role == "staff", User.disabled_at.is_(None))
    return (await session.scalars(query.order_by(User.name, User.id).limit(SHOWN))).all()


async def bound_to(session: AsyncSession, branch_id: UUID) -> Sequence[UUID]:
    """Who is bound to a branch."""
    query = select(BranchStaff.user_id).where(BranchStaff.branch_id == branch_id)
    return (await session.scalars(query)).all()


async def bind_to(session: AsyncSession, branch_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Let these people, and no others, be bound to a branch.

    Raises:
        NotFound: there is no such branch.
        Invalid: one of them is no staff of this business.
    """
    await keeping.one(session, branch_id)
    wanted, known = set(user_ids), {each.id for each in await people(session)}
    if not wanted <= known:
        raise Invalid(_("Choose among the staff"), field="user_ids")
    before = set(await bound_to(session, branch_id))
    gone = delete(BranchStaff).where(
        BranchStaff.branch_id == branch_id, BranchStaff.user_id.in_(before - wanted)
    )
    await session.execute(gone, execution_options={"synchronize_session": False})
    session.add_all(
        BranchStaff(branch_id=branch_id, user_id=each) for each in sorted(wanted - before)
    )
    await session.flush()
    await audit.record(
        session, "car_hire.branch_staff", "car_hire.branch", branch_id,
        {"user_ids": [sorted(map(str, before)), sorted(map(str, wanted))]},
    )  # fmt: skip

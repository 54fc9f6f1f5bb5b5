"""At which branch a car will be: what it did last says so, not where it belongs.

A car stands at ``Vehicle.branch_id`` since ``Vehicle.branch_since``. What moves it is a booking
that ends at another branch than it began, or a transfer: such an occupancy, where it ends after
``branch_since``, tells where the car is afterwards. So the occupancies of a car are a chain in
which each begins where the one before ended; whoever writes one keeps to that, and what was
promised on a journey that is not made after all is *stranded* (docs/decisions/branches.md).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.i18n import gettext
from plugins.car_hire.errors import Collision
from plugins.car_hire.models import Booking, Branch, Occupancy, Quote, Vehicle


class Journey(NamedTuple):
    """Where a car is picked up and where it is brought back."""

    pick_up_branch_id: UUID
    return_branch_id: UUID

    @classmethod
    def of(cls, row: Quote | Booking) -> Journey:
        """That of a quote or booking."""
        return cls(row.pick_up_branch_id, row.return_branch_id)

    @property
    def is_one_way(self) -> bool:
        """Whether the car ends up elsewhere."""
        return self.pick_up_branch_id != self.return_branch_id


class Elsewhere(Collision):
    """The car will be at another branch then, or is expected at another one afterwards."""

    code = "car_hire.elsewhere"


# As the partial index has it, which is empty in a firm whose cars never change branch.
MOVES: Final = Occupancy.from_branch_id != Occupancy.to_branch_id
_BEGINS: Final = func.lower(Occupancy.period)
_PICK_UP: Final = bindparam("pick_up_branch_id", type_=Vehicle.branch_id.type)
_RETURN: Final = bindparam("return_branch_id", type_=Vehicle.branch_id.type)


def came_last(period: ColumnElement[Any], *beside: FromClause) -> ScalarSelect[UUID | None]:
    """To which branch a vehicle's last journey before ``period`` led; nothing if it made none.

    ``beside`` are what else ``period`` is taken from, here and below."""
    return (
        select(Occupancy.to_branch_id)
        .where(
            Occupancy.vehicle_id == Vehicle.id,
            MOVES,
            func.lower(period) > _BEGINS,
            func.upper(Occupancy.period) > Vehicle.branch_since,
        )
        .order_by(_BEGINS.desc())
        .limit(1)
        .correlate(Vehicle, *beside)
        .scalar_subquery()
    )


def leaves_next(period: ColumnElement[Any], *beside: FromClause) -> ScalarSelect[UUID | None]:
    """From which branch a vehicle is wanted after ``period``; nothing if from none."""
    return (
        select(Occupancy.from_branch_id)
        .where(
            Occupancy.vehicle_id == Vehicle.id,
            Occupancy.from_branch_id.is_not(None),
            func.upper(period) <= _BEGINS,
        )
        .order_by(_BEGINS)
        .limit(1)
        .correlate(Vehicle, *beside)
        .scalar_subquery()
    )


def fits(period: ColumnElement[Any], *beside: FromClause) -> ColumnElement[bool]:
    """Of a vehicle: it will be at the pick-up's branch for ``period``, and is next wanted at the
    return's."""
    return and_(
        func.coalesce(came_last(period, *beside), Vehicle.branch_id) == _PICK_UP,
        or_(
            _PICK_UP == _RETURN,
            func.coalesce(leaves_next(period, *beside), _RETURN) == _RETURN,
        ),
    )


_PERIOD: Final = bindparam("period", type_=TSTZRANGE)
_CAME_LAST: Final = came_last(_PERIOD)
FITS: Final = fits(_PERIOD)
"""``fits`` for the period that is asked about."""

STAYS: Final = ~(
    select(Occupancy.id)
    .where(
        Occupancy.vehicle_id == Vehicle.id,
        MOVES,
        Occupancy.period.op("&&")(bindparam("around", type_=TSTZRANGE)),
    )
    .correlate(Vehicle)
    .exists()
)
"""Of a vehicle: it changes branch at no time of ``around``."""


class Stranded(NamedTuple):
    """An occupancy whose car will not be where it begins, or is next wanted elsewhere."""

    id: UUID
    booking_id: UUID | None
    vehicle_id: UUID
    branch_id: UUID
    """Where the car will be when the occupancy begins."""
    next_id: UUID | None
    """From where it is wanted afterwards."""


def stranded() -> Select[*tuple[Any, ...]]:
    """The occupancies of whatever cars that are out of the chain; narrow it by ``Occupancy``."""
    other = aliased(Occupancy)
    begins = func.lower(other.period)
    same = other.vehicle_id == Occupancy.vehicle_id
    last = (
        select(other.to_branch_id)
        .where(
            same,
            other.from_branch_id != other.to_branch_id,
            begins < _BEGINS,
            func.upper(other.period) > Vehicle.branch_since,
        )
        .order_by(begins.desc())
        .limit(1)
        .scalar_subquery()
    )
    following = (
        select(other.from_branch_id)
        .where(same, other.from_branch_id.is_not(None), begins > _BEGINS)
        .order_by(begins)
        .limit(1)
        .scalar_subquery()
    )
    place = func.coalesce(last, Vehicle.branch_id)
    return (
        select(Occupancy.id, Occupancy.booking_id, Occupancy.vehicle_id, place, following)
        .join(Vehicle, Vehicle.id == Occupancy.vehicle_id)
        .where(
            Occupancy.from_branch_id.is_not(None),
            or_(
                place != Occupancy.from_branch_id, and_(MOVES, following != Occupancy.to_branch_id)
            ),
        )
    )


async def refuse_stranded(session: AsyncSession, reason_ids: Collection[UUID]) -> None:
    """Refuse what was just written for locked cars, if a car will be elsewhere.

    Raises:
        Elsewhere: naming the branch at which the car will be, or is wanted next.
    """
    query = stranded().where(Occupancy.id.in_(reason_ids)).limit(1)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return
    row = Stranded(*found)
    occupancy = await session.scalar(select(Occupancy.from_branch_id).where(Occupancy.id == row.id))
    if row.branch_id != occupancy:
        name = await _name(session, row.branch_id)
        raise Elsewhere(gettext("The car will be at %(branch)s then") % {"branch": name})
    name = await _name(session, row.next_id)
    raise Elsewhere(gettext("The car is wanted at %(branch)s afterwards") % {"branch": name})


async def _name(session: AsyncSession, branch_id: UUID | None) -> str:
    return await session.scalar(select(Branch.name).where(Branch.id == branch_id)) or ""


async def of_car(session: AsyncSession, vehicle_id: UUID, period: Range[datetime]) -> UUID:
    """At which branch a car will be when ``period`` begins."""
    query = select(func.coalesce(_CAME_LAST, Vehicle.branch_id)).where(Vehicle.id == vehicle_id)
    place = (await session.execute(query, {"period": period})).scalar_one()
    assert place is not None
    return place

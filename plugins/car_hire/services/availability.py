"""Which cars are free when. What it says is a hint; the EXCLUDE constraint decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.reads import Read
from plugins.car_hire.errors import VehicleUnavailable
from plugins.car_hire.models import Booking, Occupancy, Quote, Vehicle, VehicleClass
from plugins.car_hire.services.branches.whereabouts import FITS, Journey

LATE_HORIZON: Final = timedelta(hours=24)
"""A car that is late is not promised to anybody for so long from now."""


# Conditions are made once: building them anew cost a booking more than its statements did. The
# states are written out, since PostgreSQL uses a partial index only for states that it can see.
def overlaps(period: ColumnElement[Any], *beside: FromClause) -> ColumnElement[bool]:
    """Of a vehicle: something takes it within ``period``, which is taken from ``beside``."""
    return (
        select(Occupancy.id)
        .where(Occupancy.vehicle_id == Vehicle.id, Occupancy.period.bool_op("&&")(period))
        .correlate(Vehicle, *beside)
        .exists()
    )


_OVERLAPS: Final = overlaps(bindparam("period", type_=TSTZRANGE))
# Of the table itself: whoever is bound to a branch must hear of a car that another one gave out.
_BOOKED: Final = Booking.__table__.c
IS_LATE: Final = (
    select(_BOOKED.id)
    .where(
        _BOOKED.vehicle_id == Vehicle.id,
        _BOOKED.state == literal_column("'out'"),
        _BOOKED.ends_at < bindparam("late_before", type_=DateTime(timezone=True)),
    )
    .correlate(Vehicle)
    .exists()
)
"""Of a vehicle: it is out, and was to be back before ``late_before``."""
_NOBODY_IS_LATE: Final = datetime(1970, 1, 1, tzinfo=UTC)
USABLE: Final = select(Vehicle.id).where(
    Vehicle.class_id == bindparam("class_id"), Vehicle.status == "available", ~IS_LATE, FITS
)
"""Cars that could be promised, were they free; None of them is out and late, or elsewhere."""
IS_FREE: Final = and_(~_OVERLAPS, ~IS_LATE, FITS)
"""Of a vehicle, with what ``asked`` gives."""
FREE: Final = USABLE.where(~_OVERLAPS).order_by(
    func.md5(func.concat(Vehicle.id, bindparam("salt", type_=Text)))
)

# A class is full if as many cars are taken as there are at some moment; a moment at which one
# is taken more is the beginning of something.
_CARS: Final = USABLE.cte("cars")
_BUSY: Final = (
    select(Occupancy.period)
    .where(
        Occupancy.vehicle_id.in_(select(_CARS.c.id)),
        Occupancy.period.op("&&")(bindparam("period", type_=TSTZRANGE)),
    )
    .cte("busy")
)
_OTHER: Final = _BUSY.alias("other")
_MOMENT: Final = func.greatest(
    func.lower(_BUSY.c.period), func.lower(bindparam("period", type_=TSTZRANGE))
)
IS_FULL: Final = (
    select(_BUSY.c.period)
    .where(
        select(func.count())
        .select_from(_OTHER)
        .where(_OTHER.c.period.op("@>")(_MOMENT))
        .correlate(_BUSY)
        .scalar_subquery()
        >= select(func.count()).select_from(_CARS).scalar_subquery()
    )
    .exists()
)


_QUOTED: Final = (
    select(Quote.class_id, func.tstzrange(Quote.starts_at, Quote.ends_at).label("period"))
    .where(
        Quote.id == bindparam("quote_id"),
        Quote.hold_id.is_(None),
        ~select(Booking.id).where(Booking.quote_id == Quote.id).correlate(Quote).exists(),
    )
    .cte("quoted")
)
_OF_CLASS: Final = (
    select(Vehicle.id)
    .where(Vehicle.class_id == _QUOTED.c.class_id, Vehicle.status == literal_column("'available'"))
    .cte("of_class")
)
_TAKEN: Final = (
    select(func.lower(Occupancy.period).label("begins"), Occupancy.period)
    .where(
        Occupancy.vehicle_id.in_(select(_OF_CLASS.c.id)),
        Occupancy.period.bool_op("&&")(_QUOTED.c.period),
    )
    .cte("taken")
)
_MORE: Final = _TAKEN.alias("more")
_GONE: Final = Read(
    select(
        select(_TAKEN.c.begins)
        .where(
            select(func.count())
            .select_from(_MORE)
            .where(
                _MORE.c.period.op("@>")(
                    func.greatest(_TAKEN.c.begins, func.lower(_QUOTED.c.period))
                )
            )
            .correlate(_TAKEN, _QUOTED)
            .scalar_subquery()
            >= select(func.count()).select_from(_OF_CLASS).scalar_subquery()
        )
        .correlate(_QUOTED)
        .exists()
        .label("gone")
    ).select_from(_QUOTED)
)


async def refuse_gone(session: AsyncSession, quote_id: UUID) -> None:
    """Refuse a quote for a time at which every car of its class is taken: one statement, before
    anything else is read, since that is what most hear while many want the same cars.

    A quote that was booked is not refused, nor one whose cars seem to be gone for no more than
    the cleaning between two hires; booking it has the last word.

    Raises:
        VehicleUnavailable: every car is taken, and moving bookings would free none.
    """
    found = await _GONE.one_or_none(session, quote_id=quote_id)
    if found is not None and found["gone"]:
        raise VehicleUnavailable


def asked(period: Range[datetime], journey: Journey) -> dict[str, Any]:
    """What the conditions ask about ``period`` and the branches of a ``journey``."""
    now = clock.now()
    soon = period.lower is not None and period.lower < now + LATE_HORIZON
    when = {"period": period, "late_before": now if soon else _NOBODY_IS_LATE}
    return when | journey._asdict()


async def free_vehicles(
    session: AsyncSession,
    class_id: UUID,
    period: Range[datetime],
    journey: Journey,
    *,
    salt: str = "",
) -> Sequence[UUID]:
    """Cars of the class that seem free for ``period``, shuffled by ``salt``."""
    given = asked(period, journey) | {"class_id": class_id, "salt": salt}
    return (await session.scalars(FREE, given)).all()


async def free_by_class(
    session: AsyncSession, period: Range[datetime], journey: Journey
) -> Sequence[tuple[VehicleClass, int]]:
    """Every class on offer and how many of its cars seem free."""
    free = (
        select(Vehicle.class_id, func.count().label("free"))
        .where(Vehicle.status == "available", IS_FREE)
        .group_by(Vehicle.class_id)
        .subquery()
    )
    query = (
        select(VehicleClass, func.coalesce(free.c.free, 0))
        .outerjoin(free, free.c.class_id == VehicleClass.id)
        .where(VehicleClass.on_offer)
        .order_by(VehicleClass.id)
    )
    rows = await session.execute(query, asked(period, journey))
    return [(row[0], row[1]) for row in rows.all()]

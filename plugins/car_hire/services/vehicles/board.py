"""The status board: what every car does now and next, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import clock
from core.i18n import LazyText, _
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import (
    Block,
    Booking,
    Customer,
    Hire,
    Occupancy,
    Vehicle,
    VehicleClass,
)

STATES: Final[Mapping[str, LazyText]] = {
    "late": _("Late"),
    "out": _("On hire"),
    "booked": _("Booked for today"),
    "available": _("Available"),
    "cleaning": _("In cleaning"),
    "maintenance": _("In maintenance"),
    "transfer": _("In transfer"),
    "retired": _("Retired"),
}
COLORS: Final[Mapping[str, str]] = {
    "late": "red",
    "out": "blue",
    "booked": "yellow",
    "available": "green",
    "cleaning": "teal",
    "maintenance": "orange",
    "transfer": "purple",
}
PAGE_SIZE: Final = 50
_Out = aliased(Booking, name="is_out")
_Now = aliased(Occupancy, name="taken_now")
_NowBlock = aliased(Block, name="block_now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a car is spoken for: a booking or a block, and whose."""

    booking: Booking | None
    block: Block | None
    customer: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One car on the board."""

    vehicle: Vehicle
    class_name: str
    state: str
    now: Doing | None
    next: Doing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cars are shown; those that were retired only when asked for."""

    branch_id: UUID | None = None
    class_id: UUID | None = None
    state: str = ""


async def counts(session: AsyncSession, wanted: Wanted) -> dict[str, int]:
    """How many cars are in each state, whichever state was chosen."""
    state = await _state(session)
    query = _narrowed(_from(select(state, func.count())), wanted).group_by(state)
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def page(session: AsyncSession, wanted: Wanted, after: UUID | None = None) -> list[Row]:
    """A page of cars, one more than fits: three statements, whatever the fleet."""
    state, now = await _state(session), clock.now()
    following = (
        select(Occupancy.id)
        .where(Occupancy.vehicle_id == Vehicle.id, func.lower(Occupancy.period) > now)
        .order_by(func.lower(Occupancy.period))
        .limit(1)
        .correlate(Vehicle)
        .scalar_subquery()
    )
    query = _from(
        select(Vehicle, VehicleClass.name, state, func.coalesce(_Out.id, _Now.id), following)
    )
    query = _narrowed(query.join(VehicleClass, VehicleClass.id == Vehicle.class_id), wanted)
    if wanted.state:
        query = query.where(state == wanted.state)
    else:
        query = query.where(Vehicle.status != "retired")
    if after:
        query = query.where(Vehicle.id > after)
    rows = (await session.execute(query.order_by(Vehicle.id).limit(PAGE_SIZE + 1))).all()
    doing = await _doing(session, (each for row in rows for each in (row[3], row[4])))
    return [
        Row(
            vehicle=car, class_name=name, state=found, now=doing.get(present),
            next=doing.get(coming),
        )
        for car, name, found, present, coming in rows
    ]  # fmt: skip


def _from(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """With the hire that a car is on, and what it is spoken for just now."""
    here = and_(_Now.vehicle_id == Vehicle.id, _Now.period.op("@>")(literal(clock.now())))
    return (
        query.select_from(Vehicle)
        .outerjoin(_Out, and_(_Out.vehicle_id == Vehicle.id, _Out.state == "out"))
        .outerjoin(_Now, here)
        .outerjoin(_NowBlock, _NowBlock.id == _Now.block_id)
    )


def _narrowed(query: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    if wanted.branch_id:
        query = query.where(Vehicle.branch_id == wanted.branch_id)
    if wanted.class_id:
        query = query.where(Vehicle.class_id == wanted.class_id)
    return query


async def _state(session: AsyncSession) -> ColumnElement[str]:
    """In which state a car is, the most urgent first."""
    tenant: Tenant = session.info["tenant"]
    rules, now = await policy.read(session), clock.now()
    midnight = clock.local(now, tenant.zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    tomorrow = clock.from_wall(midnight + timedelta(days=1), tenant.zone)
    overdue = (
        select(Block.id)
        .where(
            Block.vehicle_id == Vehicle.id,
            Block.to_branch_id.is_not(None),
            Block.arrived_at.is_(None),
            ~Block.ended_early,
            Block.starts_at <= now,
        )
        .correlate(Vehicle)
        .exists()
    )
    came_back = (
        select(Hire.id)
        .where(Hire.vehicle_id == Vehicle.id, Hire.returned_at > now - rules.buffer)
        .correlate(Vehicle)
        .exists()
    )
    today = (
        select(Occupancy.id)
        .where(
            Occupancy.vehicle_id == Vehicle.id,
            Occupancy.booking_id.is_not(None),
            Occupancy.period.op("&&")(func.tstzrange(now, tomorrow)),
        )
        .correlate(Vehicle)
        .exists()
    )
    booked = Booking.__table__.c  # of every branch, also where only one's bookings are shown
    out = (
        select(booked.id)
        .where(booked.vehicle_id == Vehicle.id, booked.state == "out")
        .correlate(Vehicle)
    )
    return case(
        (Vehicle.status == "retired", "retired"),
        (out.where(booked.ends_at < now).exists(), "late"),
        (out.exists(), "out"),
        (overdue, "transfer"),
        (Vehicle.status == "maintenance", "maintenance"),
        (_NowBlock.id.is_not(None), "maintenance"),
        (came_back, "cleaning"),
        (today, "booked"),
        else_="available",
    )


async def _doing(session: AsyncSession, ids: Iterable[UUID | None]) -> dict[UUID | None, Doing]:
    """Bookings and blocks by their ids, which are those of their occupancies."""
    wanted: Sequence[UUID] = [each for each in ids if each is not None]
    booked = (
        select(Booking, Customer.name)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(Booking.id.in_(wanted))
    )
    found: dict[UUID | None, Doing] = {
        booking.id: Doing(
            booking=booking, block=None, customer=name,
            starts_at=booking.starts_at, ends_at=booking.ends_at,
        )
        for booking, name in (await session.execute(booked)).all()
    }  # fmt: skip
    for block in await session.scalars(select(Block).where(Block.id.in_(wanted))):
        found[block.id] = Doing(
            booking=None, block=block, customer="",
            starts_at=block.starts_at, ends_at=block.ends_at,
        )  # fmt: skip
    return found

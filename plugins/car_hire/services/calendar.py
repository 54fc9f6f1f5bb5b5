"""The calendar as people see it: cars by days, and who can have which car from now on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.i18n import LazyText, gettext
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import (
    BLOCK_REASONS,
    Block,
    Booking,
    Customer,
    Occupancy,
    Vehicle,
    VehicleClass,
    states,
)
from plugins.car_hire.schemas_promotions import PriceChoices
from plugins.car_hire.services import availability, occupying, quotes
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.extras import choosing, glancing
from plugins.car_hire.services.extras.glancing import Glance
from plugins.car_hire.services.occupying import Period
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.quotes import Offer

CARS: Final = 40
"""On one page, whatever the size of the fleet."""
SPANS: Final = ("14", "31")
"""How many days a page may show."""
HALVES: Final = 2
"""Columns of a day: a car that comes back in the morning can leave in the afternoon."""
FREE_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A run of half days of one car: free, or spoken for by a booking or a block."""

    width: int
    text: LazyText | str = ""
    color: str = ""
    href: str | None = None
    pinned: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One car and its cells, which add up to the width of the page."""

    vehicle: Vehicle
    class_name: str
    cells: Sequence[Cell]


async def lines(
    session: AsyncSession,
    first: date,
    days: int,
    *,
    class_id: UUID | None = None,
    branch_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    after: UUID | None = None,
) -> list[Line]:
    """A page of cars with what they are spoken for, one car more than fits: two queries."""
    query = (
        select(Vehicle, VehicleClass.name)
        .join(VehicleClass, VehicleClass.id == Vehicle.class_id)
        .where(Vehicle.status != "retired")
        .order_by(Vehicle.id)
        .limit(CARS + 1)
    )
    if class_id:
        query = query.where(Vehicle.class_id == class_id)
    if branch_id:
        query = query.where(Vehicle.branch_id == branch_id)
    if vehicle_id:
        query = query.where(Vehicle.id == vehicle_id)
    if after:
        query = query.where(Vehicle.id > after)
    cars = (await session.execute(query)).all()
    taken = await _taken(session, [row[0].id for row in cars], _shown(session, first, days))
    grid = _Grid(first, days, _zone(session))
    return [Line(car, name, grid.cells(taken.get(car.id, []))) for car, name in cars]


def _zone(session: AsyncSession) -> str:
    tenant: Tenant = session.info["tenant"]
    return tenant.zone


def _shown(session: AsyncSession, first: date, days: int) -> Period:
    zone = _zone(session)
    ends = [datetime.combine(first + timedelta(days=n), time()) for n in (0, days)]
    return Range(*(clock.from_wall(each, zone) for each in ends), bounds="[)")


async def _taken(
    session: AsyncSession, vehicle_ids: Sequence[UUID], period: Period
) -> dict[UUID, list[Cell]]:
    """By car what takes it, in order; the widths are still to be found."""
    query = (
        select(Occupancy.vehicle_id, Occupancy.period, Booking, Customer.name, Block)
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .outerjoin(Customer, Customer.id == Booking.customer_id)
        .outerjoin(Block, Block.id == Occupancy.block_id)
        .where(Occupancy.vehicle_id.in_(vehicle_ids), Occupancy.period.overlaps(period))
        .order_by(func.lower(Occupancy.period), Occupancy.id)
    )
    found: dict[UUID, list[Cell]] = {}
    for vehicle_id, period, booking, name, block in (await session.execute(query)).all():
        hidden = booking is None and block is None
        cell = _elsewhere(vehicle_id, period) if hidden else _cell(booking, name, block)
        found.setdefault(vehicle_id, []).append(cell)
    return found


def _elsewhere(vehicle_id: UUID, period: Period) -> Cell:
    """A booking that is not for whoever is asking to see, but takes the car all the same."""
    return Cell(
        width=0,
        text=gettext("a booking of another branch"),
        color="secondary",
        href=f"/car-hire/desk/fleet/{vehicle_id}",
        starts_at=period.lower,
        ends_at=period.upper,
    )


def _cell(booking: Booking | None, name: str, block: Block | None) -> Cell:
    if block is not None:
        return Cell(
            width=0,
            text=BLOCK_REASONS[block.reason],
            color="purple" if block.to_branch_id else "secondary",
            href="/car-hire/desk/fleet/transfers"
            if block.to_branch_id
            else f"/car-hire/desk/fleet/{block.vehicle_id}",
            starts_at=block.starts_at,
            ends_at=block.ends_at,
        )
    assert booking is not None
    is_late = booking.state == "out" and booking.ends_at < clock.now()
    return Cell(
        width=0,
        text=name,
        color="red" if is_late else states.STATE_COLORS[booking.state],
        href=f"/car-hire/desk/bookings/{booking.id}",
        pinned=booking.pinned,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Days from ``first`` on, by the clock of ``zone``."""

    first: date
    days: int
    zone: str

    def cells(self, taken: Iterable[Cell]) -> list[Cell]:
        """What takes a car with the free time between, cut to the page; of two in one half day
        the later one is shown a half day later, if there is room."""
        made: list[Cell] = []
        at, end = 0, self.days * HALVES
        for each in taken:
            assert each.starts_at is not None
            assert each.ends_at is not None
            begins = max(self._column(each.starts_at), at)
            ends = min(max(self._column(each.ends_at - timedelta(minutes=1)) + 1, begins + 1), end)
            if ends <= begins:
                continue
            if begins > at:
                made.append(Cell(width=begins - at))
            made.append(_wide(each, ends - begins))
            at = ends
        if at < end:
            made.append(Cell(width=end - at))
        return made

    def _column(self, moment: datetime) -> int:
        wall = clock.local(moment, self.zone)
        return (wall.date() - self.first).days * HALVES + (wall.hour >= 12)


def _wide(cell: Cell, width: int) -> Cell:
    return Cell(
        width=width,
        text=cell.text,
        color=cell.color,
        href=cell.href,
        pinned=cell.pinned,
        starts_at=cell.starts_at,
        ends_at=cell.ends_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeCar:
    """A car that can leave now, and until when nobody else wants it."""

    vehicle: Vehicle
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkIn:
    """What somebody at the counter can have from now until they bring it back."""

    starts_at: datetime
    ends_at: datetime
    journey: Journey
    offers: Sequence[Offer]
    cars: dict[UUID, list[FreeCar]]
    """By class."""
    glance: Glance


async def walk_in(
    session: AsyncSession,
    ends_at: datetime,
    pick_up_branch_id: UUID | None = None,
    return_branch_id: UUID | None = None,
    choices: PriceChoices = choosing.NOTHING,
) -> WalkIn:
    """Classes with their prices, ``choices`` included, and the cars of each that are free from now
    until ``ends_at``.

    Raises:
        Invalid: the time has passed, or is too far away, or the code is none.
        UsedUp: every use of the code is taken.
        ExtraUnavailable: there are not enough of an extra then.
    """
    now = clock.now().replace(second=0, microsecond=0)
    branches = await network.read(session)
    journey = branches.journey(pick_up_branch_id, return_branch_id)
    offers = await quotes.search(session, now, ends_at, journey=journey)
    rules = await policy.read(session)
    period = occupying.blocked(now, ends_at, rules.buffer)
    asked = quotes.asked_for(session, now, ends_at)
    asked = branches.asked(asked, journey, (await current.read(session)).house)
    glance = await glancing.over(session, offers, asked, journey, period, choices)
    following = (
        select(func.min(func.lower(Occupancy.period)))
        .where(Occupancy.vehicle_id == Vehicle.id, func.lower(Occupancy.period) > now)
        .correlate(Vehicle)
        .scalar_subquery()
    )
    query = (
        select(Vehicle, following)
        .where(Vehicle.status == "available", availability.IS_FREE)
        .order_by(Vehicle.class_id, following.desc().nulls_first(), Vehicle.plate)
        .limit(FREE_SHOWN)
    )
    cars: dict[UUID, list[FreeCar]] = {}
    for car, next_at in (await session.execute(query, availability.asked(period, journey))).all():
        cars.setdefault(car.class_id, []).append(FreeCar(vehicle=car, next_at=next_at))
    return WalkIn(
        starts_at=now, ends_at=ends_at, journey=journey, offers=offers, cars=cars, glance=glance
    )

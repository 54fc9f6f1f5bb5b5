"""What the owner wants to know of a stretch of days: use, revenue, length, lead time, channel.

Figures are few statements over the bookings that began in the range, by their index on
``starts_at``, however many there are. Revenue is what was agreed, tax included, of bookings whose
car was handed over, and is of the day of the pick-up in the tenant's zone; what returns added
stands by itself, on the day of the return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, case, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import FieldError, Invalid
from core.i18n import LazyText, _
from core.money import Money
from core.scope import Tenant
from plugins.car_hire.models import BillLine, Booking, Hire, Vehicle, VehicleClass
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.quotes import LONGEST

MOST_DAYS: Final = 400
DRIVEN: Final = ("out", "returned", "closed")
LENGTHS: Final[dict[str, LazyText]] = {
    "1": _("up to a day"), "2": _("2 to 3 days"), "3": _("4 to 6 days"),
    "4": _("a week, or nearly two"), "5": _("two weeks and more"),
}  # fmt: skip
LEADS: Final[dict[str, LazyText]] = {
    "1": _("on the day"), "2": _("a day to a week before"), "3": _("up to a month before"),
    "4": _("more than a month before"),
}  # fmt: skip
CHANNELS: Final[dict[str, LazyText]] = {
    "site": _("Site"), "desk": _("Desk"), "api": _("Programs"),
}  # fmt: skip
_DAY: Final = timedelta(days=1)
Counted = dict[str, tuple[int, Decimal]]
"""How many hires there are of each name, and what they brought."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the first up to and with the last day, and the moments at which they begin and end."""

    first: date
    last: date
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """One row of a report: how many hires, and what they brought."""

    name: LazyText | str
    hires: int
    revenue: Money


@dataclass(frozen=True, slots=True)
class Hired:
    """Hires of a class that touch the same days of a range, of which ``first`` and ``last`` are
    places: together, their beginnings and ends there in seconds since 1970, and how many began in
    the range, with what they brought."""

    class_id: UUID
    first: int
    last: int
    count: int
    began: float
    ended: float
    begun: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class OfClass(Share):
    """A class; ``used`` is the share of its cars' time that was hired, from 0 to 1."""

    cars: int
    used: float


@dataclass(frozen=True, slots=True)
class OfDay(Share):
    """A day; ``used`` is the share of the fleet's time that was hired, from 0 to 1."""

    used: float

    @property
    def day(self) -> date:
        """Which day; its name is for programs."""
        return date.fromisoformat(str(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything of a range."""

    range: Range
    classes: Sequence[OfClass]
    days: Sequence[OfDay]
    lengths: Sequence[Share]
    leads: Sequence[Share]
    channels: Sequence[Share]
    total: Share
    damage: Money
    added: Money
    """What returns in the range added to their bills, damage included."""
    unpaid: Money
    """What is owed now: at pick-ups to come, and of returns that are not settled."""

    @property
    def used(self) -> float:
        """The share of the whole fleet's time that was hired."""
        cars = sum(each.cars for each in self.classes)
        return sum(each.used * each.cars for each in self.classes) / cars if cars else 0.0


def range_of(tenant: Tenant, first: date | None, last: date | None) -> Range:
    """The days asked for; without them the last thirty.

    Raises:
        Invalid: they are the wrong way round, or too many.
    """
    last = last or clock.today(tenant.zone)
    first = first or last - 29 * _DAY
    if last < first:
        raise Invalid(errors=[FieldError("last", _("This day is before the first"))])
    if (last - first).days >= MOST_DAYS:
        raise Invalid(errors=[FieldError("first", _("Choose 400 days at most"))])
    return Range(first, last, _midnight(first, tenant), _midnight(last + _DAY, tenant))


def _midnight(day: date, tenant: Tenant) -> datetime:
    return clock.from_wall(datetime.combine(day, time()), tenant.zone)


async def read(session: AsyncSession, asked: Range) -> Report:
    """The figures of a range, in five statements."""
    tenant: Tenant = session.info["tenant"]
    unit = tenant.currency
    shares = await _shares(session, asked, tenant.zone)
    damage, added = await _added(session, asked)
    every = [asked.first + n * _DAY for n in range((asked.last - asked.first).days + 1)]
    midnights = [*(_midnight(each, tenant) for each in every), asked.ends]
    hired = await _hired(session, asked, midnights)
    classes = await _classes(session, asked, hired, unit)
    used = _used(hired, midnights, sum(each.cars for each in classes))
    days = [_share(str(each), shares["day"], str(each), unit) for each in every]
    return Report(
        range=asked,
        classes=classes,
        days=[
            OfDay(day.name, day.hires, day.revenue, share)
            for day, share in zip(days, used, strict=True)
        ],
        lengths=_listed(shares["length"], LENGTHS, unit),
        leads=_listed(shares["lead"], LEADS, unit),
        channels=_listed(shares["channel"], CHANNELS, unit),
        total=Share(
            _("Together"),
            sum(each.hires for each in days),
            sum((each.revenue for each in days), Money.zero(unit)),
        ),
        damage=Money(damage, unit),
        added=Money(added, unit),
        unpaid=Money(await _unpaid(session), unit),
    )


def _bucket(value: ColumnElement[Any], *bounds: int) -> ColumnElement[str]:
    """``1`` up to the first bound, ``2`` up to the second, and one more beyond the last."""
    steps = [(value <= bound, literal(str(n))) for n, bound in enumerate(bounds, start=1)]
    return case(*steps, else_=literal(str(len(bounds) + 1)))


def _began(asked: Range) -> tuple[ColumnElement[bool], ...]:
    begun = Booking.starts_at >= asked.begins, Booking.starts_at < asked.ends
    return (*begun, Booking.state.in_(DRIVEN))


async def _shares(session: AsyncSession, asked: Range, zone: str) -> Mapping[str, Counted]:
    """Hires that began in the range by day, length, lead and channel, in one scan."""
    length = func.extract("epoch", Booking.ends_at - Booking.starts_at) / 86400
    lead = func.extract("epoch", Booking.starts_at - Booking.created_at) / 86400
    began = (
        select(
            cast(func.date(func.timezone(zone, Booking.starts_at)), Text).label("day"),
            _bucket(length, 1, 3, 6, 13).label("length"),
            _bucket(lead, 1, 7, 31).label("lead"),
            Booking.channel.label("channel"),
            Booking.gross,
        )
        .where(*_began(asked))
        .subquery()
    )
    keys = (began.c.day, began.c.length, began.c.lead, began.c.channel)
    query = select(*keys, func.count(), func.sum(began.c.gross))
    found: dict[str, Counted] = {key.name: {} for key in keys}
    for *names, count, revenue in await session.execute(query.group_by(func.grouping_sets(*keys))):
        key, name = next((key, name) for key, name in zip(keys, names, strict=True) if name)
        found[key.name][name] = (count, revenue)
    return found


def _listed(found: Counted, titles: Mapping[str, LazyText], unit: str) -> list[Share]:
    return [_share(title, found, name, unit) for name, title in titles.items()]


def _share(title: LazyText | str, found: Counted, name: str, unit: str) -> Share:
    count, revenue = found.get(name, (0, Decimal(0)))
    return Share(title, count, Money(revenue, unit))


async def _classes(
    session: AsyncSession, asked: Range, hired: Sequence[Hired], unit: str
) -> list[OfClass]:
    """By class: cars, hires and revenue, and how much of the cars' time was hired."""
    cars = await session.execute(
        select(VehicleClass.id, VehicleClass.name, func.count(Vehicle.id))
        .outerjoin(
            Vehicle, (Vehicle.class_id == VehicleClass.id) & (Vehicle.status != "retired")
        )
        .group_by(VehicleClass.id)
        .order_by(VehicleClass.name)
    )  # fmt: skip
    whole = (asked.ends - asked.begins).total_seconds()
    made = []
    for class_id, name, count in cars:
        own = [each for each in hired if each.class_id == class_id]
        seconds = sum(each.ended - each.began for each in own)
        used = min(seconds / (whole * count), 1.0) if count else 0.0
        revenue = Money(sum((each.revenue for each in own), Decimal(0)), unit)
        made.append(OfClass(name, sum(each.begun for each in own), revenue, count, used))
    return made


async def _hired(session: AsyncSession, asked: Range, midnights: Sequence[datetime]) -> list[Hired]:
    """What was hired in the range, in one scan: alike are hires of a class that touch the same
    days, of which there are few, however many hires."""
    began = func.greatest(Booking.starts_at, asked.begins)
    ended = func.least(Booking.ends_at, asked.ends)
    days = cast(midnights, ARRAY(DateTime(timezone=True)))
    first, last = func.width_bucket(began, days), func.width_bucket(ended, days)
    begun = Booking.starts_at >= asked.begins
    query = (
        select(
            Booking.class_id,
            first.label("first"),
            last.label("last"),
            func.count(),
            func.sum(func.extract("epoch", began)),
            func.sum(func.extract("epoch", ended)),
            func.count().filter(begun),
            func.coalesce(func.sum(Booking.gross).filter(begun), Decimal(0)),
        )
        .where(
            # None is longer than the longest, so the index need not be read from its beginning.
            Booking.starts_at > asked.begins - LONGEST,
            Booking.starts_at < asked.ends,
            Booking.ends_at > asked.begins,
            Booking.state.in_(DRIVEN),
        )
        .group_by(Booking.class_id, "first", "last")
    )
    return [
        Hired(class_id, first - 1, last - 1, count, float(began), float(ended), begun, revenue)
        for class_id, first, last, count, began, ended, begun, revenue in (
            await session.execute(query)
        )
    ]


def _used(hired: Sequence[Hired], midnights: Sequence[datetime], cars: int) -> list[float]:
    """Which share of ``cars``' time was hired on each day, as long as the clocks have it; a hire
    counts on each day that it touches."""
    at = [each.timestamp() for each in midnights]
    seconds = [0.0] * len(at)  # the last stands for what ends at the very end
    for each in hired:
        if each.first == each.last:
            seconds[each.first] += each.ended - each.began
            continue
        seconds[each.first] += each.count * at[each.first + 1] - each.began
        for day in range(each.first + 1, each.last):
            seconds[day] += each.count * (at[day + 1] - at[day])
        seconds[each.last] += each.ended - each.count * at[each.last]
    lengths = [after - before for before, after in pairwise(at)]
    return [
        min(found / (length * cars), 1.0) if cars else 0.0
        for found, length in zip(seconds, lengths, strict=False)
    ]


async def _added(session: AsyncSession, asked: Range) -> tuple[Decimal, Decimal]:
    """Of returns in the range: what damage cost, and what was added in all."""
    is_damage = BillLine.rule.startswith(rules.DAMAGE)
    query = (
        select(
            func.coalesce(func.sum(BillLine.gross).filter(is_damage), Decimal(0)),
            func.coalesce(func.sum(BillLine.gross), Decimal(0)),
        )
        .join(Hire, Hire.id == BillLine.hire_id)
        .where(Hire.returned_at >= asked.begins, Hire.returned_at < asked.ends)
    )
    damage, added = (await session.execute(query)).one()
    return damage, added


async def _unpaid(session: AsyncSession) -> Decimal:
    coming = select(func.coalesce(func.sum(Booking.gross), Decimal(0))).where(
        Booking.state == "confirmed", Booking.owed_at_pick_up
    )
    returned = (
        select(func.coalesce(func.sum(func.greatest(Hire.billed, 0)), Decimal(0)))
        .join(Booking, Booking.id == Hire.booking_id)
        .where(Hire.state == "returned", Hire.settled_at.is_(None))
    )
    both = select(coming.scalar_subquery() + returned.scalar_subquery())
    owed: Decimal = (await session.scalars(both)).one()
    return owed

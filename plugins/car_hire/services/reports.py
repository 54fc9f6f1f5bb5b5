"""What the owner wants to know of a stretch of days: use, revenue, length, lead time, channel.

Every figure is one statement over the bookings that began in the range, by their index on
``starts_at``, however many there are. Revenue is what was agreed, tax included, of bookings whose
car was handed over, and is of the day of the pick-up in the tenant's zone; what returns added
stands by itself, on the day of the return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, Text, case, cast, func, literal, select
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
class OfClass(Share):
    """A class; ``used`` is the share of its cars' time that was hired, from 0 to 1."""

    cars: int
    used: float


@dataclass(frozen=True, slots=True)
class OfDay(Share):
    """A day; ``used`` is the share of the fleet's time that was hired, from 0 to 1."""

    used: float


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
    """The figures of a range, in ten statements."""
    tenant: Tenant = session.info["tenant"]
    unit = tenant.currency
    day = cast(func.date(func.timezone(tenant.zone, Booking.starts_at)), Text)
    days = await _shares(session, asked, day, None, unit)
    by_day = {str(each.name): each for each in days}
    length = func.extract("epoch", Booking.ends_at - Booking.starts_at) / 86400
    lead = func.extract("epoch", Booking.starts_at - Booking.created_at) / 86400
    damage, added = await _added(session, asked)
    every = [asked.first + n * _DAY for n in range((asked.last - asked.first).days + 1)]
    nothing = Money.zero(unit)
    classes = await _classes(session, asked, unit)
    used = await _used(session, asked, tenant.zone, sum(each.cars for each in classes))
    return Report(
        range=asked,
        classes=classes,
        days=[_of_day(each, by_day, used, nothing) for each in every],
        lengths=await _shares(session, asked, _bucket(length, 1, 3, 6, 13), LENGTHS, unit),
        leads=await _shares(session, asked, _bucket(lead, 1, 7, 31), LEADS, unit),
        channels=await _shares(session, asked, Booking.channel, CHANNELS, unit),
        total=Share(
            _("Together"),
            sum(each.hires for each in days),
            sum((each.revenue for each in days), nothing),
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


async def _shares(
    session: AsyncSession,
    asked: Range,
    key: ColumnElement[Any] | Any,
    titles: dict[str, LazyText] | None,
    unit: str,
) -> list[Share]:
    part = key.label("part")
    query = select(part, func.count(), func.sum(Booking.gross)).where(*_began(asked))
    found = {
        str(name): (count, Money(revenue, unit))
        for name, count, revenue in await session.execute(query.group_by("part").order_by("part"))
    }
    if titles is None:
        return [Share(name, *each) for name, each in found.items()]
    nothing = (0, Money.zero(unit))
    return [Share(title, *found.get(name, nothing)) for name, title in titles.items()]


async def _classes(session: AsyncSession, asked: Range, unit: str) -> list[OfClass]:
    """By class: cars, hires and revenue, and how much of the cars' time was hired."""
    cars = await session.execute(
        select(VehicleClass.id, VehicleClass.name, func.count(Vehicle.id))
        .outerjoin(
            Vehicle, (Vehicle.class_id == VehicleClass.id) & (Vehicle.status != "retired")
        )
        .group_by(VehicleClass.id)
        .order_by(VehicleClass.name)
    )  # fmt: skip
    hired = func.least(Booking.ends_at, asked.ends) - func.greatest(Booking.starts_at, asked.begins)
    began = Booking.starts_at >= asked.begins
    query = (
        select(
            Booking.class_id,
            func.count().filter(began),
            func.coalesce(func.sum(Booking.gross).filter(began), Decimal(0)),
            func.sum(func.extract("epoch", hired)),
        )
        .where(
            # None is longer than the longest, so the index need not be read from its beginning.
            Booking.starts_at > asked.begins - LONGEST,
            Booking.starts_at < asked.ends,
            Booking.ends_at > asked.begins,
            Booking.state.in_(DRIVEN),
        )
        .group_by(Booking.class_id)
    )
    found = {
        class_id: (hires, revenue, float(seconds))
        for class_id, hires, revenue, seconds in await session.execute(query)
    }
    whole = (asked.ends - asked.begins).total_seconds()
    made = []
    for class_id, name, count in cars:
        hires, revenue, seconds = found.get(class_id, (0, Decimal(0), 0.0))
        used = min(seconds / (whole * count), 1.0) if count else 0.0
        made.append(OfClass(name, hires, Money(revenue, unit), count, used))
    return made


def _of_day(
    day: date, shares: Mapping[str, Share], used: Mapping[date, float], nothing: Money
) -> OfDay:
    found = shares.get(str(day)) or Share(str(day), 0, nothing)
    return OfDay(found.name, found.hires, found.revenue, used.get(day, 0.0))


async def _used(session: AsyncSession, asked: Range, zone: str, cars: int) -> dict[date, float]:
    """Which share of ``cars``' time was hired on each day, as long as the clocks of ``zone`` have
    it; a hire counts on each day that it touches."""
    touched = (
        select(
            func.generate_series(
                func.date_trunc("day", func.timezone(zone, Booking.starts_at)),
                func.timezone(zone, Booking.ends_at),
                _DAY,
            ).label("midnight"),
            Booking.starts_at,
            Booking.ends_at,
        )
        .where(
            Booking.starts_at > asked.begins - LONGEST,
            Booking.starts_at < asked.ends,
            Booking.ends_at > asked.begins,
            Booking.state.in_(DRIVEN),
        )
        .subquery()
    )
    begins = func.timezone(zone, touched.c.midnight)
    ends = func.timezone(zone, touched.c.midnight + _DAY)
    hired = func.least(touched.c.ends_at, ends) - func.greatest(touched.c.starts_at, begins)
    share = func.extract("epoch", hired) / func.extract("epoch", ends - begins)
    day = cast(touched.c.midnight, Date)
    query = (
        select(day, func.sum(func.greatest(share, 0)))
        .where(day >= asked.first, day <= asked.last)
        .group_by(day)
    )
    found = (await session.execute(query)).all() if cars else ()
    return {each: min(float(hours) / cars, 1.0) for each, hours in found}


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

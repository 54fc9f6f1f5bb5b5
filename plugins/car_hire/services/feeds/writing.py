"""A feed as calendar programs read it (RFC 5545). Times are UTC, which is one moment whatever the
reader's program knows of zones; the business's zone is told beside them.

The same bookings are the same bytes, so that a program that asks again is told that nothing
changed: an event is stamped by when it was booked, and numbered by how often it changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from icalendar import Calendar, Event, vUri
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, mail
from core.i18n import gettext
from core.scope import Tenant
from plugins.car_hire.models import Booking, CalendarFeed, Customer, Vehicle, VehicleClass
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.diary import PRODUCT, event

BACK: Final = timedelta(days=31)
AHEAD: Final = timedelta(days=366)
MOST: Final = 2000
"""Bookings in a feed: what is nearest, of a business that has more."""
AT_THE_DESK: Final = timedelta(minutes=30)
"""How long a pick-up or a return is shown to take."""
OPEN: Final = ("confirmed", "out")


class Row(NamedTuple):
    """A booking with what a feed may tell of it."""

    booking: Booking
    chosen: VehicleClass
    plate: str
    customer: str
    phone: str


async def written(session: AsyncSession, feed: CalendarFeed) -> bytes:
    """The whole calendar, in the language that is being read."""
    tenant: Tenant = session.info["tenant"]
    names = (await network.read(session)).told
    rows = [Row(*row) for row in await session.execute(_query(tenant, feed))]
    if feed.customer_id is not None:
        events: Iterable[Event] = (_own(tenant, row) for row in rows)
    else:
        events = (made for row in rows for made in _of_desk(tenant, feed, row, names))
    title = tenant.name if feed.customer_id else f"{tenant.name}: {feed.title}"
    return _calendar(tenant, title, events)


def _query(tenant: Tenant, feed: CalendarFeed) -> Select[*tuple[Any, ...]]:
    # From midnight on: with every minute another booking could fall out, for no reader's good.
    today = clock.today(tenant.zone)
    midnight = clock.from_wall(datetime(today.year, today.month, today.day), tenant.zone)  # noqa: DTZ001  # the wall's
    query = (
        select(Booking, VehicleClass, Vehicle.plate, Customer.name, Customer.phone)
        .join(VehicleClass, VehicleClass.id == Booking.class_id)
        .join(Vehicle, Vehicle.id == Booking.vehicle_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(Booking.state.in_(OPEN), *_of(feed))
        .order_by(Booking.starts_at, Booking.id)
        .limit(MOST)
    )
    # A car that is out stays in the feed however long ago it left.
    late = or_(Booking.starts_at >= midnight - BACK, Booking.state == "out")
    return query.where(late, Booking.starts_at < midnight + AHEAD)


def _of(feed: CalendarFeed) -> Iterator[ColumnElement[bool]]:
    if feed.customer_id is not None:
        yield Booking.customer_id == feed.customer_id
    if feed.branch_id is not None:
        branch_id = feed.branch_id
        yield or_(Booking.pick_up_branch_id == branch_id, Booking.return_branch_id == branch_id)
    if feed.class_id is not None:
        yield Booking.class_id == feed.class_id
    if feed.vehicle_id is not None:
        yield Booking.vehicle_id == feed.vehicle_id


def _own(tenant: Tenant, row: Row) -> Event:
    made = event(tenant, row.booking, row.chosen, stamped=row.booking.created_at)
    made.add("status", "CONFIRMED")
    return made


def _of_desk(
    tenant: Tenant, feed: CalendarFeed, row: Row, names: Mapping[UUID, str]
) -> Iterator[Event]:
    booking = row.booking
    ends = (
        ("pick-up", gettext("Pick-up: %(what)s"), booking.starts_at, booking.pick_up_branch_id),
        ("return", gettext("Return: %(what)s"), booking.ends_at, booking.return_branch_id),
    )
    for kind, title, at, branch_id in ends:
        is_over = kind == "pick-up" and booking.state == "out"
        if feed.branch_id in {None, branch_id} and not is_over:
            place = names.get(branch_id, tenant.name)
            yield _moment(tenant, row, kind, title % {"what": _told(feed, row)}, at, place)


def _told(feed: CalendarFeed, row: Row) -> str:
    shown = {"plate": row.plate, "customer": row.customer, "phone": row.phone}
    chosen = [shown[each] for each in shown if each in feed.shows and shown[each]]
    return " · ".join([row.chosen.name, *chosen])


def _moment(tenant: Tenant, row: Row, kind: str, summary: str, at: datetime, place: str) -> Event:
    made = Event()
    made.add("uid", f"{row.booking.id}-{kind}@{tenant.id}")
    made.add("dtstamp", row.booking.created_at)
    made.add("sequence", row.booking.version)
    made.add("dtstart", at)
    made.add("dtend", at + AT_THE_DESK)
    made.add("summary", summary)
    made.add("description", gettext("Booking number: %(number)s") % {"number": row.booking.number})
    made.add("location", place)
    made.add("url", vUri(mail.address_of(f"/car-hire/desk/bookings/{row.booking.id}")))
    return made


def _calendar(tenant: Tenant, title: str, events: Iterable[Event]) -> bytes:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("x-wr-calname", title)
    calendar.add("x-wr-timezone", tenant.zone)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for each in events:
        calendar.add_component(each)
    made: bytes = calendar.to_ical()
    return made

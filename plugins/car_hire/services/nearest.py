"""When a class is taken: the nearest dates on which a car of it is free, and what it costs then.

However many classes are full, it is one statement for the cars and one for the branches' hours.
What the owner's limits refuse on a date is left out before anybody looks for a car.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, Range
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.functions import Function
from sqlalchemy.types import TypeEngine

from core import clock
from core.errors import Invalid
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Vehicle
from plugins.car_hire.services import adding, limits, occupying, pricing, quotes
from plugins.car_hire.services.availability import IS_LATE, LATE_HORIZON, overlaps
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.network import Network
from plugins.car_hire.services.branches.whereabouts import Journey, fits
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.quotes import Offer

FURTHEST: Final = 14
"""Days before and after the dates that were asked for."""
SHOWN: Final = 2
"""How many other dates a class is offered for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Other dates of the same length, on which the class is free."""

    starts_at: datetime
    ends_at: datetime
    priced: pricing.Priced
    days: int
    """By how many days they are earlier (negative) or later."""


def _unnested(name: str, kind: TypeEngine[Any]) -> Function[Any]:
    return func.unnest(bindparam(name, type_=ARRAY(kind)))


# Ordered below a LIMIT, so that PostgreSQL looks at the nearest first and stops at the second.
_DATES: Final = (
    select(
        _unnested("places", Integer()).label("place"),
        _unnested("periods", TSTZRANGE()).label("period"),
    )
    .order_by("place")
    .limit(2 * FURTHEST)
    .subquery("dates")
)
_CLASSES: Final = select(_unnested("class_ids", Uuid()).label("id")).subquery("classes")
_REFUSED: Final = select(
    _unnested("refused_classes", Uuid()).label("class_id"),
    _unnested("refused_places", Integer()).label("place"),
).subquery("refused")
_FREE: Final = (
    select(Vehicle.id)
    .where(
        Vehicle.class_id == _CLASSES.c.id,
        Vehicle.status == "available",
        ~overlaps(_DATES.c.period, _DATES),
        or_(
            func.lower(_DATES.c.period) >= bindparam("horizon", type_=DateTime(timezone=True)),
            ~IS_LATE,
        ),
        fits(_DATES.c.period, _DATES),
    )
    .correlate(_CLASSES, _DATES)
    .exists()
)
_BEYOND_LIMITS: Final = (
    select(_REFUSED.c.place)
    .where(_REFUSED.c.class_id == _CLASSES.c.id, _REFUSED.c.place == _DATES.c.place)
    .correlate(_CLASSES, _DATES)
    .exists()
)
_NEAREST: Final = (
    select(_DATES.c.place)
    .where(~_BEYOND_LIMITS, _FREE)
    .order_by(_DATES.c.place)
    .limit(SHOWN)
    .lateral("nearest")
)
_FOUND: Final = select(_CLASSES.c.id, _NEAREST.c.place).order_by(_NEAREST.c.place)


async def dates(
    session: AsyncSession, offers: Collection[Offer], asked: pricing.Asked, journey: Journey
) -> dict[UUID, list[Near]]:
    """For each class of ``offers`` that is full: when it is free instead, the nearest first.

    ``asked`` has the dates that were wanted.
    """
    full = {each.vehicle_class.id: each for each in offers if not each.free}
    if not full:
        return {}
    shifted = list(_shifted(session, asked.starts_at, asked.ends_at))
    branches = await network.read(session, *(moment for each in shifted for moment in each[1:]))
    possible = [each for each in shifted if _is_possible(branches, journey, *each[1:])]
    rules = await policy.read(session)
    prices = await current.read(session)
    refused = [
        (class_id, place)
        for class_id, offer in full.items()
        for place, (_days, starts_at, ends_at) in enumerate(possible)
        if limits.found(
            session, prices.house, offer.vehicle_class, starts_at, ends_at, rules.grace_minutes
        )
    ]
    given = _given(possible, list(full), refused, rules, journey)
    found: dict[UUID, list[Near]] = {}
    for class_id, place in await session.execute(_FOUND, given):
        days, starts_at, ends_at = possible[place]
        chosen = full[class_id].vehicle_class
        then = branches.asked(quotes.asked_for(session, starts_at, ends_at), journey, prices.house)
        terms = prices.terms(class_id, starts_at, rules)
        priced = await adding.to_quote(session, chosen, terms, then)
        near = Near(starts_at=starts_at, ends_at=ends_at, priced=priced, days=days)
        found.setdefault(class_id, []).append(near)
    return found


def _shifted(
    session: AsyncSession, starts_at: datetime, ends_at: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    """The same hours by the wall clock on other days: a day later, a day earlier, two later …"""
    tenant: Tenant = session.info["tenant"]
    walls = [clock.local(each, tenant.zone).replace(tzinfo=None) for each in (starts_at, ends_at)]
    for distance in range(1, FURTHEST + 1):
        for days in (distance, -distance):
            moved = [clock.from_wall(each + timedelta(days), tenant.zone) for each in walls]
            yield days, moved[0], moved[1]


def _is_possible(
    branches: Network, journey: Journey, starts_at: datetime, ends_at: datetime
) -> bool:
    try:
        quotes.check_dates(starts_at, ends_at)
        branches.refuse_closed(journey, starts_at, ends_at)
    except Invalid:
        return False
    return True


def _given(
    possible: Sequence[tuple[int, datetime, datetime]],
    class_ids: Sequence[UUID],
    refused: Sequence[tuple[UUID, int]],
    rules: policy.Policy,
    journey: Journey,
) -> dict[str, object]:
    periods: list[Range[datetime]] = [
        occupying.blocked(starts_at, ends_at, rules.buffer) for _, starts_at, ends_at in possible
    ]
    now = clock.now()
    return {
        "places": list(range(len(possible))),
        "periods": periods,
        "class_ids": list(class_ids),
        "refused_classes": [class_id for class_id, _place in refused],
        "refused_places": [place for _class_id, place in refused],
        "late_before": now,
        "horizon": now + LATE_HORIZON,
        **journey._asdict(),
    }

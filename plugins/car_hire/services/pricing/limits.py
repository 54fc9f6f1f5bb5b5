"""How long and how far ahead a class may be hired, by the season of the pick-up.

Of several limits that go with a hire the strictest counts. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from core import clock
from plugins.car_hire.services.pricing.lists import HouseRules, Limit, SeasonDates

Kind = Literal["shorter", "longer", "late", "early"]


class Broken(NamedTuple):
    """A limit that a hire does not keep, and the nearest dates that do; ``early`` has none."""

    kind: Kind
    limit: Limit
    season: SeasonDates | None
    starts_at: datetime
    ends_at: datetime


def nearest(found: Sequence[Broken]) -> tuple[datetime, datetime] | None:
    """Dates that keep all of the limits that were found broken; None where it is too early."""
    kinds = {each.kind: each for each in found}
    if not kinds or "early" in kinds:
        return None
    length = kinds.get("shorter") or kinds.get("longer") or found[0]
    begins = kinds.get("late", found[0]).starts_at
    return begins, begins + (length.ends_at - length.starts_at)


def season_on(house: HouseRules, day: date) -> SeasonDates | None:
    """The season in which a day lies: the first of those that share it."""
    return next((each for each in house.seasons if each.first <= day <= each.last), None)


def broken(
    house: HouseRules,
    class_id: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    days: int,
    now: datetime,
    zone: str,
) -> Iterator[Broken]:
    """The limits of a list that a hire of ``days`` charged does not keep; times are aware."""
    season = season_on(house, clock.local(starts_at, zone).date())
    code = season.code if season else ""
    going = [
        each
        for each in house.limits
        if each.class_id in ("", class_id) and each.season in ("", code)
    ]
    for kind, limit in _strictest(going):
        named = season if limit.season else None
        if kind == "shorter" and days < (limit.days_from or 0):
            yield Broken(kind, limit, named, starts_at, _later(starts_at, limit.days_from, zone))
        elif kind == "longer" and days > (limit.days_to or days):
            yield Broken(kind, limit, named, starts_at, _later(starts_at, limit.days_to, zone))
        elif kind == "late" and starts_at < now + timedelta(hours=limit.lead_hours or 0):
            begins = _full_hour(now + timedelta(hours=limit.lead_hours or 0))
            yield Broken(kind, limit, named, begins, begins + (ends_at - starts_at))
        elif kind == "early" and _ahead(starts_at, now, zone) > (limit.lead_days or 0):
            yield Broken(kind, limit, named, starts_at, ends_at)


def _strictest(going: list[Limit]) -> Iterator[tuple[Kind, Limit]]:
    least = [each for each in going if each.days_from is not None]
    most = [each for each in going if each.days_to is not None]
    late = [each for each in going if each.lead_hours is not None]
    early = [each for each in going if each.lead_days is not None]
    if least:
        yield "shorter", max(least, key=lambda each: each.days_from or 0)
    if most:
        yield "longer", min(most, key=lambda each: each.days_to or 0)
    if late:
        yield "late", max(late, key=lambda each: each.lead_hours or 0)
    if early:
        yield "early", min(early, key=lambda each: each.lead_days or 0)


def _later(starts_at: datetime, days: int | None, zone: str) -> datetime:
    """The same time of day so many days later, whatever clocks do meanwhile."""
    wall = clock.local(starts_at, zone).replace(tzinfo=None)
    return clock.from_wall(wall + timedelta(days=days or 0), zone)


def _full_hour(at: datetime) -> datetime:
    begun = at.replace(minute=0, second=0, microsecond=0)
    return begun if begun == at else begun + timedelta(hours=1)


def _ahead(starts_at: datetime, now: datetime, zone: str) -> int:
    return (clock.local(starts_at, zone).date() - clock.local(now, zone).date()).days

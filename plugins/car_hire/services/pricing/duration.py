"""How long a hire is.

A *day* is a period of 24 hours of real (elapsed) time, as the customer has the car for them.
On the night when clocks are set back, "ten o'clock until ten o'clock" is 25 hours, and when
they are set forward, 23. The grace that every tenant sets (60 minutes unless changed) is what
keeps the longer one a single day; with less grace than an hour, that night costs more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

DAY: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)


class Length(NamedTuple):
    """Whole days, and hours begun beyond them: less than a day's."""

    days: int
    hours: int


def started(elapsed: timedelta, unit: timedelta) -> int:
    """How many ``unit`` have been started in ``elapsed``."""
    return max(0, -(-elapsed // unit))


def length(starts_at: datetime, ends_at: datetime, grace_minutes: int) -> Length:
    """What is charged between two aware moments: at least an hour. What is beyond whole days is
    free up to the grace, and counts from its first minute once it is longer.

    Raises:
        ValueError: if the end is not after the start.
    """
    if ends_at <= starts_at:
        raise ValueError("a hire ends after it starts")
    # Two moments of one zone would be subtracted as clocks show them.
    whole, rest = divmod(ends_at.astimezone(UTC) - starts_at.astimezone(UTC), DAY)
    if whole and rest <= timedelta(minutes=grace_minutes):
        return Length(whole, 0)
    hours = started(rest, HOUR)
    return Length(whole + 1, 0) if hours == 24 else Length(whole, hours)


def days(starts_at: datetime, ends_at: datetime, grace_minutes: int) -> int:
    """The days begun between two aware moments, the grace at their end being free.

    Raises:
        ValueError: if the end is not after the start.
    """
    whole, hours = length(starts_at, ends_at, grace_minutes)
    return whole + (hours > 0)

"""The present moment, in UTC, and its face in a tenant's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def local(moment: datetime, zone: str) -> datetime:
    """``moment`` as the wall clock of the IANA ``zone`` shows it."""
    return moment.astimezone(ZoneInfo(zone))


def today(zone: str) -> date:
    """The calendar date now in the IANA ``zone``."""
    return local(now(), zone).date()


def from_wall(wall: datetime, zone: str) -> datetime:
    """The UTC moment at which clocks in ``zone`` show the naive ``wall``.

    A wall time that occurs twice (clocks set back) is the first of the two; one that never
    occurs (clocks set forward) is moved by the gap, as RFC 5545 section 3.3.5 rules.
    """
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)

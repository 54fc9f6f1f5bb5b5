"""Wall clocks and moments, across the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core import clock


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        (datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 11, tzinfo=UTC)),
        (datetime(2026, 1, 31, 12), datetime(2026, 1, 31, 12, tzinfo=UTC)),
        # 29 March 2026, 01:00 to 02:00 does not occur in Lisbon; 25 October, it occurs twice.
        (datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_wall_time_names_one_moment(wall: datetime, moment: datetime) -> None:
    """A time that occurs twice is the first; one that never occurs is moved by the gap."""
    assert clock.from_wall(wall, "Europe/Lisbon") == moment


def test_a_moment_is_shown_in_the_zone_asked_for() -> None:
    """The same moment is yesterday in one city and today in another."""
    moment = datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert clock.local(moment, "America/New_York").hour == 23
    assert clock.local(moment, "Australia/Sydney").hour == 14

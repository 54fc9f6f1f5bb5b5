"""When a slot comes, where clocks change and months end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import turns
from core.ids import new_id
from core.jobs import Schedule
from tests.workers import shop

LISBON = "Europe/Lisbon"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "expected"),
    [
        # Lisbon springs forward on 29 March 2026: from 01:00 to 02:00.
        ("30 1 * * *", LISBON, "2026-03-28 12:00", "2026-03-29 01:00"),
        ("30 1 * * *", LISBON, "2026-03-29 01:00", "2026-03-30 00:30"),
        ("0 3 * * *", LISBON, "2026-03-28 12:00", "2026-03-29 02:00"),
        # It falls back on 25 October 2026: 01:30 comes twice, the job once.
        ("30 1 * * *", LISBON, "2026-10-24 12:00", "2026-10-25 00:30"),
        ("30 1 * * *", LISBON, "2026-10-25 00:30", "2026-10-26 01:30"),
        ("30 1 * * *", LISBON, "2026-10-25 01:10", "2026-10-26 01:30"),
        # Every quarter of an hour means every quarter, in both hours of the same name.
        ("*/15 * * * *", LISBON, "2026-10-25 00:45", "2026-10-25 01:00"),
        # Half an hour's change, and the other hemisphere.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", "2026-10-03 15:30"),
        # Month ends.
        ("0 0 31 * *", "UTC", "2026-01-31 00:00", "2026-03-31 00:00"),
        ("0 0 L * *", "UTC", "2026-01-31 00:00", "2026-02-28 00:00"),
    ],
)
def test_the_next_slot_goes_by_the_wall_clock(
    cron: str, zone: str, moment: str, expected: str
) -> None:
    """A wall time that is left out moves by the gap; one that comes twice counts once."""
    assert turns.following(cron, zone, utc(moment)) == utc(expected)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-25 00:29", "2026-10-24 00:30"),
        ("2026-10-25 00:30", "2026-10-25 00:30"),
        ("2026-10-25 01:10", "2026-10-25 00:30"),  # 01:10 for the second time
        ("2026-10-25 01:40", "2026-10-25 00:30"),
        ("2026-10-26 01:30", "2026-10-26 01:30"),
    ],
)
def test_the_latest_slot_is_found_in_the_hour_that_comes_twice(moment: str, expected: str) -> None:
    """Looking back from the second 01:10 finds the first 01:30, and never two of them."""
    assert turns.latest("30 1 * * *", LISBON, utc(moment)) == utc(expected)


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    cron=st.sampled_from(["30 1 * * *", "*/10 * * * *", "0 * * * *", "5 2 1 * *", "0 3 * * MON"]),
    zone=st.sampled_from([LISBON, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_no_moment_lies_between_the_latest_slot_and_the_next(
    moment: datetime, cron: str, zone: str
) -> None:
    """Looking back and looking ahead agree, whatever the clocks do."""
    latest = turns.latest(cron, zone, moment)
    following = turns.following(cron, zone, moment)
    assert latest <= moment < following
    assert turns.following(cron, zone, latest) == following
    assert turns.latest(cron, zone, following) == following


def test_tenants_share_out_the_spread_and_keep_their_share() -> None:
    """A thousand tenants do not start in the same second, and each always in its own."""
    spread = timedelta(minutes=5)
    shares = [turns.share(new_id(), "a", spread) for _ in range(1000)]
    assert all(timedelta(0) <= each < spread for each in shares)
    per_minute = [sum(each // timedelta(minutes=1) == n for each in shares) for n in range(5)]
    assert min(per_minute) > 120
    tenant = UUID(int=7)
    assert turns.share(tenant, "a", spread) == turns.share(tenant, "a", spread)


@pytest.mark.parametrize("cron", ["* * * *", "* * * * * *", "61 * * * *", "soon"])
def test_a_malformed_schedule_is_refused_where_it_is_declared(cron: str) -> None:
    """Not at three in the morning."""
    with pytest.raises(Exception, match=r"five fields|Bad minute"):
        Schedule(actor=shop.count_stock, cron=cron)

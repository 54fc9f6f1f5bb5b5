"""Quotas hold exactly, also when many take at once, at month ends, and after drift."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.ids import new_id
from core.quotas import Limit, QuotaExceeded, give_back, services, take
from core.scope import Granted, Tenant
from tests.core.conftest import CoreScopes


def rate(**chosen: Any) -> Limit:
    """A rate that no other test counts."""
    usual: dict[str, Any] = {"name": f"test.r{new_id().hex}", "title": "Letters", "allowed": 3}
    return Limit(**(usual | chosen))


def level(there: Callable[[], int] = lambda: 0, **chosen: Any) -> Limit:
    """A level of which ``there()`` are there."""

    async def count(session: AsyncSession) -> int:
        return there()

    return rate(count=count, **chosen)


async def used(scopes: CoreScopes, tenant: Tenant, limit: Limit) -> services.Usage:
    async with scopes.databases.transaction(tenant) as session:
        (found,) = await services.usage(session, [limit])
        return found


@pytest.mark.parametrize("kind", [rate, level])
async def test_thirty_two_who_take_at_once_get_exactly_what_is_allowed(
    scopes: CoreScopes, kind: Callable[..., Limit]
) -> None:
    """No more and no less, whether or not there was a counter; the others are told why not."""
    limit = kind(allowed=7)

    async def one() -> bool:
        async with scopes.databases.transaction(scopes.acme) as session:
            await take(session, limit)
            await session.execute(text("SELECT pg_sleep(0.005)"))
            return True

    answers = await asyncio.gather(*(one() for _ in range(32)), return_exceptions=True)
    refused = [each for each in answers if each is not True]
    assert len(answers) - len(refused) == 7
    assert all(isinstance(each, QuotaExceeded) for each in refused), refused
    assert (await used(scopes, scopes.acme, limit)).used == 7


async def test_what_is_undone_was_never_taken(scopes: CoreScopes) -> None:
    """The count is of the transaction that makes the thing."""
    limit = rate()

    async def fail() -> None:
        async with scopes.databases.transaction(scopes.acme) as session:
            await take(session, limit, 3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with scopes.databases.transaction(scopes.acme) as session:
        await take(session, limit, 3)


async def test_who_is_refused_learns_what_and_how_much(scopes: CoreScopes) -> None:
    """The limit, what is used, what is allowed and what to do; and nothing of it is counted."""
    limit = rate(remedy="Write less.")
    async with scopes.databases.transaction(scopes.acme) as session:
        await take(session, limit, 2)
        with pytest.raises(QuotaExceeded) as refused:
            await take(session, limit, 2)
        await take(session, limit)
    assert refused.value.status == 409
    assert refused.value.members == {
        "limit": limit.name,
        "used": 2,
        "allowed": 3,
        "remedy": "Write less.",
    }
    assert str(refused.value) == "Letters: 2 of 3 are used. Write less."


async def test_a_level_begins_with_what_is_there_and_can_be_given_back(scopes: CoreScopes) -> None:
    """What was made before anybody counted counts too; never below nothing."""
    limit = level(lambda: 2)
    async with scopes.databases.transaction(scopes.acme) as session:
        await take(session, limit)
        with pytest.raises(QuotaExceeded):
            await take(session, limit)
        await give_back(session, limit)
        await take(session, limit)
        await give_back(session, limit, 9)
    assert (await used(scopes, scopes.acme, limit)).used == 0


async def test_tenants_do_not_share_a_counter(scopes: CoreScopes) -> None:
    """What one has used takes nothing from another, pooled with it or not."""
    limit = rate()
    for tenant in scopes.tenants:
        async with scopes.databases.transaction(tenant) as session:
            await take(session, limit, 3)


async def test_the_operator_grants_more_or_less_for_a_time(scopes: CoreScopes) -> None:
    """Instead of what is declared, until its last moment; None is any number."""
    limit = rate()

    def granted(number: int | None, until: datetime | None = None) -> Tenant:
        return replace(scopes.acme, limits={limit.name: Granted(allowed=number, until=until)})

    assert services.allowed(granted(10), limit) == 10
    assert services.allowed(granted(0), limit) == 0
    assert services.allowed(granted(10, clock.now() + timedelta(hours=1)), limit) == 10
    assert services.allowed(granted(10, clock.now() - timedelta(hours=1)), limit) == 3
    async with scopes.databases.transaction(granted(None)) as session:
        await take(session, limit, 1_000)
    near = await used(scopes, granted(1_250), limit)
    assert (near.percent, near.state) == (80, "near")
    assert (await used(scopes, granted(1_000), limit)).state == "full"
    assert (await used(scopes, granted(500), limit)).percent == 200
    assert (await used(scopes, granted(None), limit)).state == "fine"


@pytest.mark.parametrize(
    ("zone", "last", "first"),
    [
        ("Europe/Lisbon", "2026-03-31T22:59:59", "2026-03-31T23:00:00"),  # summer time began
        ("Europe/Lisbon", "2026-10-31T23:59:59", "2026-11-01T00:00:00"),  # and ended
        ("America/New_York", "2026-11-01T03:59:59", "2026-11-01T04:00:00"),  # ends that night
        ("Australia/Sydney", "2024-02-29T12:59:59", "2024-02-29T13:00:00"),  # a leap day
        ("Pacific/Kiritimati", "2026-12-31T09:59:59", "2026-12-31T10:00:00"),  # a year's end
    ],
)
async def test_a_month_is_that_of_the_tenant_s_clock(
    scopes: CoreScopes, monkeypatch: pytest.MonkeyPatch, zone: str, last: str, first: str
) -> None:
    """Its last second is full, its successor's first is empty, whatever the clocks do."""
    limit, tenant = rate(allowed=1), replace(scopes.acme, zone=zone)

    def at(moment: str) -> None:
        there = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: there)

    at(last)
    async with scopes.databases.transaction(tenant) as session:
        await take(session, limit)
        with pytest.raises(QuotaExceeded):
            await take(session, limit)
        at(first)
        await take(session, limit)
        with pytest.raises(QuotaExceeded):
            await take(session, limit)


async def test_drift_is_mended_and_told(
    scopes: CoreScopes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever counted wrong, the rows that are there are right."""
    there = [5]
    limit = level(lambda: there[0], allowed=9)
    async with scopes.databases.transaction(scopes.acme) as session:
        assert await services.recount(session, limit) == 0
        there[0] = 8
        assert await services.recount(session, limit) == 3
        assert await services.recount(session, limit) == 0
    assert (await used(scopes, scopes.acme, limit)).used == 8
    assert "quota.drift" in capsys.readouterr().out

"""Attempts are limited per account and per source, also while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from atrium.up.process import free_port
from core.errors import TooManyRequests
from core.scope import acting_for
from core.throttle import Allowance, Throttle
from tests.core.conftest import CoreScopes

THREE = Allowance("test", 3, 30)


@pytest.fixture(params=["redis", "memory", "redis away"])
async def throttle(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Throttle]:
    """The same rules wherever the counting happens."""
    url = redis_url if request.param == "redis" else f"redis://127.0.0.1:{free_port()}"
    async with Redis.from_url(url) as redis:
        if request.param == "redis":
            await redis.flushdb()
        yield Throttle(None if request.param == "memory" else redis)


async def test_the_fourth_attempt_waits(throttle: Throttle, scopes: CoreScopes) -> None:
    """The refusal says how many seconds; another account is not concerned."""
    with acting_for(scopes.acme):
        for _ in range(3):
            await throttle.take(THREE, "ana@example.com")
        with pytest.raises(TooManyRequests) as refused:
            await throttle.take(THREE, "ana@example.com")
        assert 25 <= refused.value.retry_after <= 31
        assert "in 1 min" in str(refused.value)
        await throttle.take(THREE, "rui@example.com")


async def test_a_thousand_at_once_are_no_way_round(
    throttle: Throttle, scopes: CoreScopes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt is counted before it is made."""
    monkeypatch.setattr("core.throttle._REDIS_TIMEOUT", 10)  # a busy machine is no Redis away
    with acting_for(scopes.acme):
        attempts = [throttle.take(THREE, "ana@example.com") for _ in range(60)]
        answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert answers.count(None) == 3


async def test_tenants_are_counted_apart(throttle: Throttle, scopes: CoreScopes) -> None:
    """The same e-mail at another business has its own count."""
    with acting_for(scopes.acme):
        for _ in range(3):
            await throttle.take(THREE, "ana@example.com")
    with acting_for(scopes.bravo):
        await throttle.take(THREE, "ana@example.com")


async def test_a_good_attempt_is_given_back(throttle: Throttle, scopes: CoreScopes) -> None:
    """Whoever signs in properly, however often, is never refused."""
    with acting_for(scopes.acme):
        for _ in range(10):
            await throttle.take(THREE, "ana@example.com")
            await throttle.give_back(THREE, "ana@example.com")


async def test_clearing_forgets_all(throttle: Throttle, scopes: CoreScopes) -> None:
    """After the right password the earlier slips are forgotten."""
    with acting_for(scopes.acme):
        for _ in range(3):
            await throttle.take(THREE, "ana@example.com")
        await throttle.clear(THREE, "ana@example.com")
        for _ in range(3):
            await throttle.take(THREE, "ana@example.com")


async def test_the_window_ends(scopes: CoreScopes) -> None:
    """After its seconds the count begins anew, though attempts went on meanwhile."""
    throttle, short = Throttle(None), Allowance("short", 1, 1)
    with acting_for(scopes.acme):
        await throttle.take(short, "ana")
        for _ in range(3):
            with pytest.raises(TooManyRequests):
                await throttle.take(short, "ana")
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        await throttle.take(short, "ana")

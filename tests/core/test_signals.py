"""Signals between processes, over a real Redis that is at times away."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from core.signals import Signals


async def test_a_signal_reaches_the_other_process(redis_url: str) -> None:
    """Whoever subscribed hears the key; other channels stay silent."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    here, there = Signals(redis_url), Signals(redis_url)
    there.subscribe("tenants", heard.put_nowait)
    async with here.listening(), there.listening():
        await asyncio.wait_for(there.connected.wait(), 5)
        assert await heard.get() is None  # connected: whatever was cached before may be stale
        await here.publish("sessions", "not this one")
        await here.publish("tenants", "acme")
        assert await asyncio.wait_for(heard.get(), 5) == "acme"
    assert heard.empty()


async def test_two_installations_on_one_redis_do_not_hear_each_other(redis_url: str) -> None:
    """Redis publishes to all its databases; what belongs to another of them is not told."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    beside = Signals(f"{redis_url.rpartition('/')[0]}/15")
    here, other = Signals(redis_url), Signals(redis_url)
    here.subscribe("catalogue", heard.put_nowait)
    async with here.listening(), other.listening(), beside.listening():
        assert await asyncio.wait_for(heard.get(), 5) is None
        await beside.publish("catalogue", "theirs")
        await other.publish("catalogue", "ours")
        assert await asyncio.wait_for(heard.get(), 5) == "ours"
    assert heard.empty()


async def test_after_a_break_everything_is_forgotten(redis_url: str) -> None:
    """A signal lost while the connection was down cannot leave a stale entry behind."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    signals = Signals(redis_url)
    signals.subscribe("tenants", heard.put_nowait)
    async with signals.listening(), Redis.from_url(redis_url) as redis:
        assert await asyncio.wait_for(heard.get(), 5) is None
        ours = str((await redis.client_info())["db"])
        for client in await redis.client_list(_type="pubsub"):
            if client["db"] == ours:
                await redis.client_kill_filter(_id=client["id"])
        assert await asyncio.wait_for(heard.get(), 10) is None


async def test_without_redis_publishing_tells_this_process_and_returns() -> None:
    """Losing Redis fails no request; the own cache is right at once."""
    heard: list[str | None] = []
    signals = Signals("redis://127.0.0.1:1/0")
    signals.subscribe("tenants", heard.append)
    await asyncio.wait_for(signals.publish("tenants", "acme"), 3)
    assert heard == ["acme"]


async def test_who_waits_for_one_key_is_woken_by_no_other(redis_url: str) -> None:
    """And by the news that something may have been missed; afterwards by nothing any more."""
    here, there = Signals(redis_url), Signals(redis_url)
    async with here.listening():
        with there.hearing("tenants", "acme") as heard:
            async with there.listening():
                await asyncio.wait_for(heard.wait(), 5)  # connected: anything may have changed
                heard.clear()
                await there.publish("tenants", "bravo")
                assert not heard.is_set()
                await here.publish("tenants", "acme")
                await asyncio.wait_for(heard.wait(), 5)
                heard.clear()
        async with there.listening():
            await there.publish("tenants", "acme")
        assert not heard.is_set()

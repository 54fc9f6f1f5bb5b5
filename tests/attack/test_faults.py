"""What the web process does while something it stands on is away, and how soon it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from atrium.testing.servers import Postgres, scratch
from atrium.testing.site import OWN_PAGES, Site
from atrium.testing.world import World, world_of
from atrium.up.process import free_port
from core import clock
from core.auth.models import User
from core.auth.sessions import SessionCache, Sessions
from core.ids import new_id
from core.payments.models import PaymentAccount
from core.permissions import Role
from core.scope import Tenant
from tests.attack.ground import Ground, Load, Server
from tests.attack.processes import Web, web
from tests.plugins.car_hire.shop import Shop

BACK_WITHIN = 5.0
"""Seconds, from the moment the server answers again."""
API = "/api/v1/car-hire"


@dataclass(frozen=True, slots=True)
class Stage:
    """A world on ground that may shake, with a web process on it."""

    ground: Ground
    world: World
    web: Web
    shop: Shop
    token: str
    """The bearer token of somebody who works there."""


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with (
        Ground.prepare() as ground,
        world_of(Postgres.at(ground.dsn), ground.redis_url) as world,
        web(replace(world.settings, trusted_proxies="127.0.0.1"), scratch() / "web.log") as running,
    ):
        shop = await Shop.open(world.databases, world.acme, cars=2)
        sessions = Sessions(SessionCache(), lambda *_: frozenset())
        user_id = new_id()
        async with shop.transaction() as session:
            session.add(User(id=user_id, email="lia@example.com", name="Lia", role=Role.STAFF))
            await session.flush()
            token = await sessions.begin(session, user_id, "api")
        yield Stage(ground, world, running, shop, token)


def visitor(server: Web, tenant: Tenant) -> httpx.AsyncClient:
    """Somebody at the tenant's host, with connections that stay open."""
    headers = OWN_PAGES | {"host": f"{tenant.slug}.localhost"}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20)


def load(shop: Shop, token: str) -> Load:
    """Pages, the API, by strangers and signed in, and writing."""
    bearer = {"authorization": f"Bearer {token}"}
    starts_at = clock.now() + timedelta(hours=3)
    quote = {
        "class_id": str(shop.vehicle_class.id),
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(days=1)).isoformat(),
    }
    addresses = (f"198.18.{number // 250 % 250}.{number % 250}" for number in count())

    def somebody() -> dict[str, str]:
        # One address may ask for so many prices; here many people do.
        return {"x-forwarded-for": next(addresses)}

    return Load(
        {
            "page": lambda client: client.get("/car-hire"),
            "read": lambda client: client.get(f"{API}/classes/{shop.vehicle_class.id}"),
            "staff": lambda client: client.get(f"{API}/vehicles", headers=bearer),
            "sign-in page": lambda client: client.get("/sign-in"),
            "write": lambda client: client.post(f"{API}/quotes", json=quote, headers=somebody()),
        }
    )


async def shake(stage: Stage, server: Server, away: float) -> tuple[Load, float, float]:
    """Take ``server`` away for a while under load; when it went, and when it was back."""
    pressing = load(stage.shop, stage.token)
    async with visitor(stage.web, stage.shop.tenant) as client, pressing.on(client):
        await asyncio.sleep(1.5)
        gone = time.monotonic()
        await server.stop()
        await asyncio.sleep(away)
        await server.start()
        back = time.monotonic()
        await asyncio.sleep(BACK_WITHIN + 3)
    assert stage.web.process.returncode is None
    return pressing, gone, back


@pytest.mark.long
async def test_postgresql_may_be_restarted(stage: Stage) -> None:
    """Meanwhile 503 with Retry-After and nothing worse; soon afterwards everything, by itself."""
    pressing, gone, back = await shake(stage, stage.ground.postgres, away=1.5)
    assert not pressing.wrong, [*pressing.wrong[:10], *stage.web.errors()[:3]]
    assert set(pressing.counted(0, gone)) <= {200, 201}
    assert 503 in pressing.counted(gone, back)
    assert pressing.bad_after(back + BACK_WITHIN) == []
    assert len(pressing.counted(back + BACK_WITHIN, back + 60)) == 2  # reads and writes


@pytest.mark.long
async def test_redis_may_be_restarted(stage: Stage) -> None:
    """Nobody who reads or writes notices; sign-in is counted here meanwhile."""
    pressing, _, back = await shake(stage, stage.ground.redis, away=1.5)
    assert not pressing.wrong, [*pressing.wrong[:10], *stage.web.errors()[:3]]
    assert pressing.bad_after(back + BACK_WITHIN) == []


@pytest.mark.long
async def test_signing_in_needs_no_redis(stage: Stage) -> None:
    """Whoever comes while Redis is away is answered: by the throttle in memory."""
    async with visitor(stage.web, stage.shop.tenant) as client:
        await stage.ground.redis.stop()
        try:
            typed = {"email": "nobody@example.com", "password": "not the right one"}
            answer = await client.post("/sign-in", data=typed)
            ready = await client.get("/health/ready")
            live = await client.get("/health/live")
        finally:
            await stage.ground.redis.start()
    assert answer.status_code == 401  # the wrong password, in words
    assert ready.status_code == 503
    assert live.status_code == 200


async def test_only_paying_needs_stripe(site: Site) -> None:
    """With Stripe unreachable every page is served; paying says what is the matter, and when
    to try again."""
    tenant = site.world.acme
    nowhere = replace(site.world.settings, stripe_api_base=f"http://127.0.0.1:{free_port()}")
    shop = await Shop.open(site.world.databases, tenant, cars=1)
    booking = await shop.book()
    async with shop.transaction() as session:
        session.add(a_stripe_account())
    user_id = await site.enrol(tenant, Role.OWNER)
    async with shop.transaction() as session:
        token = await site.sessions.begin(session, user_id)
    log: Path = scratch() / "web.log"
    async with web(nowhere, log) as running, visitor(running, tenant) as client:
        client.cookies.set("atrium", token)
        for path in (
            "/car-hire",
            "/car-hire/desk",
            f"/car-hire/bookings/{booking.id}",
            f"/car-hire/desk/bookings/{booking.id}",
            "/settings/payments",
        ):
            answer = await client.get(path)
            assert answer.status_code == 200, path
        card = {"payment_method": "pm_card_visa"}
        by_api = await client.post(f"{API}/bookings/{booking.id}/payment", json=card)
        again = await client.post(f"/car-hire/bookings/{booking.id}/payment", data=card)
        assert running.errors() == []
    assert by_api.status_code == 503
    assert by_api.headers["retry-after"]
    assert by_api.json()["title"]
    assert again.status_code in {409, 503}
    assert "text/html" in again.headers["content-type"]


def a_stripe_account() -> PaymentAccount:
    """Keys that were good when they were entered."""
    return PaymentAccount(
        provider="stripe",
        account_ref="acct_attack",
        name="Attack",
        live=False,
        active=True,
        publishable_key="pk_test_attack",
        secret_key="sk_test_attack",
        hook_token="attack",
    )

"""Prices that anybody may ask for: so many from one address, and none kept for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from atrium.testing.site import Site
from core.clock import now
from plugins.car_hire.models import Quote, QuoteLine
from plugins.car_hire.plugin import plugin
from plugins.car_hire.routes import http
from plugins.car_hire.services import quotes
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_api import quote_body
from tests.plugins.car_hire.test_pages import walls


@pytest.mark.usefixtures("believed")
async def test_one_address_gets_so_many_prices_and_then_waits(site: Site, shop: Shop) -> None:
    """Page and API share the allowance; another address and another tenant have their own."""
    api, page = "/api/v1/car-hire/quotes", "/car-hire/quotes"
    form = walls(shop) | {"class_id": str(shop.vehicle_class.id)}
    async with site.visitor(shop.tenant, **{"x-forwarded-for": "203.0.113.7"}) as client:
        for _ in range(http.QUOTES.attempts):
            assert (await client.post(page, data=form)).status_code == 303
        refused = await client.post(api, json=quote_body(shop))
        shown = await client.post(page, data=form)
    assert refused.status_code == shown.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= http.QUOTES.seconds
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert "retry-after" in shown.headers
    assert "<main" in shown.text
    async with site.visitor(shop.tenant, **{"x-forwarded-for": "203.0.113.8"}) as client:
        assert (await client.post(api, json=quote_body(shop))).status_code == 201
    async with site.visitor(site.world.bravo, **{"x-forwarded-for": "203.0.113.7"}) as client:
        assert (await client.post(api, json=quote_body(shop))).status_code == 422


async def test_prices_that_nobody_booked_are_forgotten_a_day_after_they_expired(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, with their lines; a booked one, a fresh one and today's stay."""
    monkeypatch.setattr(quotes, "PURGED_AT_ONCE", 2)
    booked, fresh, recent = await shop.quote(), await shop.quote(), await shop.quote()
    await shop.place(booked)
    stale = [await shop.quote() for _ in range(5)]
    ages = {booked.id: 40, recent.id: 23} | {each.id: 25 for each in stale}
    async with shop.transaction() as session:
        for quote_id, hours in ages.items():
            expired = now() - timedelta(hours=hours)
            await session.execute(
                update(Quote).where(Quote.id == quote_id).values(expires_at=expired)
            )
    rounds = 0
    more = True
    while more:
        rounds += 1
        async with shop.transaction() as session:
            more = await quotes.purge(session)
    async with shop.transaction() as session:
        kept = set(await session.scalars(select(Quote.id)))
        gone = QuoteLine.quote_id.in_([each.id for each in stale])
        lines = await session.scalar(select(func.count()).where(gone))
    assert rounds >= 3
    assert {booked.id, fresh.id, recent.id} <= kept
    assert not kept & {each.id for each in stale}
    assert lines == 0


def test_the_purge_runs_every_night() -> None:
    """By the tenant's own clock."""
    assert "car_hire.purge_quotes 20 3 * * *" in [each.name for each in plugin.schedules]

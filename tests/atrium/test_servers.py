"""The throw-away servers that all other tests stand on."""

from __future__ import annotations

import asyncpg
import pytest
from playwright.async_api import Browser
from redis.asyncio import Redis

from atrium.testing.browser import axe
from atrium.testing.servers import Postgres


async def test_a_database_is_made_empty_and_dropped(postgres: Postgres) -> None:
    """A test gets a database of its own, and may drop it while connected."""
    name = await postgres.create_database()
    connection = await asyncpg.connect(postgres.dsn(name))
    assert await connection.fetchval("SELECT current_database()") == name
    assert await connection.fetchval("SHOW server_version_num") >= "150000"
    await postgres.drop_database(name)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(postgres.dsn(name))


async def test_the_extensions_we_use_are_there(postgres: Postgres) -> None:
    """btree_gist and pg_trgm, which exclusion constraints and searches need, can be made."""
    name = await postgres.create_database()
    await postgres.execute("CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm", name)
    await postgres.drop_database(name)


async def test_redis_answers(redis_url: str) -> None:
    """What is written to the worker's Redis database is read back."""
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        await redis.set("hello", "world")
        assert await redis.getdel("hello") == "world"


@pytest.mark.browser
async def test_axe_finds_an_image_without_text(browser: Browser) -> None:
    """A serious finding is reported with its place, and a good page has none."""
    context = await browser.new_context(bypass_csp=True)
    page = await context.new_page()
    good = "<html lang=en><title>t</title><main><h1>Hello</h1>{}</main></html>"
    await page.set_content(good.format(""))
    assert await axe(page) == []
    await page.set_content(good.format("<img src='data:,'>"))
    assert [(each["id"], each["where"]) for each in await axe(page)] == [("image-alt", ["img"])]
    await context.close()

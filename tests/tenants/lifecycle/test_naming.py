"""A tenant moves to another subdomain: the old one leads there, and is nobody else's."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from atrium.testing.site import Site
from atrium.testing.world import World, order
from core.clock import now
from core.scope import Tenant
from tenants import lifecycle
from tenants.lifecycle import SlugTaken, naming
from tenants.models import FormerSlug


def fresh() -> str:
    """A slug nobody has."""
    return f"moved-{secrets.token_hex(5)}"


async def rename(world: World, tenant: Tenant, slug: str) -> None:
    async with world.databases.transaction(world.platform) as session:
        await naming.rename(session, world.signals, tenant.id, slug)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/car-hire?day=2026-01-02&q=a%20b"),
        ("POST", "/api/v1/car-hire/quotes"),
        ("GET", "/a%2Fb/%E2%82%AC?x=%26"),
        ("GET", "//evil.example/x"),
        ("GET", "/"),
    ],
)
async def test_the_old_address_redirects_with_path_and_query(
    site: Site, method: str, path: str
) -> None:
    """308 keeps the method too; nothing of what was asked is lost or reread."""
    tenant = await site.world.provision()
    await rename(site.world, tenant, slug := fresh())
    site.catalogue.forget(tenant.id)
    async with site.visitor(tenant) as visitor:
        url = visitor.base_url.copy_with(raw_path=path.encode())
        answer = await visitor.request(method, url)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"http://{slug}.localhost:8000{path}"
    assert answer.headers["cache-control"] == "no-store"


async def test_no_request_line_redirects_to_another_host(site: Site) -> None:
    """Not every client begins its path with a slash; some servers pass that on as it came."""
    tenant = await site.world.provision()
    await rename(site.world, tenant, slug := fresh())
    site.catalogue.forget(tenant.id)

    async def odd(scope: Any, receive: Any, send: Any) -> None:
        await site.edge(scope | {"raw_path": b"@evil.example/x"}, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(odd), base_url=f"http://{tenant.slug}.localhost:8000"
    ) as client:
        answer = await client.get("/x")
    assert answer.headers["location"] == f"http://{slug}.localhost:8000/"


async def test_the_new_address_serves_and_letters_name_it(site: Site) -> None:
    """``url_of``, which every letter asks, gives the new one."""
    tenant = await site.world.provision()
    await rename(site.world, tenant, slug := fresh())
    site.catalogue.forget(tenant.id)
    moved = await site.edge.directory.by_id(tenant.id)
    assert moved is not None
    assert site.edge.directory.url_of(moved, "/x") == f"http://{slug}.localhost:8000/x"
    async with site.visitor(moved) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200


async def test_an_old_address_is_reserved_for_a_time(world: World) -> None:
    """Neither it nor what looks like it can be had by others; afterwards it is free."""
    slug = fresh().replace("0", "a").replace("o", "0", 1)
    tenant = await world.provision(slug)
    await rename(world, tenant, fresh())
    for again in (slug, slug.replace("0", "o")):
        with pytest.raises(SlugTaken) as refused:
            await world.provision(again)
        assert refused.value.errors[0].field == "slug"
    async with world.databases.transaction(world.platform) as session:
        await session.execute(update(FormerSlug).where(FormerSlug.slug == slug).values(until=now()))
    assert (await world.provision(slug)).slug == slug


async def test_a_tenant_may_go_back(world: World) -> None:
    """Its own reservation does not stand in its way, and then the other address leads back."""
    tenant = await world.provision(old := fresh())
    await rename(world, tenant, new := fresh())
    await rename(world, tenant, old)
    world.directory.forget(tenant.id)
    back = await world.directory.by_host(f"{old}.localhost")
    assert back is not None
    assert back.id == tenant.id
    assert await world.directory.formerly(f"{old}.localhost") is None
    led = await world.directory.formerly(f"{new}.localhost")
    assert led is not None
    assert led.slug == old


async def test_a_name_given_up_and_taken_at_once_is_one_tenants(world: World) -> None:
    """Renaming and ordering race for the same word; the database lets one have it."""
    for _ in range(5):
        tenant = await world.provision(slug := fresh())

        async def ask(slug: str = slug) -> object:
            async with world.databases.transaction(world.platform) as session:
                return await lifecycle.note(session, order(world.plugins, slug))

        await asyncio.gather(rename(world, tenant, fresh()), ask(), ask(), return_exceptions=True)
        async with world.databases.transaction(world.platform) as session:
            both = await session.scalar(
                text(
                    "SELECT (SELECT count(*) FROM tenants WHERE slug = :slug) +"
                    " (SELECT count(*) FROM former_slugs WHERE slug = :slug)"
                ),
                {"slug": slug},
            )
        assert both == 1

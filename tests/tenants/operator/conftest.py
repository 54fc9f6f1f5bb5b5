"""Operators, their programs, and a tenant to try things on."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from atrium.testing.site import Site
from core.permissions import Role
from core.scope import Tenant
from tenants.operator import tokens


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Staff of tenant zero, in a browser."""
    async with await site.person(site.world.platform, Role.STAFF) as client:
        yield client


async def program(site: Site, access: str) -> httpx.AsyncClient:
    """A program with a token of that access."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        _, secret = await tokens.make(session, f"{access} {secrets.token_hex(4)}", access)
    return site.visitor(world.platform, authorization=f"Bearer {secret}")


@pytest.fixture
async def writer(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may act."""
    async with await program(site, "write") as client:
        yield client


@pytest.fixture
async def reader(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may look."""
    async with await program(site, "read") as client:
        yield client


@pytest.fixture
async def tenant(site: Site) -> Tenant:
    """A tenant of a test's own, without products."""
    return await site.world.provision(plugins=())


def wanted(**chosen: Any) -> Mapping[str, Any]:
    """A tenant as a program orders it."""
    slug = f"ordered-{secrets.token_hex(5)}"
    usual = {
        "slug": slug,
        "name": "Ordered Cars",
        "zone": "Europe/Lisbon",
        "currency": "EUR",
        "plugins": ["car_hire"],
        "owner": {"email": f"owner@{slug}.example", "name": "Olga Owner"},
    }
    return usual | chosen

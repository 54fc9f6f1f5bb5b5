"""Every page of the desk with 5,000 vehicles and 200,000 hires: p95, and statements for each.

The pages are found in the table of routes. They are asked for one after the other, in the process
of the application and over no network, by an owner who is signed in.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import asyncpg
import httpx

from atrium.testing.site import Site, site_of
from bench.filled_desk import fill
from bench.result import Result
from bench.stage import stage
from core.permissions import Role
from tests.attack.loot import Loot
from tests.plugins.car_hire.desk_pages import desk_pages, statements

VEHICLES: Final = int(os.environ.get("DESK_PAGES_VEHICLES", "5000"))
HIRES_OF_EACH: Final = 42
TIMES: Final = int(os.environ.get("DESK_PAGES_TIMES", "20"))
P95_MS: Final = 150.0


async def run() -> Result:
    """Fill a desk, then look at every page of it."""
    async with stage() as world, site_of(world) as site:
        loot = await Loot.of(site, world.acme)
        person = await site.person(world.acme, Role.OWNER)
        few = await _counted(site, person, loot.ids)
        connection = await asyncpg.connect(world.superuser_dsn(world.acme))
        began = time.perf_counter()
        hires = await fill(connection, world.databases, world.acme, VEHICLES, HIRES_OF_EACH)
        filled = time.perf_counter() - began
        await connection.close()
        many = await _counted(site, person, loot.ids)
        took = {page: await _took(person, page) for page in desk_pages(site, loot.ids)}
        await person.aclose()
    slow = {page: ms for page, ms in took.items() if ms > P95_MS}
    worst = max(took, key=lambda page: took[page])
    grown = {page: [few[page], many[page]] for page in few if many[page] > few[page]}
    return Result(
        bench="desk_pages",
        value=took[worst],
        unit="ms, p95 of the slowest page",
        target=f"<= {P95_MS:.0f} ms, as many statements as with little data",
        met=not slow and not grown,
        detail={
            "vehicles": VEHICLES,
            "hires": hires,
            "filled_in_seconds": round(filled, 1),
            "pages": len(took),
            "times": TIMES,
            "p95_ms": dict(sorted(took.items(), key=lambda each: -each[1])),
            "statements": many,
            "more_statements_than_with_little_data": grown,
        },
    )


async def _counted(
    site: Site, person: httpx.AsyncClient, ids: Mapping[str, UUID]
) -> dict[str, int]:
    """How many statements each page asks, once everything is warm."""
    found = {}
    with statements() as asked:
        for page in desk_pages(site, ids):
            await _ask(person, page)
            asked.take()
            await _ask(person, page)
            found[page] = len(asked.take())
    return found


async def _took(person: httpx.AsyncClient, page: str) -> float:
    """Milliseconds at p95."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await _ask(person, page)
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.quantiles(took, n=20)[-1], 1)


async def _ask(person: httpx.AsyncClient, page: str) -> None:
    answer = await person.get(page)
    if answer.status_code >= 400:
        raise RuntimeError(f"{page}: {answer.status_code} {answer.text[:300]}")

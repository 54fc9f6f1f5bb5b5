"""What a PostgreSQL backend holds after 20,000 requests over 1,000 random tenants, in MB.

Signed-in people go through nine pages and API calls of a product. The memory is what belongs to
one backend alone (private pages, from the kernel), looked at all along the way; the largest
counts. For comparison the same is done with backends that are never replaced.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from atrium.testing.world import World
from bench.load import Load, Outcome, put_on
from bench.reading import Reader, reader
from bench.result import Result
from bench.stage import atrium_web, stage, tenants

TENANTS: Final = 1000
REQUESTS: Final = 20_000
CONNECTIONS: Final = 16
LARGEST_MB: Final = 150.0
PATHS: Final = (
    "",
    "/settings/people",
    "/car-hire",
    "/car-hire/desk/bookings",
    "/car-hire/desk/fleet",
    "/car-hire/desk/customers",
    "/car-hire/desk/classes",
    "/api/v1/car-hire/vehicles",
    "/api/v1/car-hire/bookings",
)


async def run() -> Result:
    """Measure with backends that are replaced, and with such that are not."""
    async with stage() as world:
        readers = [await reader(world, each) for each in await tenants(world, TENANTS)]
        await world.databases.dispose()
        replaced, load = await _held(world, readers)
        kept, _ = await _held(world, readers, pool_max_schemas=str(10 * TENANTS))
    return Result(
        bench="backend_memory",
        value=replaced["largest_mb"],
        unit="MB, the largest backend",
        target=f"<= {LARGEST_MB:.0f} MB, no unexpected status",
        met=replaced["largest_mb"] <= LARGEST_MB and not load.unexpected,
        detail={
            "tenants": TENANTS,
            "requests": load.answered,
            "unexpected": load.unexpected,
            "replaced": replaced,
            "never_replaced": kept,
        },
    )


async def _held(
    world: World, readers: Sequence[Reader], **changes: str
) -> tuple[dict[str, Any], Outcome]:
    chance = random.Random(20_000)
    administrator = await asyncpg.connect(world.superuser_dsn(world.acme))
    async with atrium_web(world, **changes) as port:
        requests = [
            chance.choice(readers).request(port, chance.choice(PATHS)) for _ in range(REQUESTS)
        ]
        load = Load(port=port, requests=requests, connections=CONNECTIONS, seconds=600, once=True)
        seen: dict[int, float] = {}
        watching = asyncio.create_task(_watch(administrator, seen))
        outcome = await put_on(load)
        watching.cancel()
        await asyncio.wait([watching])
    await administrator.close()
    return {
        "largest_mb": max(seen.values()),
        "backends": len(seen),
        "requests_per_second": outcome.per_second,
        "p99_ms": outcome.p99_ms,
    }, outcome


async def _watch(administrator: asyncpg.Connection, seen: dict[int, float]) -> None:
    """Note the most that each of the application's backends ever held, until cancelled."""
    while True:
        rows = await administrator.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'atrium'"
        )
        for row in rows:
            held = private_mb(row["pid"])
            seen[row["pid"]] = max(held, seen.get(row["pid"], 0.0))
        await asyncio.sleep(0.25)


def private_mb(pid: int) -> float:
    """Memory of a process that it shares with no other, in MB; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    kib = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return round(kib / 1024, 1)

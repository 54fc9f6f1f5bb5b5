"""Making a tenant while 1,000 are there: step by step, from a warm scope, and by a sign-up.

The first two are timed where the work is done, one after the other, from the order to the tenant
being served. The sign-ups go through web server, worker and relay in processes of their own, as
in ``bench.signup``, with warm scopes as a new installation has them.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Final

from atrium.testing.world import World
from atrium.up.process import free_port
from bench.fleet import TENANTS, fleet
from bench.result import Result
from bench.signup import sign_up
from bench.stage import environment, process, stage
from tenants.warm import Warmer

ROUNDS: Final = 40
SIGN_UPS: Final = 10
COLD_MS: Final = 500
WARM_MS: Final = 100
SIGN_UP_SECONDS: Final = 2.0


async def run() -> Result:
    """Measure on servers of this benchmark's own."""
    async with stage() as world:
        await fleet(world)
        return await measure(world)


async def measure(world: World) -> Result:
    """Make further tenants beside the fleet that is there."""
    cold = await _provision(world)
    warmer = Warmer(replace(world.settings, warm_tenants=ROUNDS), world.databases, world.lines)
    begun = time.perf_counter()
    await warmer.keep()
    warming = (time.perf_counter() - begun) * 1000 / ROUNDS
    warm = await _provision(world)
    usable = await _sign_ups(world)
    return Result(
        bench="provision_1000",
        value=round(_p95(cold), 1),
        unit=f"ms at p95 with {TENANTS} tenants",
        target=f"<= {COLD_MS} ms, warm <= {WARM_MS} ms, sign-up to first page"
        f" <= {SIGN_UP_SECONDS:g} s",
        met=_p95(cold) <= COLD_MS and _p95(warm) <= WARM_MS and usable[-1] <= SIGN_UP_SECONDS,
        detail={
            "p50_ms": round(statistics.median(cold), 1),
            "warm_p50_ms": round(statistics.median(warm), 1),
            "warm_p95_ms": round(_p95(warm), 1),
            "warming_ms_each": round(warming, 1),
            "sign_up_p50_s": round(statistics.median(usable), 3),
            "sign_up_slowest_s": round(usable[-1], 3),
        },
    )


async def _provision(world: World) -> list[float]:
    """Milliseconds from an order to a tenant that is served, sorted."""
    await world.provision()  # the first to come opens connections
    took = []
    for _ in range(ROUNDS - 1):
        begun = time.perf_counter()
        await world.provision()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)


async def _sign_ups(world: World) -> list[float]:
    """Seconds from a wizard's last button to the first page, sorted."""
    port = free_port()
    variables = environment(
        world.settings, port=str(port), public_port=str(port), warm_tenants="10", access_log="false"
    )
    async with (
        process(["-m", "atrium", "web"], variables, port),
        process(["-m", "atrium", "worker"], variables),
        process(["-m", "atrium", "relay"], variables),
    ):
        await sign_up(port)  # by then all of them have started
        return sorted([(await sign_up(port)).usable for _ in range(SIGN_UPS)])


def _p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95)]

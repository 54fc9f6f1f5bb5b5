"""What opening a tenant's scope costs over a bare transaction, at the 95th percentile.

200 tenants in random order, one at a time over one connection pool: ``BEGIN`` with the scope and
``COMMIT`` by a session of ours, against the same session machinery without a scope. Each pair is
measured back to back, so that the machine's noise meets both.
"""

from __future__ import annotations

import random
import time
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bench.result import Result
from bench.stage import stage, tenants
from core.db import Databases, commit
from core.scope import Tenant

TENANTS: Final = 200
ROUNDS: Final = 8_000
TARGET_MS: Final = 0.5
_NOTHING: Final = text("SELECT 1")


async def run() -> Result:
    """Measure both in turn."""
    async with stage() as world:
        made = await tenants(world, TENANTS)
        databases = Databases(pool_size=1)
        engine = databases.engine(made[0].scope.database)
        order = random.Random(7).choices(made, k=ROUNDS)
        for tenant in made:
            await _scoped(databases, tenant)
        scoped: list[float] = []
        bare: list[float] = []
        for tenant in order:
            bare.append(await _bare(engine))
            scoped.append(await _scoped(databases, tenant))
        await databases.dispose()
    return _judge(scoped, bare)


async def _scoped(databases: Databases, tenant: Tenant) -> float:
    begun = time.perf_counter()
    async with databases.session(tenant) as session:
        await session.execute(_NOTHING)
        await commit(session)
    return (time.perf_counter() - begun) * 1000


async def _bare(engine: AsyncEngine) -> float:
    begun = time.perf_counter()
    async with AsyncSession(engine) as session:
        await session.execute(_NOTHING)
        await session.commit()
    return (time.perf_counter() - begun) * 1000


def _judge(scoped: list[float], bare: list[float]) -> Result:
    over = round(_p95(scoped) - _p95(bare), 3)
    return Result(
        bench="open_scope",
        value=over,
        unit="ms at p95 over a bare transaction",
        target=f"at most {TARGET_MS} ms",
        met=over <= TARGET_MS,
        detail={
            "tenants": TENANTS,
            "transactions": len(scoped),
            "p50_ms": {"scoped": _quantile(scoped, 0.5), "bare": _quantile(bare, 0.5)},
            "p95_ms": {"scoped": round(_p95(scoped), 3), "bare": round(_p95(bare), 3)},
        },
    )


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _quantile(values: list[float], share: float) -> float:
    return round(sorted(values)[int(len(values) * share)], 3)

"""One signed-in read of one vehicle, against django-tenants serving the same row.

Both run behind Granian with one worker on the same PostgreSQL, in turn, under the same load of
32 connections. The peer signs nobody in. Its sync worker runs with four threads, each with a
persistent connection.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import select

from atrium.testing.world import World
from atrium.up.process import free_port
from bench.load import Load, Outcome, put_on
from bench.result import Result
from bench.stage import ROOT, atrium_web, process, stage, tenants
from core.auth.authority import LOCAL_COOKIE
from core.auth.models import User
from core.auth.sessions import SessionCache, Sessions
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire.models import Vehicle, VehicleClass
from plugins.car_hire.services.branches import keeping

CONNECTIONS: Final = 32
SECONDS: Final = 8.0
ROUNDS: Final = 3
PEER_THREADS: Final = 4


class Reader(msgspec.Struct, frozen=True):
    """Who reads what, and where."""

    tenant: Tenant
    vehicle: dict[str, Any]
    token: str

    @property
    def host(self) -> str:
        """The host name that both serve this tenant at."""
        return f"{self.tenant.slug}.localhost"

    def request(self, port: int, path: str = "", *, signed_in: bool = True) -> str:
        """The whole HTTP request, for the vehicle unless it is for another ``path``."""
        path = path or f"/api/v1/car-hire/vehicles/{self.vehicle['id']}"
        cookie = f"Cookie: {LOCAL_COOKIE}={self.token}\r\n" if signed_in else ""
        return (
            f"GET {path} HTTP/1.1\r\n"
            f"Host: {self.host}:{port}\r\nAccept: application/json\r\n{cookie}\r\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``tenants`` are read in the order that ``spread`` gives; what has to come of it."""

    bench: str
    tenants: int
    spread: Callable[[list[Reader]], list[Reader]] = list
    ratio: float
    p99_ms: float | None = None
    warm_up: float = 8.0
    """Seconds until caches know every tenant, ours and the peer's alike."""


async def compare(wanted: Comparison) -> Result:
    """Measure both in turn."""
    async with stage() as world:
        readers = [await reader(world, each) for each in await tenants(world, wanted.tenants)]
        ours: list[Outcome] = []
        peers: list[Outcome] = []
        async with atrium_web(world) as our_port, _peer(world, readers) as peer_port:
            turns = wanted.spread(readers)
            await _measure(turns, our_port, signed_in=True, seconds=wanted.warm_up)
            await _measure(turns, peer_port, signed_in=False, seconds=wanted.warm_up)
            for _ in range(ROUNDS):
                ours.append(await _measure(turns, our_port, signed_in=True))
                peers.append(await _measure(turns, peer_port, signed_in=False))
    return _judge(wanted, ours, peers)


def _judge(wanted: Comparison, ours: list[Outcome], peers: list[Outcome]) -> Result:
    ratios = [mine.per_second / theirs.per_second for mine, theirs in zip(ours, peers, strict=True)]
    ratio = round(statistics.median(ratios), 2)
    p99 = statistics.median(each.p99_ms for each in ours)
    bound = wanted.p99_ms or math.inf
    wrong = sum(each.unexpected for each in (*ours, *peers))
    return Result(
        bench=wanted.bench,
        value=ratio,
        unit="requests per second as a ratio to django-tenants",
        target=f"at least {wanted.ratio}, p99 under {bound:g} ms, no unexpected status",
        met=ratio >= wanted.ratio and p99 < bound and not wrong,
        detail={
            "ratios": [round(each, 2) for each in ratios],
            "p99_ms": p99,
            "unexpected": wrong,
            "atrium": msgspec.to_builtins(ours),
            "django_tenants": msgspec.to_builtins(peers),
        },
    )


async def reader(world: World, tenant: Tenant) -> Reader:
    """The owner of ``tenant``, signed in, with a vehicle to read."""
    async with world.databases.transaction(tenant) as session:
        class_id = await session.scalar(select(VehicleClass.id).limit(1))
        owner = await session.scalar(select(User.id).limit(1))
        assert class_id is not None
        assert owner is not None
        vehicle = {
            "id": new_id(),
            "plate": "AA-12-BC",
            "make": "Renault",
            "model": "Clio",
            "year": 2024,
            "colour": "Blue",
            "vin": "VF1RJA00000000001",
            "odometer_km": 18_250,
            "fuel_eighths": 8,
            "status": "available",
        }
        at = (await keeping.main(session)).id
        session.add(Vehicle(class_id=class_id, home_branch_id=at, branch_id=at, **vehicle))
        sessions = Sessions(SessionCache(), lambda *_: frozenset())
        return Reader(tenant, vehicle, await sessions.begin(session, owner))


@asynccontextmanager
async def _peer(world: World, readers: list[Reader]) -> AsyncIterator[int]:
    """The django-tenants site in a database of its own, filled with the same vehicles."""
    postgres = world.postgres
    environment = {
        **os.environ,
        "PEER_DATABASE": await postgres.create_database("peer"),
        "PEER_HOST": postgres.host,
        "PEER_PORT": str(postgres.port),
        "PEER_USER": postgres.user,
        "PEER_PASSWORD": postgres.password,
    }
    filling = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.peers.prepare", stdin=-1, env=environment, cwd=ROOT
    )
    rows = [
        {
            "slug": each.tenant.slug,
            "schema": each.tenant.scope.name,
            "host": each.host,
            "vehicle": each.vehicle,
        }
        for each in readers
    ]
    await filling.communicate(msgspec.json.encode(rows))
    if filling.returncode:
        raise RuntimeError("the peer could not be filled")
    port = free_port()
    arguments = ["-m", "granian", "--interface", "wsgi", "--workers", "1", "--port", str(port)]
    arguments += ["--blocking-threads", str(PEER_THREADS), "--no-access-log"]
    async with process([*arguments, "bench.peers.django_site:application"], environment, port):
        yield port


async def _measure(
    readers: list[Reader], port: int, *, signed_in: bool, seconds: float = SECONDS
) -> Outcome:
    requests = [each.request(port, signed_in=signed_in) for each in readers]
    return await put_on(
        Load(port=port, requests=requests, connections=CONNECTIONS, seconds=seconds)
    )

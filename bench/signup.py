"""From the wizard's last button to the first page of the new business, in seconds.

The clock runs as a person would see it: the button is sent, the live progress is followed to
its end, "Open" is pressed, the token is taken to the tenant's own host, and the first page
there has arrived. Web server, worker and relay are processes of their own.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import time
from dataclasses import dataclass
from typing import Final

import httpx

from atrium.testing.servers import POSTGRES, REDIS, Postgres, Servers
from bench.result import Result
from tests.running import running

SIGN_UPS: Final = 12
TARGET_SECONDS: Final = 3.0
_STEPS: Final = ("business", "products", "hosting", "address", "owner")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the button to an open business, and to its first page."""

    made: float
    usable: float


async def run() -> Result:
    """Sign businesses up, one after the other, on servers of this benchmark's own."""
    servers = Servers()
    await asyncio.to_thread(servers.start)
    try:
        postgres, redis = Postgres.at(os.environ[POSTGRES]), f"{os.environ[REDIS]}/0"
        async with running(postgres, redis) as port:
            took = [await sign_up(port) for _ in range(SIGN_UPS)]
    finally:
        await asyncio.to_thread(servers.stop)
    usable = sorted(each.usable for each in took)
    return Result(
        bench="signup",
        value=round(usable[-1], 3),
        unit="s, the slowest",
        target=f"<= {TARGET_SECONDS:g} s",
        met=usable[-1] <= TARGET_SECONDS,
        detail={
            "sign_ups": SIGN_UPS,
            "p50_s": round(statistics.median(usable), 3),
            "first_s": round(took[0].usable, 3),
            "p50_until_made_s": round(statistics.median(each.made for each in took), 3),
        },
    )


def browser(port: int, host: str) -> httpx.AsyncClient:
    """A browser at ``host``, which need not be resolved here."""
    headers = {
        "host": f"{host}:{port}",
        "sec-fetch-site": "same-origin",
        "accept": "text/html",
    }
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30)


async def sign_up(port: int) -> Took:
    """One sign-up; everything before the last button is not counted."""
    slug = f"bench-{secrets.token_hex(5)}"
    async with browser(port, "localhost") as portal, browser(port, f"{slug}.localhost") as there:
        await _fill(portal, slug)
        begun = time.perf_counter()
        progress = _led(await portal.post("/sign-up/review"))
        await _follow(portal, f"{progress}/events")
        page = await portal.get(progress)
        assert page.status_code == 200
        made = time.perf_counter() - begun
        opening = await portal.post(progress.replace("/progress", "/open"))
        token = opening.text.partition('name="token" value="')[2].partition('"')[0]
        from_portal = {"origin": f"http://localhost:{port}", "sec-fetch-site": "cross-site"}
        answer = await there.post("/enter", data={"token": token}, headers=from_portal)
        while answer.is_redirect:
            answer = await there.get(answer.headers["location"])
        assert answer.status_code == 200, (answer.url, answer.status_code)
        return Took(made, time.perf_counter() - begun)


async def _fill(portal: httpx.AsyncClient, slug: str) -> None:
    answers: dict[str, dict[str, str]] = {
        "business": {"name": "Bench Wheels", "zone": "Europe/Lisbon", "currency": "EUR"},
        "products": {"products": "car_hire"},
        "hosting": {"hosting": "pooled"},
        "address": {"slug": slug},
        "owner": {
            "name": "Olga Prado",
            "email": f"owner@{slug}.example",
            "password": "correct horse staple",
        },
    }
    await portal.get("/sign-up")
    for step in _STEPS:
        _led(await portal.post(f"/sign-up/{step}", data=answers[step]))


def _led(answer: httpx.Response) -> str:
    assert answer.status_code == 303, (answer.url, answer.status_code, answer.text[:2000])
    return str(answer.headers["location"])


async def _follow(portal: httpx.AsyncClient, events: str) -> None:
    """Read the live progress until it says that it is over."""
    async with portal.stream("GET", events) as stream:
        async for line in stream.aiter_lines():
            if line == "event: done":
                return
    raise RuntimeError("the progress ended without an end")

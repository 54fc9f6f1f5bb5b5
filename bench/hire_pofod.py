"""Whole hires by the API while Stripe and the mail server fail, processes are killed and messages
come up to ten times: no demand may fail by our fault, and each leaves one of everything.

A demand is what a desk does for one customer: quote, booking, payment, hand-over, deposit, return.
Each step is sent with an Idempotency-Key and sent again as the answer tells: after a lost
connection, and after 503 or 429 with Retry-After, which are counted beside. What remains unsettled
is looked up, as the answer to an interrupted key says.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from atrium.testing.site import site_of
from atrium.testing.world import World
from atrium.up.process import free_port
from bench import trouble
from bench.result import Result
from bench.stage import environment, process, stage
from bench.trouble import Letterbox, Role
from core import clock
from core.ids import new_id
from core.payments import gateway
from core.payments.services import accounts
from core.payments.stripe_gateway import StripeGateway
from core.permissions import Role as Person
from tests.plugins.car_hire.shop import Shop

DEMANDS: Final = int(os.environ.get("HIRE_POFOD_DEMANDS", "30000"))
SECONDS: Final = float(os.environ.get("HIRE_POFOD_SECONDS", "inf"))
"""No demand begins later than this."""
CLIENTS: Final = 16
CARS: Final = 40
DEMANDS_OF_A_CLERK: Final = 40
"""From one address nobody may ask for more than 60 prices in ten minutes."""
KILL_EVERY: Final = float(os.environ.get("HIRE_POFOD_KILL_EVERY", "20"))
FAULT_EVERY: Final = 4.0
PATIENCE: Final = 180.0
"""Seconds for one step, with everything that is tried again."""
LOOKED_UP_AFTER: Final = 15.0
"""Seconds after which an interrupted step is sent with a new key, if it had no effect."""
API: Final = "/api/v1/car-hire"
POFOD: Final = 1e-4

_LEFT: Final = """
SELECT count(*) FROM outbox.messages
WHERE tenant = $1 AND state = 'pending' AND due_at < now() + interval '10 minutes'
AND actor <> 'car_hire.release_hold'
"""
_WRONG: Final = """
SELECT
  (SELECT count(*) FROM car_hire_bookings) AS bookings,
  (SELECT count(*) FROM car_hire_bookings WHERE state <> 'closed') AS unfinished,
  (SELECT count(*) FROM car_hire_hires) AS hires,
  (SELECT count(*) FROM usage_records WHERE meter = 'car_hire.hires_started') AS started,
  (SELECT count(*) FROM payments WHERE purpose = 'charge' AND state = 'captured') AS charged,
  (SELECT count(*) FROM (SELECT 1 FROM payments WHERE purpose = 'charge' AND state = 'captured'
    GROUP BY subject_id HAVING count(*) > 1) x) AS charged_twice,
  (SELECT count(*) FROM payments WHERE state NOT IN ('captured', 'voided', 'declined'))
    AS unsettled,
  (SELECT count(*) FROM outbox.messages WHERE state = 'dead') AS dead_letters,
  (SELECT count(*) FROM mails WHERE template = 'car_hire/mail/receipt') AS receipts,
  (SELECT count(*) FROM mails WHERE state = 'sent') AS letters_sent,
  (SELECT count(*) FROM mails WHERE state = 'unknown') AS letters_whose_answer_was_lost,
  (SELECT count(*) FROM mails WHERE state NOT IN ('sent', 'unknown')) AS letters_left
"""


@dataclass
class Tally:
    """What clients met."""

    demands: int = 0
    done: int = 0
    failed: list[str] = field(default_factory=list)
    told_to_retry: Counter[int] = field(default_factory=Counter)
    lost_connections: int = 0
    took: list[float] = field(default_factory=list)
    """Seconds of each demand."""
    looked_up: int = 0


class Failed(Exception):
    """A demand that the server failed."""


async def run() -> Result:
    """Make the demands on servers of this benchmark's own."""
    with tempfile.TemporaryDirectory(prefix="atrium-pofod-") as name:
        async with stage() as world, _stripe(Path(name)) as stripe:
            return await _measured(world, stripe, Path(name))


@asynccontextmanager
async def _stripe(folder: Path) -> AsyncIterator[str]:
    port = free_port()
    arguments = ["-m", "standin.stripe", "--port", str(port), "--state-dir", str(folder / "stripe")]
    async with process(arguments, os.environ, port):
        yield f"http://localhost:{port}"


async def _measured(world: World, stripe: str, folder: Path) -> Result:
    box, tally = Letterbox(), Tally()
    mail = await box.listen()
    shop = await _opened(world, stripe)
    changes = {
        "stripe_api_base": stripe,
        "trusted_proxies": "127.0.0.1/32",
        "smtp_url": f"smtp://127.0.0.1:{mail.sockets[0].getsockname()[1]}",
    }
    roles = [_role(world, name, folder, changes) for name in ("web1", "web2", "worker", "relay")]
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    for role in roles:
        await role.start()
    try:
        async with asyncio.timeout(90):
            while not all([await role.works() for role in roles]):  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.2)
        began = time.perf_counter()
        await _through_trouble(world, shop, roles, stripe, connection, tally)
        seconds = time.perf_counter() - began
        await _settled(connection, world)
    finally:
        for role in roles:
            await role.kill(signal.SIGTERM)
        mail.close()
    await connection.execute(f"SET search_path TO {world.acme.scope.name}")
    found = dict(await connection.fetchrow(_WRONG))
    await connection.close()
    one_each = {
        found[name] for name in ("bookings", "hires", "started", "charged", "receipts")
    } == {tally.demands}
    none = ("unfinished", "charged_twice", "unsettled", "dead_letters", "letters_left")
    twice = sum(times > 1 for times in box.accepted.values())
    pofod = len(tally.failed) / tally.demands
    return Result(
        bench="hire_pofod",
        value=pofod,
        unit="failures per demand",
        target=f"<= {POFOD:g}, one of everything for each demand",
        met=pofod <= POFOD and one_each and not twice and not any(found[each] for each in none),
        detail={
            "demands": tally.demands,
            "done": tally.done,
            "failed": tally.failed[:5],
            "told_to_retry": {str(code): n for code, n in tally.told_to_retry.items()},
            "lost_connections": tally.lost_connections,
            "looked_up": tally.looked_up,
            "kills": {role.name: role.kills for role in roles},
            "stalled_mail_connections": box.stalled,
            "letters_accepted": sum(box.accepted.values()),
            "letters_accepted_twice": twice,
            "seconds": round(seconds, 1),
            "p50_s_of_a_demand": round(statistics.median(tally.took or [0]), 2),
            "slowest_s": round(max(tally.took, default=0), 1),
            **found,
        },
    )


async def _opened(world: World, stripe: str) -> Shop:
    """A fleet, and an account at the stand-in."""
    gateway.install(
        StripeGateway(api_base=stripe, script_url=stripe, public_url="http://localhost:9")
    )
    key = f"sk_test_{secrets.token_hex(8)}"
    async with world.databases.transaction(world.acme) as session:
        await accounts.connect(session, publishable_key=key.replace("sk_", "pk_"), secret_key=key)
    return await Shop.open(world.databases, world.acme, cars=CARS)


def _role(world: World, name: str, folder: Path, changes: dict[str, str]) -> Role:
    port = str(free_port())
    said = environment(
        world.settings,
        port=port,
        public_port=port,
        access_log="false",
        log_format="json",
        **changes,
    )
    return Role(name, said, folder / f"{name}.log")


async def _through_trouble(
    world: World,
    shop: Shop,
    roles: list[Role],
    stripe: str,
    connection: asyncpg.Connection,
    tally: Tally,
) -> None:
    troubles = [
        asyncio.create_task(each)
        for each in (
            trouble.kill_now_and_then(roles, stripe, KILL_EVERY),
            trouble.lose_answers(stripe, FAULT_EVERY),
            trouble.ring_again(connection, world.acme.id, world.settings.redis_url),
        )
    ]
    ports = [role.environment["ATRIUM_PORT"] for role in roles if role.arguments == "web"]
    left = iter(range(DEMANDS))
    ends = time.monotonic() + SECONDS
    async with site_of(world) as site, httpx.AsyncClient(timeout=30) as connections:

        async def clerk() -> str:
            user_id = await site.enrol(world.acme, Person.OWNER)
            async with world.databases.transaction(world.acme) as session:
                return await site.sessions.begin(session, user_id, "api")

        async def client(number: int) -> None:
            desk = _Desk(world, shop, ports, tally, connections, turn=number)
            for made, _demand in enumerate(left):
                if time.monotonic() > ends:
                    return
                if made % DEMANDS_OF_A_CLERK == 0:
                    desk.token = await clerk()
                    desk.address = str(IPv4Address("10.0.0.0") + random.getrandbits(24))
                await desk.demand()

        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    for each in troubles:
        each.cancel()
    for problem in await asyncio.gather(*troubles, return_exceptions=True):
        if isinstance(problem, Exception):
            raise problem


async def _settled(connection: asyncpg.Connection, world: World) -> None:
    """Wait until the workers have nothing left to do."""
    async with asyncio.timeout(300):
        while await connection.fetchval(_LEFT, world.acme.id):  # noqa: ASYNC110  # of other processes
            await asyncio.sleep(0.5)


@dataclass
class _Desk:
    """A clerk's program."""

    world: World
    shop: Shop
    ports: list[str]
    tally: Tally
    client: httpx.AsyncClient
    turn: int
    token: str = ""
    address: str = ""

    async def demand(self) -> None:
        """One customer, from the price to the car's return."""
        self.tally.demands += 1
        began = time.monotonic()
        try:
            await self._served()
        except Failed as problem:
            self.tally.failed.append(str(problem))
        else:
            self.tally.done += 1
            self.tally.took.append(time.monotonic() - began)

    async def _served(self) -> None:
        starts_at = clock.now() + timedelta(hours=1)
        ends_at = starts_at + timedelta(days=1)
        times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        card = {"payment_method": "pm_card_visa"}
        quote = await self._post("/quotes", {"class_id": str(self.shop.vehicle_class.id)} | times)
        wanted = {"quote_id": quote["id"], "customer_id": str(self.shop.customer.id)}
        booking = await self._post("/bookings", wanted)
        path = f"/bookings/{booking['id']}"
        await self._post(f"{path}/payment", card, self._is(path, "confirmed"))
        car = await self._get(f"/vehicles/{booking['vehicle_id']}")
        readings = {"odometer_km": car["odometer_km"], "fuel_eighths": 8}
        seen = {"booking_id": booking["id"], "licence_seen": True}
        hire = await self._post("/hires", readings | seen)
        path = f"/hires/{hire['id']}"
        await self._post(f"{path}/deposit", card, self._is(path, "out"))
        back = {"odometer_km": car["odometer_km"] + 20, "fuel_eighths": 8}
        await self._post(f"{path}/return", back)

    def _is(self, path: str, state: str) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            found: bool = (await self._get(path))["state"] == state
            return found

        return look

    async def _get(self, path: str) -> Any:
        return await self._sent("GET", path, None, None)

    async def _post(
        self,
        path: str,
        body: dict[str, Any],
        has_worked: Callable[[], Awaitable[bool]] | None = None,
    ) -> Any:
        return await self._sent("POST", path, body, has_worked)

    async def _sent(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        has_worked: Callable[[], Awaitable[bool]] | None,
    ) -> Any:
        """The answer; with ``has_worked`` it may be None, where that says so."""
        begun = renewed = time.monotonic()
        key = new_id().hex
        last = ""
        while time.monotonic() < begun + PATIENCE:
            try:
                answer = await self._request(method, path, body, key)
            except httpx.TransportError as problem:
                self.tally.lost_connections += 1
                self.turn += 1
                last = repr(problem)
                await asyncio.sleep(0.3)
                continue
            last = f"{answer.status_code} {answer.text[:200]}"
            if answer.is_success:
                return answer.json()
            pause = answer.headers.get("retry-after")
            if answer.status_code in {429, 503} and pause:
                self.tally.told_to_retry[answer.status_code] += 1
                await asyncio.sleep(min(float(pause), 5.0))
            elif answer.status_code != 409:
                break
            else:
                await asyncio.sleep(0.5)
            if has_worked is not None:
                self.tally.looked_up += 1
                if await has_worked():
                    return None
                if time.monotonic() > renewed + LOOKED_UP_AFTER:
                    renewed, key = time.monotonic(), new_id().hex
        raise Failed(f"{method} {path}: {last}")

    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None, key: str
    ) -> httpx.Response:
        port = self.ports[self.turn % len(self.ports)]
        host = httpx.URL(self.world.directory.url_of(self.world.acme, "")).host
        headers = {
            "authorization": f"Bearer {self.token}",
            "host": f"{host}:{port}",
            "x-forwarded-for": self.address,
        }
        if method == "POST":
            headers["idempotency-key"] = key
        url = f"http://127.0.0.1:{port}{API}{path}"
        return await self.client.request(method, url, json=body, headers=headers)

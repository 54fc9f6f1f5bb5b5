"""From an event to a program of the business's own, and what becomes of those that fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from atrium.testing.world import World
from core import clock, events
from core.errors import Conflict
from core.ids import made_at, new_id
from core.notifications.models import Notification
from core.origin import networks
from core.part import core
from core.payments.events import PaymentCaptured, PaymentRefunded
from core.permissions import Role
from core.quotas import QuotaExceeded
from core.scope import Tenant
from core.webhooks import delivering, endpoints, log, reaching, schedule, signing, spreading
from core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from core.webhooks.reaching import Reach
from core.webhooks.schemas import EndpointInput
from tests.core.webhooks.receiver import Receiver, receiving
from workers.registry import Registry
from workers.runtime import Runtime

KNOWN = {each.name for each in core.webhooks}


@dataclass
class Business:
    """A tenant of its own, its program, and a worker that does its jobs when told to."""

    world: World
    tenant: Tenant
    program: Receiver

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.world.databases.transaction(self.tenant)

    async def endpoint(self, *names: str) -> WebhookEndpoint:
        """An endpoint at the program."""
        given = EndpointInput(url=self.program.url, events=list(names or KNOWN))
        async with self.transaction() as session:
            return await endpoints.add(session, given, KNOWN)

    async def pay(self, kind: type[PaymentCaptured | PaymentRefunded] = PaymentCaptured) -> None:
        """An event."""
        async with self.transaction() as session:
            await events.emit(session, event(kind))

    async def work(self, *, wait: bool = False) -> int:
        """Do what is due, or, with ``wait``, what will be; how many jobs."""
        registry = Registry.of(self.world.plugins, core=(core,))
        runtime = Runtime(
            databases=self.world.databases, directory=self.world.directory, registry=registry
        )
        done = 0
        while rows := await self._due(wait):
            wait = False
            for row in rows:
                await runtime.deliver(row["id"], self.tenant.id, row["actor"], "")
            done += len(rows)
        return done

    async def _due(self, wait: bool) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.world.superuser_dsn(self.tenant))
        try:
            if wait:
                await connection.execute(
                    "UPDATE outbox.messages SET due_at = now() WHERE tenant = $1", self.tenant.id
                )
            rows: list[asyncpg.Record] = await connection.fetch(
                "SELECT id, actor FROM outbox.messages WHERE tenant = $1 AND state = 'pending'"
                " AND due_at <= now() AND (actor = 'core.fan_out' OR actor LIKE 'core.webhooks%')",
                self.tenant.id,
            )
            return rows
        finally:
            await connection.close()

    async def states(self) -> list[tuple[str, int]]:
        """State and attempts of each delivery, the first first."""
        async with self.transaction() as session:
            query = select(WebhookDelivery).order_by(WebhookDelivery.id)
            return [(each.state, each.attempts) for each in await session.scalars(query)]


def event(kind: type[PaymentCaptured | PaymentRefunded]) -> PaymentCaptured | PaymentRefunded:
    """A payment of ten euros."""
    return kind(
        payment_id=new_id(), subject_type="thing", subject_id="1", purpose="charge",
        amount="10.00", currency="EUR",
    )  # fmt: skip


@pytest.fixture
async def business(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Business]:
    monkeypatch.setattr(reaching, "_installed", [Reach(networks("127.0.0.0/8"))])
    async with receiving() as program:
        yield Business(site.world, await site.world.provision(plugins=()), program)


def verified(secret: str, headers: dict[str, str], body: str) -> bool:
    """As docs/how-to/webhooks.md has receivers do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [each.partition(",")[2] for each in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(made, each) for each in given)


def test_signatures_are_those_of_the_specification() -> None:
    """A known one of its reference libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    assert (
        signing.signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            '{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


async def test_an_event_reaches_who_chose_it_and_nobody_else(business: Business) -> None:
    """Signed, with the id of the outbox and the moment in which it happened."""
    wanted = await business.endpoint(PaymentCaptured.name)
    await business.endpoint(PaymentRefunded.name)
    before = clock.now()
    await business.pay()
    await business.work()
    ((headers, body),) = business.program.heard
    assert wanted.secret is not None
    assert verified(wanted.secret, headers, body)
    assert not verified(signing.new_secret(), headers, body)
    (said,) = business.program.bodies
    assert said["type"] == PaymentCaptured.name
    assert said["version"] == 1
    assert said["data"]["amount"] == "10.00"
    message = UUID(headers["webhook-id"].removeprefix("msg_"))
    happened = datetime.fromisoformat(said["timestamp"])
    assert happened == made_at(message)
    assert abs(happened - before) < timedelta(seconds=30)
    assert await business.states() == [("delivered", 1)]


async def test_what_was_undone_is_told_to_nobody(business: Business) -> None:
    """The event lies in the outbox of the transaction that it tells of."""
    await business.endpoint()
    async with business.transaction() as session:
        await events.emit(session, event(PaymentCaptured))
        await session.rollback()
    await business.work()
    assert business.program.heard == []


async def test_a_failed_message_comes_again_under_the_same_id(business: Business) -> None:
    """The body is the same to the letter; each attempt is signed at its own time."""
    await business.endpoint()
    business.program.answers = ["503 Busy", "302 Found\r\nlocation: /x", "204 Done"]
    await business.pay()
    await business.work()
    assert await business.states() == [("waiting", 1)]
    await business.work()  # not due yet
    assert len(business.program.heard) == 1
    await business.work(wait=True)
    await business.work(wait=True)
    assert await business.states() == [("delivered", 3)]
    assert len({headers["webhook-id"] for headers, _ in business.program.heard}) == 1
    assert len({body for _, body in business.program.heard}) == 1
    async with business.transaction() as session:
        (row,) = await log.page(session, (await endpoints.every(session))[0].id)
        _, _, attempts = await log.one(session, row[0].endpoint_id, row[0].id)
        assert [each.status for each in attempts] == [503, 302, 204]
        assert attempts[0].answer == "heard you"


async def test_while_secrets_overlap_both_sign(business: Business) -> None:
    """So that a receiver may change to the new one at any time of the day."""
    first = await business.endpoint()
    async with business.transaction() as session:
        second = await endpoints.rotate(session, first.id)
    await business.pay()
    await business.work()
    async with business.transaction() as session:
        await session.execute(
            update(WebhookEndpoint).values(previous_until=clock.now() - timedelta(seconds=1))
        )
    await business.pay()
    await business.work()
    (both, one), old, new = business.program.heard, first.secret, second.secret
    assert old is not None
    assert new is not None
    assert verified(old, *both)
    assert verified(new, *both)
    assert not verified(old, *one)
    assert verified(new, *one)


async def test_an_endpoint_that_keeps_failing_rests_and_is_switched_off(
    site: Site, business: Business
) -> None:
    """It is asked once in a while; after days of nothing else the owner is told."""
    owner = await site.enrol(business.tenant, Role.OWNER)
    made = await business.endpoint()
    business.program.answers = ["500 No"]
    for _ in range(schedule.TIRED_AFTER + 3):
        await business.pay()
    await business.work()
    assert len(business.program.heard) == schedule.TIRED_AFTER
    waiting = [attempts for state, attempts in await business.states() if state == "waiting"]
    assert sorted(waiting) == [0, 0, 0, 1, 1, 1, 1, 1]
    long_ago = clock.now() - schedule.OFF_AFTER
    async with business.transaction() as session:
        await session.execute(
            update(WebhookEndpoint).values(failing_since=long_ago, resting_until=long_ago)
        )
    await business.work(wait=True)
    assert len(business.program.heard) == schedule.TIRED_AFTER + 1
    assert {state for state, _ in await business.states()} == {"given_up"}
    async with business.transaction() as session:
        assert (await endpoints.one(session, made.id)).state == "failed"
        told = select(Notification.user_id).where(
            Notification.kind == delivering.SWITCHED_OFF.name, Notification.mailing == "now"
        )
        assert owner in set(await session.scalars(told))
        with pytest.raises(Conflict):
            await spreading.test(session, made.id)


async def test_a_message_is_given_up_after_its_last_attempt(business: Business) -> None:
    """And one that says that it is gone for good is not asked a second time."""
    await business.endpoint()
    business.program.answers = ["500 No"]
    await business.pay()
    await business.work()
    async with business.transaction() as session:
        await session.execute(update(WebhookDelivery).values(attempts=schedule.ATTEMPTS - 1))
    await business.work(wait=True)
    assert await business.states() == [("given_up", schedule.ATTEMPTS)]
    business.program.answers = ["410 Gone"]
    await business.pay()
    await business.work()
    async with business.transaction() as session:
        assert [each.state for each in await endpoints.every(session)] == ["failed"]


async def test_what_was_sent_is_sent_again_and_forgotten_in_time(business: Business) -> None:
    """A repetition bears the id of the first; the log ends after thirty days."""
    await business.endpoint()
    await business.pay()
    await business.work()
    async with business.transaction() as session:
        (delivery,) = await session.scalars(select(WebhookDelivery))
        await spreading.again(session, delivery)
    await business.work()
    assert len({headers["webhook-id"] for headers, _ in business.program.heard}) == 1
    assert await business.states() == [("delivered", 1)] * 2
    async with business.transaction() as session:
        await session.execute(
            update(WebhookMessage).values(created_at=clock.now() - schedule.KEPT - timedelta(1))
        )
        await log.tidy(session)
        for table in (WebhookMessage, WebhookDelivery, WebhookAttempt):
            assert (await session.scalars(select(table))).all() == []


async def test_there_are_as_many_endpoints_as_may_be(business: Business) -> None:
    """And one that is removed makes room."""
    made = [await business.endpoint() for _ in range(endpoints.ENDPOINTS.allowed or 0)]
    with pytest.raises(QuotaExceeded):
        await business.endpoint()
    async with business.transaction() as session:
        await endpoints.remove(session, made[0].id)
    await business.endpoint()


def test_attempts_go_on_for_three_days() -> None:
    """As the specification suggests."""
    assert timedelta(days=3) < sum(schedule.PAUSES, timedelta()) < timedelta(days=4)
    assert schedule.rest(schedule.TIRED_AFTER - 1) is None
    assert schedule.rest(1000) == schedule.LONGEST_REST

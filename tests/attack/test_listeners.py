"""Attacks on every listener that a part declares: driven in another tenant's name, with another's
ids, with bodies that were tampered with, and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import pytest
from sqlalchemy import select

from atrium.testing.watched import Watched
from atrium.testing.world import World
from core.events import FAN_OUT, Event
from core.ids import new_id
from core.jobs import Actor
from core.notifications.models import Notification
from core.part import core
from core.payments.events import PaymentAuthorised, PaymentFailed
from core.plugin import Plugin
from core.scope import Tenant
from plugins.car_hire.models import Booking
from plugins.car_hire.services.paying import BOOKING, CHARGE
from tenants.lifecycle import suspend
from tests.plugins.car_hire.shop import Shop
from workers.registry import Registry
from workers.runtime import Runtime

EVENTS: Final[Mapping[str, Callable[[Booking], Event]]] = {
    "payments.authorised": lambda booking: PaymentAuthorised(
        payment_id=new_id(),
        subject_type=BOOKING,
        subject_id=str(booking.id),
        purpose=CHARGE,
        amount="10.00",
        currency="EUR",
    ),
    "payments.failed": lambda booking: PaymentFailed(
        payment_id=new_id(),
        subject_type=BOOKING,
        subject_id=str(booking.id),
        purpose=CHARGE,
        amount="10.00",
        currency="EUR",
        reason="lapsed",
    ),
}
"""An event of each kind that somebody listens to, about a booking that waits to be paid."""
PASSED_OVER: Final = frozenset({"payments.failed"})
"""Nothing is done about them where nobody relied on the payment: then nothing is wrong either."""


@pytest.fixture
def watched(world: World) -> Watched:
    return Watched.of(world)


def listeners(watched: Watched) -> list[tuple[str, Actor]]:
    """Every listener that a tenant may have, with the name of its event."""
    registry = watched.runtime.registry
    return heard_by([*registry.core.values(), *registry.plugins])


def heard_by(parts: Iterable[Plugin]) -> list[tuple[str, Actor]]:
    """The listeners of these parts, each with the name of its event."""
    found = [
        (kind.name, actor)
        for part in parts
        for kind, actors in part.listeners.items()
        for actor in actors
    ]
    assert found
    return found


def pairs(world: World) -> list[tuple[Tenant, Tenant]]:
    """Whose event it is, and in whose name it comes."""
    return [(world.acme, world.bravo), (world.delta, world.acme), (world.acme, world.delta)]


def test_every_event_that_somebody_hears_is_made_here(watched: Watched) -> None:
    """A listener that is added must be driven below."""
    assert {name for name, _ in listeners(watched)} == EVENTS.keys()


def body_of(name: str, booking: Booking) -> dict[str, Any]:
    """An event as it lies in the outbox."""
    made: dict[str, Any] = msgspec.to_builtins(EVENTS[name](booking))
    return made


async def messages(world: World, tenant: Tenant, actor: str, about: UUID) -> list[tuple[UUID, str]]:
    """The messages for ``actor`` about a booking, and their states."""
    connection = await asyncpg.connect(world.superuser_dsn(tenant))
    try:
        rows = await connection.fetch(
            "SELECT id, state FROM outbox.messages WHERE tenant = $1 AND actor = $2"
            " AND args::text LIKE $3 ORDER BY put_at",
            tenant.id, actor, f"%{about}%",
        )  # fmt: skip
    finally:
        await connection.close()
    return [(row["id"], row["state"]) for row in rows]


async def test_an_event_is_heard_at_home_alone_and_once(watched: Watched) -> None:
    """Told in another's name it reaches nobody; told again it changes nothing."""
    world = watched.world
    for name, listener in listeners(watched):
        for owner, thief in pairs(world):
            booking = await (await Shop.open(world.databases, owner, cars=1)).book()
            told = {"event": name, "body": body_of(name, booking)}
            event = await watched.put_named(FAN_OUT, owner, told)
            await watched.runtime.deliver(event, thief.id, FAN_OUT, "")
            assert await watched.is_untouched(event, owner), name
            for _ in range(3):
                await watched.runtime.deliver(event, owner.id, FAN_OUT, "")
            assert await messages(world, thief, listener.name, booking.id) == []
            (made,) = await messages(world, owner, listener.name, booking.id)
            await watched.runtime.deliver(made[0], thief.id, listener.name, "")
            assert watched.ran == [], f"{listener.name} ran for {thief.slug}"
            for _ in range(3):
                await watched.runtime.deliver(made[0], owner.id, listener.name, "")
            assert watched.ran == [(listener.name, owner.id)]
            watched.ran.clear()


async def test_nobody_hears_without_the_product_or_while_at_rest(watched: Watched) -> None:
    """An event that is told there asks for nothing."""
    world = watched.world
    bare, resting = await world.provision(plugins=()), await world.provision()
    booking = await (await Shop.open(world.databases, world.acme, cars=1)).book()
    put = [
        (tenant, listener, await watched.put_named(FAN_OUT, tenant, told))
        for name, listener in listeners(watched)
        for told in [{"event": name, "body": body_of(name, booking)}]
        for tenant in (bare, resting)
    ]
    async with world.databases.transaction(world.platform) as session:
        await suspend(session, world.signals, resting.id)
    for tenant, listener, event in put:
        await watched.runtime.deliver(event, tenant.id, FAN_OUT, "")
        if tenant is resting or not listener.name.startswith("core."):
            assert await messages(world, tenant, listener.name, booking.id) == []
    assert watched.ran == []


async def test_what_the_platform_listens_to_no_tenant_can_tell_it(watched: Watched) -> None:
    """The same event, told by a tenant, reaches none of tenant zero's listeners; nor does their
    job run in a tenant's name."""
    world = watched.world
    for name, listener in heard_by(watched.runtime.registry.platform.values()):
        for tenant in (world.acme, world.delta):
            about = new_id()
            told = {"event": name, "body": {"user_id": str(about)}}
            event = await watched.put_named(FAN_OUT, tenant, told)
            await watched.runtime.deliver(event, tenant.id, FAN_OUT, "")
            assert await messages(world, tenant, listener.name, about) == []
            forged = await watched.put_named(listener.name, tenant, {"event": told["body"]})
            for whose in (tenant, world.platform):
                await watched.runtime.deliver(forged, whose.id, listener.name, "")
            assert watched.ran == [], listener.name


@pytest.mark.parametrize("how", ["anothers", "cut", "typed", "renamed"])
async def test_a_tampered_event_does_nothing(watched: Watched, how: str) -> None:
    """With another tenant's ids, without a field, with another type, or as another's event: the
    real listener fails, and the rows of the other tenant are as they were."""
    world = watched.world
    registry = Registry.of(world.plugins, core=(core,))
    runtime = Runtime(databases=world.databases, directory=world.directory, registry=registry)
    for name, listener in listeners(watched):
        for owner, thief in pairs(world):
            shop = await Shop.open(world.databases, owner, cars=1)
            booking = await shop.book()
            body = body_of(name, booking)
            if how == "cut":
                body.pop(next(iter(body)))
            elif how == "typed":
                body = {key: ["x", {"tenant": str(owner.id)}] for key in body}
            elif how == "renamed":
                body = {f"{key}_id": value for key, value in body.items()}
            forged = await watched.put_named(listener.name, thief, {"event": body})
            await runtime.deliver(forged, thief.id, listener.name, "")
            async with shop.transaction() as session:
                now = await session.get_one(Booking, booking.id)
                assert (now.state, now.version) == (booking.state, booking.version)
            ((_, state),) = [
                each for each in await messages_of(world, thief, listener.name) if each[0] == forged
            ]
            passed_over = how == "anothers" and name in PASSED_OVER
            assert passed_over or state != "done", f"{listener.name} took what was {how}"
            assert how == "anothers" or state == "dead"
            async with world.databases.transaction(thief) as session:
                told = select(Notification.id).where(Notification.subject_id == str(booking.id))
                assert (await session.scalars(told)).all() == []


async def messages_of(world: World, tenant: Tenant, actor: str) -> list[tuple[UUID, str]]:
    """All messages for ``actor`` in the tenant's database, and their states."""
    connection = await asyncpg.connect(world.superuser_dsn(tenant))
    try:
        rows = await connection.fetch(
            "SELECT id, state FROM outbox.messages WHERE actor = $1", actor
        )
    finally:
        await connection.close()
    return [(row["id"], row["state"]) for row in rows]

"""A tenant is made step by step; killed or broken at any of them, it is finished later."""

from __future__ import annotations

import asyncio
import secrets
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.world import World, order
from core.errors import Conflict, Invalid
from core.scope import Tenant
from tenants import lifecycle, runs
from tenants.databases import register
from tenants.lifecycle import Ordered, Owner, SlugTaken
from tenants.models import Membership, ProvisioningRun
from tenants.provisioning import Provisioner
from tenants.runs import Progress, progress
from tenants.tasks import actors
from tests.tenants import killable

STEPS = ("role", "schema", "tables", "key", "seed:car_hire", "owner", "activate")


async def _note(world: World, **chosen: object) -> Ordered:
    async with world.databases.transaction(world.platform) as session:
        return await lifecycle.note(session, order(world.plugins, **chosen))


async def _progress(world: World, run_id: UUID) -> Progress:
    async with world.databases.transaction(world.platform) as session:
        return await progress(session, run_id)


async def _count(world: World, tenant: Tenant, table: str) -> int:
    async with world.databases.transaction(tenant) as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")))


async def test_steps_are_told_while_they_are_done(world: World) -> None:
    """The wizard reads each step's state and the share that is done."""
    ordered = await _note(world)
    before = await _progress(world, ordered.run_id)
    assert [step.name for step in before.steps] == list(STEPS)
    assert (before.state, before.share) == ("waiting", 0.0)
    await world.provisioner.run(ordered.run_id)
    after = await _progress(world, ordered.run_id)
    assert (after.state, after.share, after.error) == ("done", 1.0, None)
    assert all(step.started_at and step.finished_at for step in after.steps)


async def test_a_tenant_is_served_only_once_it_is_finished(world: World) -> None:
    """Its address answers before as after: not active, then active, without waiting for a cache."""
    ordered = await _note(world, slug=(slug := f"new-{secrets.token_hex(4)}"))
    made = await world.directory.by_host(f"{slug}.localhost")
    assert made is not None
    assert (made.status, made.plugins) == ("provisioning", frozenset())
    await world.provisioner.run(ordered.run_id)
    made = await world.directory.by_host(f"{slug}.localhost")
    assert made is not None
    assert (made.status, made.plugins) == ("active", frozenset(world.plugins.working))


class Broken(RuntimeError):
    """What the tests stop a step with."""


class Breaking(Provisioner):
    """Stops at one step: before it, or after its work but before that is recorded."""

    at: str
    after: bool

    async def _perform(self, work, run_id, name):  # type: ignore[no-untyped-def]
        if name != self.at:
            return await super()._perform(work, run_id, name)
        if self.after:
            await super()._perform(work, run_id, name)
        raise Broken(self.at)


def _breaking(world: World, at: str, *, after: bool) -> Breaking:
    made = Breaking(world.settings, world.databases, world.plugins, world.lines, world.signals)
    made.at, made.after = at, after
    return made


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_run_that_stops_anywhere_is_finished_later(
    world: World, step: str, after: bool
) -> None:
    """Stopped before a step, or when its work was done but not noted: the next run finishes it."""
    account = UUID(int=secrets.randbits(128))
    ordered = await _note(
        world, owner=Owner(email="o@new.example", name="Olga", account_id=account)
    )
    with pytest.raises(Broken):
        await _breaking(world, step, after=after).run(ordered.run_id)
    stopped = await _progress(world, ordered.run_id)
    assert stopped.state == "failed"
    assert stopped.error == f"{step}: Broken"
    tenant = await world.provisioner.run(ordered.run_id)
    assert tenant.status == "active"
    assert await _count(world, tenant, "users") == 1
    assert await _count(world, tenant, "tenant_keys") == 1
    assert await _count(world, tenant, "seeds") <= len(world.plugins.working)
    async with world.databases.transaction(world.platform) as session:
        member = (
            await session.scalars(select(Membership).where(Membership.account_id == account))
        ).one()
        run = await session.get_one(ProvisioningRun, ordered.run_id)
    assert member.tenant_id == tenant.id
    assert run.owner is None, "who owns it is known by the membership; the run forgets"


async def test_two_workers_on_one_run_make_one_tenant(world: World) -> None:
    """A lease that ran out while its worker lived on does no harm."""
    ordered = await _note(world)
    made = await asyncio.gather(
        *(world.provisioner.run(ordered.run_id) for _ in range(3)), return_exceptions=True
    )
    assert any(isinstance(each, Tenant) for each in made)
    tenant = await world.provisioner.run(ordered.run_id)
    assert tenant.status == "active"
    assert await _count(world, tenant, "users") == 1


async def test_one_address_is_one_tenant(world: World) -> None:
    """The same slug, or one that looks like it, is refused, with the field at fault."""
    slug = f"corner-{secrets.token_hex(4).replace('0', 'a').replace('1', 'b')}"
    await _note(world, slug=slug)
    for again in (slug, slug.replace("rn", "m"), slug.replace("o", "0", 1)):
        with pytest.raises(SlugTaken) as refused:
            await _note(world, slug=again)
        assert refused.value.errors[0].field == "slug"


async def test_two_who_ask_for_one_address_at_once(world: World) -> None:
    """The database decides; one is served, the other gets an error and not half a tenant."""
    slug = f"race-{secrets.token_hex(4)}"
    made = await asyncio.gather(
        *(_note(world, slug=slug) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, Ordered) for each in made) == 1
    assert all(isinstance(each, Ordered | SlugTaken) for each in made)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "admin"),
        ("slug", "xn--acme"),
        ("name", ""),
        ("name", "a\0b"),
        ("zone", "Mars/Olympus"),
        ("currency", "EURO"),
        ("locale", "tlh"),
        ("hosting", "moon"),
    ],
)
async def test_an_order_that_makes_no_sense_names_its_field(
    world: World, field: str, value: str
) -> None:
    """Every field is checked before anything is written."""
    with pytest.raises(Invalid) as refused:
        await _note(world, **{field: value})
    assert [error.field for error in refused.value.errors] == [field]


async def test_a_dedicated_database_takes_one_tenant(world: World) -> None:
    """A second tenant is refused there: the login is the first one's."""
    with pytest.raises(Conflict):
        await _note(world, database="delta", hosting="dedicated")


async def test_an_unreachable_database_fails_the_run_alone(world: World) -> None:
    """The run says so and can be tried again; nothing else is touched."""
    name = f"away-{secrets.token_hex(4)}"
    async with world.databases.transaction(world.platform) as session:
        await register(
            session, name=name, host="127.0.0.1", port=1, dbname="nowhere", dedicated=True
        )
    ordered = await _note(world, database=name, hosting="dedicated")
    with pytest.raises(ConnectionRefusedError):
        await world.provisioner.run(ordered.run_id)
    assert (await _progress(world, ordered.run_id)).state == "failed"


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_at_any_step_leaves_what_the_next_one_finishes(
    world: World, step: str
) -> None:
    """kill -9 as soon as a step has begun; the next run makes one whole tenant of it."""
    ordered = await _note(world)
    process = killable.provisioning(world.settings, ordered.run_id)
    try:
        begun = await _wait_for(world, ordered.run_id, step)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()
    assert begun
    tenant = await world.provisioner.run(ordered.run_id)
    assert tenant.status == "active"
    assert await _count(world, tenant, "users") == 1
    assert await _count(world, tenant, "tenant_keys") == 1
    assert (await _progress(world, ordered.run_id)).share == 1.0


async def _wait_for(world: World, run_id: UUID, step: str) -> bool:
    for _ in range(3000):
        found = await _progress(world, run_id)
        if any(each.name == step and each.state != "waiting" for each in found.steps):
            return True
        await asyncio.sleep(0.005)
    return False


async def test_an_order_asks_for_the_job_and_the_job_makes_the_tenant(world: World) -> None:
    """The message is written with the order itself; the job's body works the run off."""
    wanted = order(world.plugins)
    async with world.databases.transaction(world.platform) as session:
        ordered = await lifecycle.order(session, wanted)
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    rows = await connection.fetch(
        "SELECT args ->> 'run_id' AS run_id FROM outbox.messages WHERE actor = $1 AND key = $2",
        lifecycle.PROVISION,
        str(ordered.run_id),
    )
    await connection.close()
    assert [row["run_id"] for row in rows] == [str(ordered.run_id)]
    job = next(each for each in actors(world.provisioner) if each.name == lifecycle.PROVISION)
    async with world.databases.transaction(world.platform) as session:
        await job.body(session, ordered.run_id)
    made = await world.directory.by_id(ordered.tenant_id)
    assert made is not None
    assert made.status == "active"


async def test_what_a_step_leaves_is_written_once_however_many_work(world: World) -> None:
    """A worker that was thought dead finishes the step beside the one that took its run over: its
    owner is not told twice that the business is open."""
    ordered = await _note(world)
    await world.provisioner.run(ordered.run_id)
    left: list[str] = []

    async def perform(name: str) -> runs.Record | None:
        async def record(_session: AsyncSession) -> None:
            left.append(name)

        await asyncio.sleep(0.05)
        return record

    async with world.databases.transaction(world.platform) as session:
        run_id = await runs.note_run(session, ordered.tenant_id, ["first", "second"])
    async with world.databases.transaction(world.platform) as session:
        begun = await runs.begin(session, run_id, ordered.tenant_id)
    await asyncio.gather(
        *(runs.work_off(begun, world.provisioner.means.of_the_platform, perform) for _ in "ab")
    )
    assert left == ["first", "second"]

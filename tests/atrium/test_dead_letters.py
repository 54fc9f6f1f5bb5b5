"""``atrium jobs``, as an operator types it."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from click.testing import CliRunner, Result

from atrium.cli import main
from atrium.testing.world import World
from core.ids import new_id
from core.jobs import put
from core.scope import Tenant


@pytest.fixture
def environment(world: World) -> dict[str, str]:
    """The world's settings, as ATRIUM_* variables."""
    given = {each.name: getattr(world.settings, each.name) for each in fields(world.settings)}
    return {
        f"ATRIUM_{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in given.items()
        if isinstance(value, (str, bool, Path))
    }


async def dead_letter(world: World, tenant: Tenant, error: str = "OutOfFuel") -> UUID:
    """A job of the tenant that was given up."""
    key = str(new_id())
    async with world.databases.transaction(tenant) as session:
        await put(session, "car_hire.never", {}, key=key)
    connection = await asyncpg.connect(world.superuser_dsn(tenant))
    message: UUID = await connection.fetchval(
        "UPDATE outbox.messages SET state = 'dead', finished_at = now(), attempt = 8,"
        " error = $2 WHERE key = $1 RETURNING id",
        key,
        error,
    )
    await connection.close()
    return message


async def atrium(environment: dict[str, str], *words: str) -> Result:
    """Run the command beside this event loop."""
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, ["jobs", *words])


async def test_dead_letters_are_listed_retried_and_discarded(
    world: World, environment: dict[str, str]
) -> None:
    """Of pooled and dedicated tenants alike, whichever database they lie in."""
    pooled = await dead_letter(world, world.acme)
    dedicated = await dead_letter(world, world.delta)
    listed = await atrium(environment, "dead")
    assert listed.exit_code == 0, listed.output
    for message in (pooled, dedicated):
        assert f"{message}" in listed.output
    assert "car_hire.never  8  OutOfFuel" in listed.output
    assert (await atrium(environment, "retry", str(dedicated))).exit_code == 0
    assert (await atrium(environment, "discard", str(pooled))).exit_code == 0
    assert (await atrium(environment, "discard", str(dedicated))).exit_code == 0
    assert str(pooled) not in (await atrium(environment, "dead")).output


async def test_an_unknown_letter_is_refused(environment: dict[str, str]) -> None:
    """The exit code says so, and the message names it."""
    unknown = new_id()
    result = await atrium(environment, "retry", str(unknown))
    assert result.exit_code == 1
    assert str(unknown) in result.output

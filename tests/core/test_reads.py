"""Hot reads go past the session, and never past the scope."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Column, MetaData, Table, Text, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import JSONB

from atrium.testing.world import World
from core.auth.models import User
from core.ids import new_id
from core.reads import Read

_USERS = User.__table__.c
BY_EMAIL = Read(select(_USERS.id, _USERS.email).where(_USERS.email == bindparam("email")))


async def test_each_tenant_reads_its_own_rows_over_the_same_connections(world: World) -> None:
    """Many at once, pooled and dedicated: everybody finds their own owner and nobody else's."""

    async def look(number: int) -> None:
        mine = world.tenants[number % 3]
        other = world.tenants[(number + 1) % 3]
        session = world.databases.session(mine)
        found = await BY_EMAIL.one_or_none(session, email=f"owner@{mine.slug}.example")
        assert found is not None
        assert found["email"] == f"owner@{mine.slug}.example"
        assert await BY_EMAIL.one_or_none(session, email=f"owner@{other.slug}.example") is None
        await session.close()

    await asyncio.gather(*(look(number) for number in range(60)))


async def test_a_request_reads_what_it_wrote(world: World) -> None:
    """In a transaction that has begun the read is asked there."""
    email = f"{new_id().hex}@people.example"
    async with world.databases.session(world.acme) as session:
        session.add(User(id=new_id(), email=email, name="New", role="member"))
        await session.flush()
        found = await BY_EMAIL.one_or_none(session, email=email)
        assert found is not None
        await session.rollback()
        assert await BY_EMAIL.one_or_none(session, email=email) is None


async def test_a_connection_carries_no_scope_between_two_reads(world: World) -> None:
    """What comes after a failed read in one tenant opens its own scope all the same."""
    broken = Read(select(_USERS.id).where(_USERS.role == bindparam("role")))
    acme = world.databases.session(world.acme)
    with pytest.raises(Exception, match="invalid input"):
        await broken.one_or_none(acme, role=object())
    bravo = world.databases.session(world.bravo)
    found = await BY_EMAIL.one_or_none(bravo, email="owner@bravo.example")
    assert found is not None
    pool = await world.databases._pool(world.bravo.scope.database)
    async with pool.acquire() as lent:
        assert lent._con.scope is None


def test_a_column_that_needs_reading_is_refused() -> None:
    """Encrypted and JSON columns would come out raw."""
    table = Table("t", MetaData(), Column("id", Uuid()), Column("a", Text()), Column("j", JSONB()))
    with pytest.raises(ValueError, match="not a plain column"):
        Read(select(table.c.j))
    assert Read(select(table.c.id, table.c.a))

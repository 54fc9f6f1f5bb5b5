"""Sealed fields open for their tenant, table and column, and for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from core import crypto
from core.crypto import (
    CannotOpen,
    EncryptedDate,
    EncryptedText,
    KeyRing,
    MasterKeys,
    NoKey,
    create_key,
    create_master_key_file,
    open_platform,
    open_sealed,
    ready,
    rewrap_keys,
    seal,
    seal_platform,
)
from core.crypto.models import TenantKey
from core.db import Databases
from core.scope import NoScope, Tenant, acting_for
from tests.core.conftest import CoreScopes
from tests.core.secret_notes import SecretNote


@contextmanager
def another_process(ring: KeyRing) -> Iterator[KeyRing]:
    """What a freshly started process with the same master keys has: no data keys yet."""
    fresh = KeyRing(ring.master)
    crypto.install(fresh)
    try:
        yield fresh
    finally:
        crypto.install(ring)


async def test_a_sealed_column_comes_back_and_is_unreadable_in_the_table(
    scopes: CoreScopes,
) -> None:
    """What was written is read again, while PostgreSQL holds none of it."""
    for tenant in scopes.tenants:
        async with scopes.databases.transaction(tenant) as session:
            note = SecretNote(licence="PT-4711 é", born=date(1990, 2, 28))
            session.add(note)
        async with scopes.databases.transaction(tenant) as session:
            read = await session.get_one(SecretNote, note.id)
            assert (read.licence, read.born) == ("PT-4711 é", date(1990, 2, 28))
            raw = await session.scalar(
                text("SELECT licence FROM secret_notes WHERE id = :id"), {"id": note.id}
            )
            assert b"4711" not in raw


async def test_a_process_that_never_met_the_tenant_reads_its_keys_by_itself(
    scopes: CoreScopes, key_ring: KeyRing
) -> None:
    """The keys come with the first transaction, also of a statement that is not the ORM's."""
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(insert(SecretNote).values(licence="L1", born=None))
    with another_process(key_ring):
        async with scopes.databases.transaction(scopes.acme) as session:
            found = (await session.scalars(select(SecretNote.licence))).all()
    assert "L1" in found


async def test_nothing_and_empty_differ(scopes: CoreScopes) -> None:
    """NULL stays NULL and can be asked for; an empty text is sealed like any other."""
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(delete(SecretNote))
        session.add_all([SecretNote(licence=None), SecretNote(licence="")])
        await session.flush()
        unknown = select(SecretNote.licence).where(SecretNote.licence.is_(None))
        assert (await session.scalars(unknown)).all() == [None]
        known = select(SecretNote.licence).where(SecretNote.licence.is_not(None))
        assert (await session.scalars(known)).all() == [""]


async def test_another_tenants_bytes_do_not_open(scopes: CoreScopes) -> None:
    """Bytes copied from one tenant's table into another's refuse loudly."""
    async with scopes.databases.transaction(scopes.acme) as session:
        session.add(note := SecretNote(licence="secret"))
        await session.flush()
        raw = await session.scalar(
            text("SELECT licence FROM secret_notes WHERE id = :id"), {"id": note.id}
        )
    async with scopes.databases.transaction(scopes.bravo) as session:
        await session.execute(
            text("INSERT INTO secret_notes (id, licence) VALUES (:id, :raw)"),
            {"id": note.id, "raw": raw},
        )
        with pytest.raises(CannotOpen):
            await session.get(SecretNote, note.id)
        await session.rollback()


async def test_bytes_moved_to_another_column_do_not_open(scopes: CoreScopes) -> None:
    """A column's bytes mean nothing in another column of the same row."""
    async with scopes.databases.transaction(scopes.acme) as session:
        session.add(note := SecretNote(licence="1990-01-01", born=date(1980, 1, 1)))
        await session.flush()
        await session.execute(
            text("UPDATE secret_notes SET born = licence WHERE id = :id"), {"id": note.id}
        )
        with pytest.raises(CannotOpen):
            (await session.scalars(select(SecretNote.born).where(SecretNote.id == note.id))).all()
        await session.rollback()


async def test_a_flipped_bit_anywhere_is_noticed(scopes: CoreScopes) -> None:
    """Every byte is covered: the head, the nonce, the text and the tag."""
    with acting_for(scopes.acme):
        sealed = seal("a licence", "customers.licence", "row 1")
        for position in range(len(sealed)):
            changed = bytearray(sealed)
            changed[position] ^= 1
            with pytest.raises((CannotOpen, NoKey)):
                open_sealed(bytes(changed), "customers.licence", "row 1")
        assert open_sealed(sealed, "customers.licence", "row 1") == "a licence"


async def test_a_place_is_more_than_its_letters_joined(scopes: CoreScopes) -> None:
    """("ab", "c") is not ("a", "bc")."""
    with acting_for(scopes.acme):
        sealed = seal("x", "ab", "c")
        with pytest.raises(CannotOpen):
            open_sealed(sealed, "a", "bc")


async def test_the_same_text_is_never_sealed_the_same(scopes: CoreScopes) -> None:
    """Equal values cannot be told from their bytes."""
    with acting_for(scopes.acme):
        assert len({seal("same", "t.c") for _ in range(100)}) == 100


def test_outside_a_scope_nothing_is_sealed(key_ring: KeyRing) -> None:
    """Without a tenant there is no key to guess."""
    with pytest.raises(NoScope):
        seal("x", "t.c")


async def test_writing_with_another_tenants_session_is_refused(scopes: CoreScopes) -> None:
    """A session may not be written to while serving somebody else: the wrong key would seal."""
    async with scopes.databases.transaction(scopes.acme) as session:
        session.add(SecretNote(licence="x"))
        with acting_for(scopes.bravo), pytest.raises(RuntimeError, match="serving another"):
            await session.flush()
        session.expunge_all()


async def test_two_who_make_the_first_key_agree_on_one(
    scopes: CoreScopes, key_ring: KeyRing
) -> None:
    """Provisioning that runs twice at once leaves one key, and both use that one."""

    async def provision(databases: Databases, tenant: Tenant) -> bytes:
        async with databases.transaction(tenant) as session:
            await create_key(session)
            return seal("agreed", "t.c")

    async with scopes.databases.transaction(scopes.bravo) as session:
        before = (await session.scalars(select(TenantKey.wrapped))).all()
    sealed = await asyncio.gather(*(provision(scopes.databases, scopes.bravo) for _ in range(4)))
    async with scopes.databases.transaction(scopes.bravo) as session:
        assert (await session.scalars(select(TenantKey.wrapped))).all() == before
        assert {open_sealed(each, "t.c") for each in sealed} == {"agreed"}


async def test_a_tenant_without_a_key_is_refused(scopes: CoreScopes, key_ring: KeyRing) -> None:
    """Sealing before provisioning made the key says so, instead of inventing one."""
    ring = KeyRing(key_ring.master)
    with acting_for(scopes.acme), pytest.raises(NoKey):
        ring.of(scopes.acme.id)


async def test_the_master_key_can_be_replaced(scopes: CoreScopes, key_ring: KeyRing) -> None:
    """After rewrapping, the old master key is not needed and old fields open."""
    other = MasterKeys.generate().keys[1]
    both = MasterKeys({**key_ring.master.keys, 2: other}, 2)
    async with scopes.databases.transaction(scopes.delta) as session:
        session.add(note := SecretNote(licence="kept"))
    try:
        crypto.install(KeyRing(both))
        async with scopes.databases.transaction(scopes.delta) as session:
            await rewrap_keys(session)
        crypto.install(KeyRing(MasterKeys({2: other}, 2)))
        async with scopes.databases.transaction(scopes.delta) as session:
            assert (await session.get_one(SecretNote, note.id)).licence == "kept"
    finally:
        crypto.install(KeyRing(both))
        async with scopes.databases.transaction(scopes.delta) as session:
            await ready(session)
            wrapped = key_ring.wrap(scopes.delta.id, 1, crypto.installed().key(scopes.delta.id, 1))
            await session.execute(update(TenantKey).values(wrapped=wrapped))
        crypto.install(key_ring)


async def test_a_tenant_can_neither_delete_its_keys_nor_read_anothers(scopes: CoreScopes) -> None:
    """Losing a key would lose every sealed field, so PostgreSQL refuses to delete one."""
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Exception, match="permission denied"):
            await session.execute(delete(TenantKey))
        await session.rollback()


def test_platform_secrets_open_in_their_place_only(key_ring: KeyRing) -> None:
    """A database password of one catalogue row does not open as another's."""
    sealed = seal_platform("hunter2", "databases.dsn", "main")
    assert open_platform(sealed, "databases.dsn", "main") == "hunter2"
    with pytest.raises(CannotOpen):
        open_platform(sealed, "databases.dsn", "other")


def test_the_master_key_file_is_private_kept_and_read_again(tmp_path: Path) -> None:
    """It is made once, for its owner's eyes; a second start finds the same keys."""
    path = tmp_path / "state" / "master.key"
    create_master_key_file(path)
    first = path.read_text()
    create_master_key_file(path)
    assert path.read_text() == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKeys.load(path).text() == first


@pytest.mark.parametrize("content", ["", "1:short", "x:" + "A" * 43 + "=", "1:" + "*" * 44])
def test_a_master_key_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """The message names the file, and never the key."""
    path = tmp_path / "master.key"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"master\.key"):
        MasterKeys.load(path)


def test_a_column_knows_its_place() -> None:
    """Each sealed column is bound to its own table and name, also when types are shared."""
    columns = SecretNote.__table__.columns
    licence, born = columns["licence"].type, columns["born"].type
    assert isinstance(licence, EncryptedText)
    assert isinstance(born, EncryptedDate)
    assert (licence.place, born.place) == ("secret_notes.licence", "secret_notes.born")

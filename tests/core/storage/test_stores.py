"""Both stores keep the same promises."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from core.storage import s3
from core.storage.disk import DiskStore
from core.storage.keys import Key
from core.storage.s3 import Access, S3Store
from core.storage.store import CHUNK, Missing, StorageAway, Store

MINE: Final = UUID(int=1)
THEIRS: Final = UUID(int=2)


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for each in given:
        yield each


async def broken_off() -> AsyncIterator[bytes]:
    yield b"x" * (s3.PART + 1)
    raise TimeoutError


async def read(store: Store, key: Key) -> bytes:
    return b"".join([piece async for piece in await store.read(key)])


async def paths(store: Store, tenant_id: UUID, under: str = "") -> list[str]:
    return [each.key.path async for each in store.listed(tenant_id, under)]


@pytest.mark.parametrize("size", [0, 1, CHUNK, s3.PART, 2 * s3.PART + 7])
async def test_what_is_read_is_what_was_written(store: Store, size: int) -> None:
    """Whole, and with its own size and digest, in one part or several."""
    body = secrets.token_bytes(size)
    key = Key(MINE, "plugins/car_hire/documents/a")
    written = await store.put(key, pieces(*(body[at : at + CHUNK] for at in range(0, size, CHUNK))))
    assert (written.size, written.sha256) == (size, hashlib.sha256(body).hexdigest())
    assert await read(store, key) == body


async def test_what_broke_off_is_not_there(store: Store) -> None:
    """Nothing can be read, nothing is listed, and no part is left lying."""
    key = Key(MINE, "a/b")
    with pytest.raises(TimeoutError):
        await store.put(key, broken_off())
    with pytest.raises(Missing):
        await store.read(key)
    assert await paths(store, MINE) == []
    if isinstance(store, S3Store):
        begun = await store._call(store._client.list_multipart_uploads)
        assert not begun.get("Uploads")


async def test_a_tenants_objects_are_listed_and_cleared_alone(store: Store) -> None:
    """In the order of their paths; a folder's name is no beginning of another's."""
    for path in ("b/2", "b/1", "ba/1", "é.txt"):
        await store.put(Key(MINE, path), pieces(b"mine"))
    await store.put(Key(THEIRS, "b/1"), pieces(b"theirs"))
    assert await paths(store, MINE) == ["b/1", "b/2", "ba/1", "é.txt"]
    assert await paths(store, MINE, "b") == ["b/1", "b/2"]
    await store.clear(MINE, "b")
    assert await paths(store, MINE) == ["ba/1", "é.txt"]
    await store.clear(MINE)
    assert await paths(store, MINE) == []
    assert await read(store, Key(THEIRS, "b/1")) == b"theirs"


async def test_removing_twice_is_removing_once(store: Store) -> None:
    key = Key(MINE, "a")
    await store.put(key, pieces(b"x"))
    for _time in range(2):
        await store.delete(key)
    with pytest.raises(Missing):
        await store.read(key)


async def test_a_file_on_disk_is_ours_alone(tmp_path: Path) -> None:
    """No other account of the machine reads it."""
    store = DiskStore(tmp_path)
    await store.put(Key(MINE, "a/b"), pieces(b"x"))
    file = store.folder(MINE) / "a" / "b"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["b"]


async def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.storage.disk._finished", full)
    with pytest.raises(StorageAway):
        await DiskStore(tmp_path).put(Key(MINE, "a"), pieces(b"x"))
    assert not any(path.is_file() for path in tmp_path.rglob("*"))  # noqa: ASYNC240


async def test_a_store_that_is_away_is_said_and_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run of failures it is not asked for a while."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3Store(
        Access(
            bucket="b", endpoint="http://127.0.0.1:9", region="x", access_key="k", secret_key="s"
        )
    )
    monkeypatch.setattr(store._client.meta.config, "retries", {"total_max_attempts": 1})
    for _time in range(5):
        with pytest.raises(StorageAway):
            await store.read(Key(MINE, "a"))
    assert store.breaker.state == "open"


def test_keys_are_not_told(access: Access) -> None:
    assert "secret" not in repr(access)

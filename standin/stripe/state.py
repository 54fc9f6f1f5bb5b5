"""What the proxy itself remembers, in one SQLite file: it must survive a restart as
localstripe's own store does, or a payment authorised yesterday could not be captured today."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Body = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL,
    created REAL NOT NULL, body TEXT NOT NULL, UNIQUE (kind, account, id)
);
CREATE INDEX IF NOT EXISTS records_by_id ON records (kind, id);
"""


class State:
    """Records of a kind, by account and id, each one JSON object."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def put(self, kind: str, account: str, key: str, body: Body) -> None:
        """Insert or replace one record."""
        self._db.execute(
            "INSERT INTO records (kind, id, account, created, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, account, id) DO UPDATE SET body = excluded.body",
            (kind, key, account, time.time(), json.dumps(body)),
        )

    def get(self, kind: str, account: str, key: str) -> Body | None:
        """One record, or None."""
        row = self._db.execute(
            "SELECT body FROM records WHERE kind = ? AND account = ? AND id = ?",
            (kind, account, key),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def delete(self, kind: str, account: str, key: str) -> None:
        """Forget one record."""
        self._db.execute(
            "DELETE FROM records WHERE kind = ? AND account = ? AND id = ?", (kind, account, key)
        )

    def owner(self, kind: str, key: str) -> str | None:
        """The account that a record with this id belongs to."""
        row = self._db.execute(
            "SELECT account FROM records WHERE kind = ? AND id = ?", (kind, key)
        ).fetchone()
        return row[0] if row else None

    def newest(self, kind: str, account: str) -> Iterator[Body]:
        """The account's records, the newest first."""
        rows = self._db.execute(
            "SELECT body FROM records WHERE kind = ? AND account = ? ORDER BY seq DESC",
            (kind, account),
        )
        for (body,) in rows.fetchall():
            yield json.loads(body)

    def made(self, kind: str, account: str, *, since: float) -> list[str]:
        """The ids of the account's records made since a Unix time, the newest first."""
        rows = self._db.execute(
            "SELECT id FROM records WHERE kind = ? AND account = ? AND created >= ?"
            " ORDER BY seq DESC",
            (kind, account, since),
        )
        return [key for (key,) in rows.fetchall()]

    def having(self, kind: str, account: str, name: str, value: str) -> list[str]:
        """The ids of the account's records whose ``name`` is ``value``, the newest first."""
        rows = self._db.execute(
            "SELECT id FROM records WHERE kind = ? AND account = ?"
            " AND json_extract(body, ?) = ? ORDER BY seq DESC",
            (kind, account, f'$."{name}"', value),
        )
        return [key for (key,) in rows.fetchall()]

    def everyone(self, kind: str) -> list[tuple[str, str, Body]]:
        """All accounts' records as (account, id, body), the oldest first."""
        rows = self._db.execute(
            "SELECT account, id, body FROM records WHERE kind = ? ORDER BY seq", (kind,)
        )
        return [(account, key, json.loads(body)) for account, key, body in rows.fetchall()]

    def forget_before(self, kind: str, moment: float) -> None:
        """Drop the records of a kind made before a Unix time."""
        self._db.execute("DELETE FROM records WHERE kind = ? AND created < ?", (kind, moment))

    def clear(self) -> None:
        """Forget everything."""
        self._db.execute("DELETE FROM records")

    def close(self) -> None:
        """Release the file."""
        self._db.close()

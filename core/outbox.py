"""The relay's side of the outboxes: which messages to send, hold, drop and forget.

A connection here is the relay's own login, which sees where a message goes and not what it
says. Every method is one statement that commits by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import asyncpg

from core.scope import Database

CHANNEL: Final = "outbox"
"""NOTIFY says here that something was put; a hint that anybody may give."""


class OutboxDatabases(Protocol):
    """The databases that hold outboxes; supplied by the composition root."""

    async def outboxes(self) -> Sequence[Database]:
        """Every database of the installation; each ``dsn`` logs in as the relay."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as the relay sees it; ``sends`` counts this sending."""

    id: UUID
    tenant: UUID
    actor: str
    trace: str
    sends: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up, in the outbox of ``database``."""

    database: str
    id: UUID
    tenant: UUID
    actor: str
    attempts: int
    error: str
    put_at: datetime
    died_at: datetime


# Ids commit out of order, so there is no "everything after the last one": what has to be sent is
# looked up by when. The row is marked before the doorbell rings; a lock held while ringing would
# make a quick worker believe that another has the message.
#
# Shares: the tenants that have something due are found by hopping through the index, one probe for
# each that has anything pending; each gives as much as its share has room for. A message counts
# against it while a worker has it, or as long as one should have taken it. Who has anything due or
# with the workers is present, however long ago it asked: an hour's job is beside somebody, too.
_CLAIM: Final = """
WITH RECURSIVE waiting(tenant) AS (
  SELECT (SELECT tenant FROM outbox.messages WHERE state = 'pending' ORDER BY tenant LIMIT 1)
  WHERE (SELECT send_at FROM outbox.messages WHERE state = 'pending' ORDER BY send_at LIMIT 1)
    <= clock_timestamp()
  UNION ALL
  SELECT (SELECT tenant FROM outbox.messages
          WHERE state = 'pending' AND tenant > w.tenant ORDER BY tenant LIMIT 1)
  FROM waiting w WHERE w.tenant IS NOT NULL
), present AS MATERIALIZED (
  SELECT * FROM (
    SELECT w.tenant, (
      SELECT count(*) FROM outbox.messages
      WHERE state = 'pending' AND sent_at IS NOT NULL AND tenant = w.tenant
        AND send_at > clock_timestamp()
        AND (sent_at > clock_timestamp() - $2::interval OR leased_until > clock_timestamp())
    ) AS in_flight, (
      SELECT send_at FROM outbox.messages
      WHERE state = 'pending' AND tenant = w.tenant ORDER BY send_at LIMIT 1
    ) <= clock_timestamp() AS has_due
    FROM waiting w WHERE w.tenant IS NOT NULL
  ) each WHERE in_flight > 0 OR has_due
), share AS MATERIALIZED (
  SELECT CASE count(*) WHEN 1 THEN $4::bigint ELSE least($4, $5::bigint) END AS places FROM present
), due AS MATERIALIZED (
  SELECT d.id, p.in_flight + d.turn AS turn, d.send_at FROM present p
  CROSS JOIN share s
  CROSS JOIN LATERAL (
    SELECT id, row_number() OVER (ORDER BY send_at) AS turn, send_at FROM (
      SELECT id, send_at FROM outbox.messages
      WHERE state = 'pending' AND tenant = p.tenant AND send_at <= clock_timestamp()
      ORDER BY send_at LIMIT greatest(0, s.places - p.in_flight)
    ) first
  ) d WHERE p.has_due ORDER BY turn, d.send_at LIMIT $1
), mine AS (
  SELECT id FROM outbox.messages
  WHERE id = ANY(ARRAY(SELECT id FROM due)) AND state = 'pending' AND send_at <= clock_timestamp()
  FOR UPDATE SKIP LOCKED
), claimed AS (
  UPDATE outbox.messages m
  SET sent_at = clock_timestamp(), sends = m.sends + 1,
      send_at = clock_timestamp()
        + least($2::interval * power(2, least(m.sends, 20)), $3::interval)
  FROM mine WHERE m.id = mine.id
  RETURNING m.id, m.tenant, m.actor, m.trace, m.sends
)
SELECT c.* FROM claimed c JOIN due USING (id) ORDER BY due.turn, due.send_at
"""

_POSTPONE: Final = """
UPDATE outbox.messages SET send_at = clock_timestamp() + $2::interval, sent_at = NULL
WHERE id = ANY($1::uuid[]) AND state = 'pending'
"""

_RELEASE: Final = """
UPDATE outbox.messages
SET send_at = clock_timestamp() + $2::interval, sends = greatest(sends - 1, 0), sent_at = NULL
WHERE id = ANY($1::uuid[]) AND state = 'pending'
"""

_HURRY: Final = """
UPDATE outbox.messages SET send_at = clock_timestamp(), sends = 0
WHERE state = 'pending' AND tenant = ANY($1::uuid[]) AND leased_until IS NULL
  AND due_at <= clock_timestamp() AND send_at > clock_timestamp()
"""

_DISCARD: Final = """
UPDATE outbox.messages
SET state = 'discarded', finished_at = clock_timestamp(), leased_until = NULL, args = '{}'
WHERE id = ANY($1::uuid[]) AND state IN ('pending', 'dead') RETURNING id
"""

_PURGE: Final = """
DELETE FROM outbox.messages WHERE id IN (
  SELECT id FROM outbox.messages
  WHERE state IN ('done', 'discarded') AND finished_at < clock_timestamp() - $1::interval
  ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""

_DEAD: Final = """
SELECT id, tenant, actor, attempt, coalesce(error, ''), put_at, finished_at FROM outbox.messages
WHERE state = 'dead' AND ($1::uuid IS NULL OR tenant = $1) AND ($2 = '' OR actor = $2)
ORDER BY finished_at DESC LIMIT $3
"""

_COUNT_DEAD: Final = """
SELECT actor, count(*) AS letters FROM outbox.messages WHERE state = 'dead' GROUP BY actor
"""

_ALIVE_AGAIN: Final = """
UPDATE outbox.messages
SET state = 'pending', finished_at = NULL, attempt = 0, sends = 0, sent_at = NULL,
    due_at = clock_timestamp(), send_at = clock_timestamp()
"""

_RETRY: Final = _ALIVE_AGAIN + "WHERE id = $1 AND state = 'dead' RETURNING id"

_SUCH: Final = """
WHERE state = 'dead' AND ($1::uuid IS NULL OR tenant = $1) AND ($2 = '' OR actor = $2)
"""

_RETRY_ALL: Final = _ALIVE_AGAIN + _SUCH

_DISCARD_ALL: Final = (
    """
UPDATE outbox.messages
SET state = 'discarded', finished_at = clock_timestamp(), leased_until = NULL, args = '{}'
"""
    + _SUCH
)

_WAITING: Final = """
SELECT count(*) FILTER (WHERE due_at <= clock_timestamp()) AS due,
       count(*) FILTER (WHERE due_at > clock_timestamp()) AS later,
       (SELECT count(*) FROM outbox.messages WHERE state = 'dead') AS dead,
       min(due_at) FILTER (WHERE due_at <= clock_timestamp()) AS oldest
FROM outbox.messages WHERE state = 'pending'
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages of a database are due, wait for their time, or were given up; and since
    when the oldest of those due has waited."""

    due: int
    later: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox at the other end of a connection of the relay's login."""

    connection: asyncpg.Connection

    async def claim(
        self, limit: int, alone: int, beside: int, again: timedelta, longest: timedelta
    ) -> list[Envelope]:
        """Mark up to ``limit`` due messages as sent; in the order in which to ring for them, the
        tenants taking turns.

        Of no tenant are more than ``beside`` with the workers then, or ``alone`` of one beside
        whom nobody has anything due or with the workers. A message that stays unfinished is due
        again after ``again``, then twice that, up to ``longest``.
        """
        rows = await self.connection.fetch(_CLAIM, limit, again, longest, alone, beside)
        return [Envelope(*row) for row in rows]

    async def release(self, ids: Sequence[UUID], pause: timedelta) -> None:
        """Take back a claim: nothing was sent."""
        await self.connection.execute(_RELEASE, ids, pause)

    async def postpone(self, ids: Sequence[UUID], pause: timedelta) -> None:
        """Hold messages back for ``pause``; it is no failed attempt of theirs."""
        await self.connection.execute(_POSTPONE, ids, pause)

    async def hurry(self, tenants: Sequence[UUID]) -> None:
        """Let what is due and held of ``tenants`` be rung for now."""
        await self.connection.execute(_HURRY, tenants)

    async def discard(self, ids: Sequence[UUID]) -> int:
        """Never deliver them; gives how many there were, pending or dead."""
        return len(await self.connection.fetch(_DISCARD, ids))

    async def purge(self, age: timedelta, limit: int) -> int:
        """Forget up to ``limit`` messages that ended longer ago than ``age``; gives how many."""
        return _counted(await self.connection.execute(_PURGE, age, limit))

    async def dead(self, tenant: UUID | None, actor: str, limit: int) -> list[asyncpg.Record]:
        """The latest dead letters, of one tenant or of all, of one actor or (empty) of all."""
        rows: list[asyncpg.Record] = await self.connection.fetch(_DEAD, tenant, actor, limit)
        return rows

    async def count_dead(self) -> dict[str, int]:
        """How many dead letters there are of each actor."""
        rows = await self.connection.fetch(_COUNT_DEAD)
        return {row["actor"]: row["letters"] for row in rows}

    async def retry_all(self, tenant: UUID | None, actor: str) -> int:
        """Let every such dead letter live again; gives how many there were."""
        return _counted(await self.connection.execute(_RETRY_ALL, tenant, actor))

    async def discard_all(self, tenant: UUID | None, actor: str) -> int:
        """Never deliver any such dead letter; gives how many there were."""
        return _counted(await self.connection.execute(_DISCARD_ALL, tenant, actor))

    async def waiting(self) -> Waiting:
        """What has not been done yet."""
        return Waiting(*await self.connection.fetchrow(_WAITING))

    async def retry(self, message: UUID) -> bool:
        """Let a dead letter live again, with all its attempts; False if there is none."""
        return await self.connection.fetchval(_RETRY, message) is not None


def _counted(status: str) -> int:
    """The number of rows that a statement's status ends with."""
    return int(status.rpartition(" ")[2])


async def connect(database: Database) -> asyncpg.Connection:
    """A connection of the relay's login, bounded in every wait.

    What a queue's statistics say is always out of date: everything here goes by an index.
    """
    return await asyncpg.connect(
        database.dsn,
        timeout=5,
        command_timeout=30,
        server_settings={
            "search_path": "",
            "application_name": "atrium-relay",
            "enable_seqscan": "off",
        },
    )

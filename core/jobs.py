"""Jobs: declared with ``@actor``, asked for with ``enqueue``, run by ``workers``.

Asking writes a row of the outbox in the caller's own transaction: the job exists if and only
if that transaction committed. The worker opens the tenant's scope, takes the row, checks that
the tenant is active and the plugin enabled, calls the body and marks the row done in one
transaction, so that its effects in the database happen once however often Redis delivers it.
A body that fails is tried again with growing pauses; after ``max_attempts`` it is a dead letter.

What happens outside the database cannot be undone with the transaction. A body that calls a
vendor records its intent, calls through ``core.db.outside`` with ``running_job().id`` as the
idempotency key, and records the outcome; found with an intent and no outcome, it asks the
vendor what became of it (docs/decisions/effects-outside.md).
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, get_type_hints
from uuid import UUID

import msgspec
from cronsim import CronSim
from sqlalchemy import DateTime, String, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from core import telemetry
from core.i18n import LazyText
from core.ids import new_id

Body = Callable[..., Awaitable[None]]

_PUT: Final = text("SELECT outbox.put(:id, :actor, :args, :trace, :key, :due_at)").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("actor", type_=Text()),
    bindparam("args", type_=JSONB()),
    bindparam("trace", type_=String()),
    bindparam("key", type_=String()),
    bindparam("due_at", type_=DateTime(timezone=True)),
)


class GiveUp(Exception):
    """Raised by a body that no further attempt can help: the job is a dead letter at once.

    Its message is kept with the dead letter, so it must name no person.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A declared job: ``body(session, **args)`` runs in one transaction of its tenant.

    ``name`` is ``plugin.function`` (or ``core.…``, ``tenants.…``); its first part names the
    plugin that must be enabled. ``time_limit`` bounds one attempt.
    """

    name: str
    body: Body
    queue: str
    max_attempts: int
    time_limit: timedelta

    async def enqueue(
        self,
        session: AsyncSession,
        *,
        key: str | None = None,
        due_at: datetime | None = None,
        **args: Any,
    ) -> bool:
        """Ask for the job when the present transaction commits.

        ``key`` makes it once: a second request of this tenant and actor with the same key is
        ignored, and the answer is False. ``due_at`` (aware) is when it should run at the
        earliest. ``args`` become JSON; the body's annotations say what they are read back as.
        """
        return await put(session, self.name, args, key=key, due_at=due_at)

    def read(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """What came back from JSON, as the types that the body's annotations ask for.

        Raises:
            msgspec.ValidationError: naming the argument that is missing or of another type.
        """
        expected = _parameters(self.body)
        typed = msgspec.convert(args, expected)
        return {name: getattr(typed, name) for name in expected.__struct_fields__}


async def put(
    session: AsyncSession,
    actor: str,
    args: dict[str, Any],
    *,
    key: str | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Write a message for the actor named ``actor`` to the outbox; False if ``key`` was known."""
    accepted = await session.scalar(
        _PUT,
        {
            "id": new_id(),
            "actor": actor,
            "args": msgspec.to_builtins(args, str_keys=True),
            "trace": telemetry.traceparent(),
            "key": key,
            "due_at": due_at,
        },
    )
    return bool(accepted)


@cache
def _parameters(body: Body) -> type[msgspec.Struct]:
    """The body's arguments after the session, as a struct to read them into."""
    hints = get_type_hints(body)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for each in list(inspect.signature(body).parameters.values())[1:]:
        kind = hints.get(each.name, Any)
        known = each.default is not inspect.Parameter.empty
        fields.append((each.name, kind, each.default) if known else (each.name, kind))
    return msgspec.defstruct("Arguments", fields, kw_only=True)


def actor(
    name: str,
    *,
    queue: str = "default",
    max_attempts: int = 8,
    time_limit: timedelta = timedelta(minutes=5),
) -> Callable[[Body], Actor]:
    """Declare the decorated coroutine function as the job ``name``."""

    def declare(body: Body) -> Actor:
        return Actor(
            name=name, body=body, queue=queue, max_attempts=max_attempts, time_limit=time_limit
        )

    return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A periodic job of every tenant that has the plugin.

    Where clocks change, a job due in the hour that is left out runs right after it, and one due
    in the hour that comes twice runs once. Of slots missed while nothing ran, the last is made up.
    """

    actor: Actor
    """Which job; it takes no arguments."""
    cron: str
    """Five fields, read in the tenant's own time zone."""
    spread: timedelta = timedelta(minutes=5)
    """Each tenant is shifted by a constant share of it, so that not all start in one second."""
    title: LazyText | str = ""
    """What it does, in words; a product has one for each, shown on its page in the portal."""

    def __post_init__(self) -> None:
        if len(self.cron.split()) != 5:
            raise ValueError(f"{self.actor.name}: cron {self.cron!r} must have five fields")
        CronSim(self.cron, datetime(2000, 1, 1))  # noqa: DTZ001  # raises if it is malformed

    @property
    def name(self) -> str:
        """What tells it from others: another time is another schedule."""
        return f"{self.actor.name} {self.cron}"


@dataclass(frozen=True, slots=True)
class RunningJob:
    """Which message is being worked on; ``attempt`` counts from 1."""

    id: UUID
    actor: str
    attempt: int


current_job: ContextVar[RunningJob] = ContextVar("job")
"""Set by the runtime while a body runs."""


def running_job() -> RunningJob:
    """The job being worked on; its ``id`` is the same at every attempt: an idempotency key.

    Raises:
        LookupError: outside a job.
    """
    return current_job.get()

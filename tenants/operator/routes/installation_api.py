"""The control-plane API: databases, migrations and dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.engine import make_url

from core.db import outside
from core.dead_letters import DeadLetters
from core.presence import Sign
from core.web.api import Listing
from core.web.forms import Form
from core.web.http import AnyRequest, Session
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.routes.health import look
from tenants.operator.services import databases, installed, jobs, migrations

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
ActorName = Annotated[str, QueryParameter(max_length=200, description="Of this job alone.")]


class DatabaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A database; what it says of itself is null while it is ``away``."""

    name: str
    dedicated: bool
    tenants: int
    state: str
    version: str | None
    bytes: int | None
    connections: int | None
    max_connections: int | None


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """In how many scopes one line has one state: current, running or failed."""

    line: str
    target: str
    state: str
    scopes: int


class FailedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line that stopped in one scope; ``slug`` is null for tenant zero."""

    tenant_id: UUID
    slug: str | None
    line: str
    revision: str | None
    target: str
    error: str | None
    changed_at: datetime


class MigrationsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where all migrations stand."""

    lines: list[LineOut]
    failed: list[FailedOut]


class PluginOut(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin; ``problem`` says why it does not work here. ``tenants`` counts by state."""

    name: str
    title: str
    version: str | None
    problem: str | None
    tenants: dict[str, int]


class DeadLetterOut(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was given up."""

    id: UUID
    database: str
    tenant_id: UUID
    actor: str
    attempts: int
    error: str
    put_at: datetime
    died_at: datetime


class Which(Form):
    """Which dead letters; what is absent asks for all."""

    actor: Annotated[str, msgspec.Meta(max_length=200, extra={"label": "actor"})] | None = None
    tenant_id: UUID | None = None


class CountOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    count: int


class ProcessOut(msgspec.Struct, frozen=True, kw_only=True):
    """A process; ``missed`` when it should have been heard of since ``seen_at``."""

    process: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    missed: bool
    breakers: dict[str, str]


class WaitingOut(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in one database's outbox; ``oldest_due_at`` of what is due."""

    database: str
    state: str
    due: int | None
    later: int | None
    dead: int | None
    oldest_due_at: datetime | None


class HealthOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the installation is; ``missing`` are kinds of process of which none is known to live."""

    well: bool
    redis: str
    queues: dict[str, int]
    missing: list[str]
    processes: list[ProcessOut]
    outboxes: list[WaitingOut]


class InstallationApi(Controller):
    """``/api/v1/operator/…``."""

    path = "/api/v1/operator"
    tags = ("Operator",)

    @get("/databases", access=looking)
    async def databases(self, request: AnyRequest, session: Session) -> Listing[DatabaseOut]:
        """Every database, the main one first."""
        looked = await outside(session, lambda: databases.look(parts.roster(request)))
        answers = {each.name: each.answer for each in looked}
        name = make_url(parts.settings(request).database_url).database or ""
        found = await databases.listed(session, name)
        return Listing([_database(each, answers.get(each.name)) for each in found])

    @get("/health", access=looking)
    async def health(self, request: AnyRequest, session: Session) -> HealthOut:
        """What lives, what answers and what waits."""
        found = await outside(session, lambda: look(request))
        return HealthOut(
            well=found.is_well,
            redis="answers" if found.redis else "away",
            queues=dict(found.redis.rung) if found.redis else {},
            missing=list(found.missing),
            processes=[_process(sign) for sign in found.signs],
            outboxes=[_waiting(each) for each in found.databases],
        )

    @get("/migrations", access=looking)
    async def migrations(self, session: Session) -> MigrationsOut:
        """Where every line stands, and the latest failures."""
        lines = [
            LineOut(line=each.line, target=each.target, state=each.state, scopes=each.scopes)
            for each in await migrations.lines(session)
        ]
        failed = [
            FailedOut(
                tenant_id=each.tenant_id,
                slug=each.slug,
                line=each.status.line,
                revision=each.status.revision,
                target=each.status.target,
                error=each.status.error,
                changed_at=each.status.changed_at,
            )
            for each in await migrations.failed(session)
        ]
        return MigrationsOut(lines=lines, failed=failed)

    @get("/plugins", access=looking)
    async def plugins(self, request: AnyRequest, session: Session) -> Listing[PluginOut]:
        """Every plugin that is installed or in use."""
        found = await installed.plugins(session, parts.products(request))
        return Listing(
            [
                PluginOut(
                    name=each.name,
                    title=str(each.title),
                    version=each.version,
                    problem=each.problem,
                    tenants=dict(each.tenants),
                )
                for each in found
            ]
        )

    @get("/dead-letters", access=looking)
    async def dead_letters(
        self,
        request: AnyRequest,
        session: Session,
        actor: ActorName = "",
        tenant_id: FromQuery[UUID | None] = None,
        limit: Limit = 100,
    ) -> Listing[DeadLetterOut]:
        """The latest jobs that were given up, newest first."""
        letters = DeadLetters(parts.roster(request))
        found = await outside(
            session, lambda: letters.latest(tenant=tenant_id, actor=actor, limit=limit)
        )
        return Listing(
            [
                DeadLetterOut(
                    id=each.id,
                    database=each.database,
                    tenant_id=each.tenant,
                    actor=each.actor,
                    attempts=each.attempts,
                    error=each.error,
                    put_at=each.put_at,
                    died_at=each.died_at,
                )
                for each in found
            ]
        )

    @post("/dead-letters/{message_id:uuid}/retry", access=acting, status_code=204)
    async def retry(
        self, request: AnyRequest, session: Session, message_id: FromPath[UUID]
    ) -> None:
        """Try one again, with all its attempts."""
        await jobs.retry(session, DeadLetters(parts.roster(request)), message_id)

    @delete("/dead-letters/{message_id:uuid}", access=acting)
    async def discard(
        self, request: AnyRequest, session: Session, message_id: FromPath[UUID]
    ) -> None:
        """Never do one."""
        await jobs.discard(session, DeadLetters(parts.roster(request)), message_id)

    @post("/dead-letters/retry", access=acting, status_code=200)
    async def retry_all(
        self, request: AnyRequest, session: Session, data: JSONBody[Which]
    ) -> CountOut:
        """Try all that match again."""
        letters = DeadLetters(parts.roster(request))
        count = await jobs.retry_all(session, letters, data.tenant_id, data.actor or "")
        return CountOut(count=count)

    @post("/dead-letters/discard", access=acting, status_code=200)
    async def discard_all(
        self, request: AnyRequest, session: Session, data: JSONBody[Which]
    ) -> CountOut:
        """Never do any that match."""
        letters = DeadLetters(parts.roster(request))
        count = await jobs.discard_all(session, letters, data.tenant_id, data.actor or "")
        return CountOut(count=count)


def _process(sign: Sign) -> ProcessOut:
    return ProcessOut(
        process=sign.process,
        host=sign.host,
        pid=sign.pid,
        started_at=sign.since,
        seen_at=sign.at,
        missed=sign.is_missed,
        breakers=dict(sign.breakers),
    )


def _waiting(looked: databases.Looked) -> WaitingOut:
    waiting = looked.answer.waiting if looked.answer else None
    return WaitingOut(
        database=looked.name,
        state="answers" if looked.answer else "away",
        due=waiting.due if waiting else None,
        later=waiting.later if waiting else None,
        dead=waiting.dead if waiting else None,
        oldest_due_at=waiting.oldest if waiting else None,
    )


def _database(listed: databases.Listed, answer: databases.Answer | None) -> DatabaseOut:
    return DatabaseOut(
        name=listed.name,
        dedicated=listed.dedicated,
        tenants=listed.tenants,
        state="answers" if answer else "away",
        version=answer.version if answer else None,
        bytes=answer.bytes if answer else None,
        connections=answer.connections if answer else None,
        max_connections=answer.most if answer else None,
    )

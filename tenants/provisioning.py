"""Making a tenant, step by step: each recorded in the catalogue, each safe to repeat.

A run is worked off by a job of tenant zero. Killed anywhere, it is taken up at the first step
that is not recorded as done; a step that was done but not recorded is done again, to no effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec
import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.clock import now
from core.crypto import create_key
from core.db import Databases
from core.errors import NotFound
from core.permissions import Role
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from core.signals import Signals
from tenants import runs
from tenants.archive.restoring import Restoring
from tenants.catalogue import EVERYONE, describe
from tenants.changes import announce
from tenants.databases import Place, platform
from tenants.files import forget_folder, plugin_folder_of
from tenants.lifecycle import Order, Ordered, Owner, note, removal
from tenants.lifecycle.restoring import Source
from tenants.means import Means
from tenants.migration.ledger import row_of, write
from tenants.migration.lines import Lines
from tenants.migration.replay import bring_up, current
from tenants.models import (
    Membership,
    ProvisioningRun,
    Seed,
    TenantPlugin,
    TenantRecord,
)
from tenants.scopes import connected, make_role, make_schema, spread_role
from tenants.warm import Warmer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run is about, and its steps that are not done, in order."""

    run_id: UUID
    steps: tuple[tuple[int, str], ...]
    tenant: Tenant
    place: Place
    chosen: tuple[str, ...]
    owner: Owner | None
    source: Source | None


class Provisioner:
    """Works runs off. One serves a whole process."""

    def __init__(
        self,
        settings: Settings,
        databases: Databases,
        plugins: Plugins,
        lines: Lines,
        signals: Signals,
    ) -> None:
        self._settings = settings
        self._databases = databases
        self._plugins = plugins
        self._lines = lines
        self._signals = signals
        self._platform = platform(settings)
        self.means = Means(
            settings=settings, databases=databases, plugins=plugins, lines=lines, signals=signals
        )
        self._restoring = Restoring(self.means)

    @property
    def warmer(self) -> Warmer:
        """Who makes scopes in advance, where this one makes tenants."""
        return Warmer(self._settings, self._databases, self._lines)

    async def provision_now(self, wanted: Order) -> Tenant:
        """Make a tenant here and now, without a job: for seeds, tests and benchmarks."""
        async with self._databases.transaction(self._platform) as session:
            ordered: Ordered = await note(session, wanted)
        return await self.run(ordered.run_id)

    async def run(self, run_id: UUID) -> Tenant:
        """Work a run off from where it stands; the tenant as it is in the end.

        Raises:
            NotFound: there is no such run.
            Exception: whatever stopped a step; it is recorded, and ``run`` may be called again.
        """
        async with self._databases.transaction(self._platform) as session:
            work = await self._read(session, run_id)
        done: int | None = None
        async with _Connection() as connection:
            for position, name in work.steps:
                async with self._databases.transaction(self._platform) as session:
                    await runs.move(session, run_id, done, position)
                try:
                    await self._perform(work, position, name, connection)
                except Exception as problem:
                    log.exception("provisioning.failed", run=str(run_id), step=name)
                    async with self._databases.transaction(self._platform) as session:
                        await runs.fail(session, run_id, position, name, problem)
                    raise
                done = position
        async with self._databases.transaction(self._platform) as session:
            return (await self._read(session, run_id)).tenant

    async def _perform(
        self, work: _Work, position: int, name: str, connection: _Connection
    ) -> None:
        kind, _, plugin = name.partition(":")
        log.info("provisioning.step", run=str(work.run_id), tenant=str(work.tenant.id), step=name)
        match kind:
            case "role" | "schema" | "tables":
                await self._build(kind, work, await connection.to(work.place))
            case "snapshot" | "layout" | "load" | "discard":
                await self._restore(kind, work, connection)
            case "remove":
                await self._remove(work, plugin, await connection.to(work.place))
            case "key":
                # Nobody may enter the scope before this.
                await spread_role(await connection.to(work.place), work.tenant.scope.name)
                async with self._databases.transaction(work.tenant) as session:
                    await create_key(session)
            case "seed":
                await self._seed(work.tenant, plugin)
            case "owner":
                await self._let_owner_in(work)
            case "activate":
                await self._activate(work, position)
            case _:
                raise ValueError(f"there is no step {name!r}")

    async def _build(self, kind: str, work: _Work, connection: asyncpg.Connection) -> None:
        scope = work.tenant.scope.name
        if kind == "role":
            await make_role(connection, scope, login=work.place.login, password=work.place.password)
        elif kind == "schema":
            await make_schema(connection, scope)
        else:
            lines = self._lines.of_tenant(work.chosen)
            for line in lines:
                await bring_up(connection, scope, line)
            async with self._databases.transaction(self._platform) as session:
                await write(session, [row_of(current(work.tenant.id, line)) for line in lines])

    async def _restore(self, kind: str, work: _Work, connection: _Connection) -> None:
        source = work.source
        assert source is not None
        match kind:
            case "snapshot":
                await self._restoring.snapshot(source)
            case "layout":
                there = await connection.to(work.place)
                await self._restoring.layout(source, work.tenant, there)
            case "load":
                await self._restoring.load(source, work.tenant)
            case "discard":
                await self._restoring.discard(source)

    async def _remove(self, work: _Work, plugin: str, connection: asyncpg.Connection) -> None:
        """A product's tables, settings and files; an archive of them was written before."""
        await removal.drop_tables(connection, work.tenant.scope.name, plugin)
        async with self._databases.transaction(work.tenant) as session:
            await removal.forget_settings(session, plugin)
        await asyncio.to_thread(
            forget_folder, plugin_folder_of(self._settings, work.tenant.id, plugin)
        )
        async with self._databases.transaction(self._platform) as session:
            await removal.strike_out(session, self._signals, work.tenant.id, plugin)

    async def _seed(self, tenant: Tenant, name: str) -> None:
        plugin = self._plugins.working[name]
        if plugin.seed is not None:
            await once(self._databases, tenant, f"{name}.seed", plugin.seed)

    async def _let_owner_in(self, work: _Work) -> None:
        owner = work.owner
        assert owner is not None
        async with self._databases.transaction(work.tenant) as session:
            await session.execute(
                insert(User)
                .values(
                    id=owner.user_id,
                    email=owner.email.lower(),
                    name=owner.name,
                    role=Role.OWNER.value,
                    locale=work.tenant.locale,
                )
                .on_conflict_do_nothing()
            )
            by_email = select(User.id).where(User.email == owner.email.lower())
            user_id = await session.scalar(by_email) or owner.user_id  # of a copy, by the same id
            if work.source is not None:  # in an archive they may have been something else
                await session.execute(
                    update(User)
                    .where(User.id == user_id, User.role != Role.OWNER.value)
                    .values(role=Role.OWNER.value, disabled_at=None)
                )
        if owner.account_id is None:
            return
        async with self._databases.transaction(self._platform) as session:
            await session.execute(
                insert(Membership)
                .values(
                    tenant_id=work.tenant.id,
                    account_id=owner.account_id,
                    user_id=user_id,
                    role=Role.OWNER.value,
                )
                .on_conflict_do_update(
                    index_elements=[Membership.tenant_id, Membership.account_id],
                    set_={"user_id": user_id},
                )
            )

    async def _activate(self, work: _Work, position: int) -> None:
        async with self._databases.transaction(self._platform) as session:
            await session.execute(
                update(TenantRecord)
                .where(TenantRecord.id == work.tenant.id, TenantRecord.status == "provisioning")
                .values(status="active")
            )
            await session.execute(
                update(TenantPlugin)
                .where(
                    TenantPlugin.tenant_id == work.tenant.id,
                    TenantPlugin.plugin.in_(work.chosen),
                    TenantPlugin.state == "installing",
                )
                .values(state="enabled")
            )
            await runs.move(session, work.run_id, position, None)
            await session.execute(
                update(ProvisioningRun)
                .where(ProvisioningRun.id == work.run_id)
                .values(state="done", error=None, owner=None, source=None, finished_at=now())
            )
            announce(session, self._signals, work.tenant.id)

    async def _read(self, session: AsyncSession, run_id: UUID) -> _Work:
        run = await session.get(ProvisioningRun, run_id, populate_existing=True)
        if run is None:
            raise NotFound
        rows = await session.execute(EVERYONE.where(TenantRecord.id == run.tenant_id))
        record, database, _enabled, standing, host = rows.one()
        chosen = await session.scalars(
            select(TenantPlugin.plugin)
            .where(
                TenantPlugin.tenant_id == record.id,
                TenantPlugin.state.not_in(("disabled", "removing")),
            )
            .order_by(TenantPlugin.plugin)
        )
        plugins = tuple(chosen)
        return _Work(
            run_id=run_id,
            steps=await runs.open_steps(session, run_id),
            tenant=describe(self._settings, self._lines, record, database, plugins, standing, host),
            place=Place.of(self._settings, database),
            chosen=plugins,
            owner=msgspec.convert(run.owner, Owner) if run.owner else None,
            source=msgspec.convert(run.source, Source) if run.source else None,
        )


class _Connection:
    """The provisioner's connection of one run, opened when a step first needs it."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._open: asyncpg.Connection | None = None

    async def __aenter__(self) -> _Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def to(self, place: Place) -> asyncpg.Connection:
        """The connection; a run stays in one database."""
        if self._open is None:
            self._open = await self._stack.enter_async_context(connected(place.provisioner_url))
        return self._open


async def once(
    databases: Databases,
    tenant: Tenant,
    name: str,
    fill: Callable[[AsyncSession], Awaitable[None]],
) -> bool:
    """Fill a tenant's scope, and note ``name`` in the same transaction; False if it was there."""
    async with databases.transaction(tenant) as session:
        noted = await session.scalar(
            insert(Seed).values(name=name).on_conflict_do_nothing().returning(Seed.name)
        )
        if noted is not None:
            await fill(session)
    return noted is not None

"""Making a tenant, step by step: each recorded in the catalogue, each safe to repeat.

A run is worked off by a job of tenant zero. Killed anywhere, it is taken up at the first step
that is not recorded as done; a step that was done but not recorded is done again, to no effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
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
from core.storage.keys import folder_of_plugin
from tenants import notices, runs
from tenants.archive.restoring import Restoring
from tenants.catalogue import EVERYONE, describe, find
from tenants.changes import announce
from tenants.databases import Place
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
from tenants.scopes import make_role, make_schema, spread_role
from tenants.warm import Warmer


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run is about."""

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
        self.means = Means(
            settings=settings, databases=databases, plugins=plugins, lines=lines, signals=signals
        )
        self._restoring = Restoring(self.means)

    @property
    def warmer(self) -> Warmer:
        """Who makes scopes in advance, where this one makes tenants."""
        return Warmer(self.means.settings, self.means.databases, self.means.lines)

    async def provision_now(self, wanted: Order) -> Tenant:
        """Make a tenant here and now, without a job: for seeds, tests and benchmarks."""
        async with self.means.of_the_platform() as session:
            ordered: Ordered = await note(session, wanted)
        return await self.run(ordered.run_id)

    async def run(self, run_id: UUID) -> Tenant:
        """Work a run off from where it stands; the tenant as it is in the end.

        Raises:
            NotFound: there is no such run.
            Exception: whatever stopped a step; it is recorded, and ``run`` may be called again.
        """
        async with self.means.of_the_platform() as session:
            work = await self._read(session, run_id)
            run = await runs.begin(session, run_id, work.tenant.id)
        owner = work.owner.account_id if work.owner is not None else None
        await runs.work_off(
            run,
            self.means.of_the_platform,
            partial(self._perform, work, run_id),
            lambda session: notices.tell_stopped(session, run_id, work.tenant.id, owner),
        )
        async with self.means.of_the_platform() as session:
            made = await find(
                session, self.means.settings, self.means.lines, TenantRecord.id == work.tenant.id
            )
        assert made is not None
        return made

    async def _perform(self, work: _Work, run_id: UUID, name: str) -> runs.Record | None:
        kind, _, plugin = name.partition(":")
        match kind:
            case "role" | "schema":
                await self._build(kind, work)
            case "tables":
                return await self._lay_tables(work)
            case "snapshot" | "layout" | "load" | "discard":
                await self._restore(kind, work)
            case "remove":
                return await self._remove(work, plugin)
            case "key":
                await self._make_key(work)
            case "seed":
                await self._seed(work.tenant, plugin)
            case "owner":
                return await self._let_owner_in(work)
            case "activate":
                return partial(self._activate, work, run_id)
            case _:
                raise ValueError(f"there is no step {name!r}")
        return None

    def _at(self, work: _Work) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A connection of the provisioner where the tenant lives."""
        return self.means.databases.lent(work.place.provisioner, work.tenant.scope.name)

    async def _build(self, kind: str, work: _Work) -> None:
        scope, place = work.tenant.scope.name, work.place
        async with self._at(work) as connection:
            if kind == "role":
                await make_role(connection, scope, login=place.login, password=place.password)
            else:
                await make_schema(connection, scope)

    async def _lay_tables(self, work: _Work) -> runs.Record:
        lines = self.means.lines.of_tenant(work.chosen)
        async with self._at(work) as connection:
            for line in lines:
                await bring_up(connection, work.tenant.scope.name, line)
        rows = [row_of(current(work.tenant.id, line)) for line in lines]
        return lambda session: write(session, rows)

    async def _restore(self, kind: str, work: _Work) -> None:
        source = work.source
        assert source is not None
        match kind:
            case "snapshot":
                await self._restoring.snapshot(source)
            case "layout":
                async with self._at(work) as connection:
                    await self._restoring.layout(source, work.tenant, connection)
            case "load":
                await self._restoring.load(source, work.tenant)
            case "discard":
                await self._restoring.discard(source)

    async def _remove(self, work: _Work, plugin: str) -> runs.Record:
        """A product's tables, settings and files; an archive of them was written before."""
        tenant = work.tenant
        async with self._at(work) as connection:
            await removal.drop_tables(connection, tenant.scope.name, plugin)
        async with self.means.databases.transaction(tenant) as session:
            await removal.forget_settings(session, plugin)
        await self.means.store.clear(tenant.id, folder_of_plugin(plugin))
        return lambda session: removal.strike_out(session, self.means.signals, tenant.id, plugin)

    async def _make_key(self, work: _Work) -> None:
        async with self._at(work) as connection:
            await spread_role(connection, work.tenant.scope.name)
        # Nobody may enter the scope before this.
        async with self.means.databases.transaction(work.tenant) as session:
            await create_key(session)

    async def _seed(self, tenant: Tenant, name: str) -> None:
        plugin = self.means.plugins.working[name]
        if plugin.seed is not None:
            await once(self.means.databases, tenant, f"{name}.seed", plugin.seed)

    async def _let_owner_in(self, work: _Work) -> runs.Record | None:
        owner = work.owner
        assert owner is not None
        async with self.means.databases.transaction(work.tenant) as session:
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
            return None
        membership = (
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
        return lambda session: session.execute(membership)

    async def _activate(self, work: _Work, run_id: UUID, session: AsyncSession) -> None:
        await session.execute(
            update(TenantRecord)
            .where(TenantRecord.id == work.tenant.id, TenantRecord.status == "provisioning")
            .values(status="active")
        )
        enabled = await session.scalars(
            update(TenantPlugin)
            .where(
                TenantPlugin.tenant_id == work.tenant.id,
                TenantPlugin.plugin.in_(work.chosen),
                TenantPlugin.state == "installing",
            )
            .values(state="enabled")
            .returning(TenantPlugin.plugin)
        )
        await self._tell(session, work, sorted(enabled))
        await session.execute(
            update(ProvisioningRun)
            .where(ProvisioningRun.id == run_id)
            .values(state="done", error=None, owner=None, source=None, finished_at=now())
        )
        announce(session, self.means.signals, work.tenant.id)

    async def _tell(self, session: AsyncSession, work: _Work, enabled: list[str]) -> None:
        """Whoever looks after it, of the business or, if that was open before, of its products."""
        if work.owner is not None or work.source is not None:
            await notices.tell(session, notices.READY, work.tenant.id, "/progress")
            return
        for name in enabled:
            product = self.means.plugins.working[name].title
            await notices.tell(session, notices.PRODUCT_ADDED, work.tenant.id, product=product)

    async def _read(self, session: AsyncSession, run_id: UUID) -> _Work:
        run = await session.get(ProvisioningRun, run_id)
        if run is None:
            raise NotFound
        rows = await session.execute(EVERYONE.where(TenantRecord.id == run.tenant_id))
        record, database, _enabled, standing, *rest = rows.one()
        chosen = await session.scalars(
            select(TenantPlugin.plugin)
            .where(
                TenantPlugin.tenant_id == record.id,
                TenantPlugin.state.not_in(("disabled", "removing")),
            )
            .order_by(TenantPlugin.plugin)
        )
        plugins, settings, lines = tuple(chosen), self.means.settings, self.means.lines
        return _Work(
            tenant=describe(settings, lines, record, database, plugins, standing, *rest),
            place=Place.of(settings, database),
            chosen=plugins,
            owner=msgspec.convert(run.owner, Owner) if run.owner else None,
            source=msgspec.convert(run.source, Source) if run.source else None,
        )


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

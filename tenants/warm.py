"""Scopes made in advance: empty, with role, schema, core's tables and a key, waiting for a tenant.

A sign-up takes one and gives its tenant that id, so that only the products' tables are left to
make. Until then nobody sees it: it is in no list, at no address, and its role belongs to nobody.
One that is behind is brought up by ``atrium migrate`` like any other, or at the latest by the
run of the tenant that took it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Text, bindparam, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.crypto import create_key
from core.db import Databases
from core.ids import new_id
from core.scope import Scope, Tenant, scope_name
from core.settings import Settings
from tenants.databases import Place, platform
from tenants.migration.ledger import row_of, write
from tenants.migration.lines import Lines
from tenants.migration.replay import bring_up, current
from tenants.models import WarmScope
from tenants.scopes import make_role, make_schema, spread_role

log = structlog.get_logger(__name__)

KEEP: Final = "tenants.keep_warm"
"""The job of tenant zero that makes as many as are lacking."""
MADE: Final = frozenset({"role", "schema", "key"})
"""The steps of a provisioning run that are done in a scope taken from here."""
LEFT_BEHIND: Final = timedelta(minutes=2)
"""One that has been in the making for so long was left by somebody who was killed."""

_IN_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))").bindparams(
    bindparam("name", KEEP, type_=Text())
)


async def claim(session: AsyncSession) -> UUID | None:
    """Take a scope that is ready, if there is one: its id, for the tenant that will live there.

    Others who ask at the same moment get others; undone with the transaction of tenant zero.
    """
    ready = (
        select(WarmScope.id)
        .where(WarmScope.state == "ready")
        .order_by(WarmScope.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken: UUID | None = await session.scalar(
        delete(WarmScope).where(WarmScope.id == ready.scalar_subquery()).returning(WarmScope.id)
    )
    return taken


@dataclass(frozen=True, slots=True)
class Warmer:
    """Keeps ``settings.warm_scopes`` of them ready in the main database."""

    settings: Settings
    databases: Databases
    lines: Lines

    async def keep(self) -> int:
        """Make what is lacking, and finish what was begun and left; how many that were.

        More than are wanted are left for those who will take them.
        """
        unfinished = await self._begin()
        for each in unfinished:
            await self._make(each)
        if unfinished:
            log.info("warm.made", scopes=len(unfinished))
        return len(unfinished)

    async def _begin(self) -> Sequence[UUID]:
        async with self.databases.transaction(platform(self.settings)) as session:
            await session.execute(_IN_TURN)
            there = await session.scalar(select(func.count()).select_from(WarmScope)) or 0
            fresh = [new_id() for _ in range(self.settings.warm_scopes - there)]
            session.add_all(WarmScope(id=each) for each in fresh)
            await session.flush()
            taken_up = await session.scalars(
                update(WarmScope)
                .where(
                    WarmScope.state == "making",
                    or_(WarmScope.id.in_(fresh), WarmScope.changed_at < now() - LEFT_BEHIND),
                )
                .values(changed_at=now())
                .returning(WarmScope.id)
            )
            return taken_up.all()

    async def _make(self, scope_id: UUID) -> None:
        """Every step may be repeated: half-made ones are made whole by doing it all again."""
        name, lines = scope_name(scope_id), self.lines.of_tenant(())
        place = Place.main(self.settings)
        async with self.databases.lent(place.provisioner, name) as connection:
            await make_role(connection, name)
            await make_schema(connection, name)
            for line in lines:
                await bring_up(connection, name, line)
            await spread_role(connection, name)
        nobody = Tenant(
            id=scope_id, slug="", name="", scope=Scope(place.application, name), status="warm"
        )
        async with self.databases.transaction(nobody) as session:
            await create_key(session)
        async with self.databases.transaction(platform(self.settings)) as session:
            await write(session, [row_of(current(scope_id, line)) for line in lines])
            await session.execute(
                update(WarmScope).where(WarmScope.id == scope_id).values(state="ready")
            )

"""Everybody that is to be migrated: which scopes, in which databases, made of which lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import NotFound
from core.scope import scope_name
from core.settings import Settings
from tenants.databases import Place, places
from tenants.migration.lines import Lines
from tenants.migration.replay import Outcome, Target, applied, lacking
from tenants.models import MAIN_DATABASE, TenantPlugin, TenantRecord, WarmScope
from tenants.scopes import connected


class NoSuchTenant(NotFound):
    """Naming the slugs that nobody has."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All targets of an installation by database, and what its tenants are called."""

    targets: Mapping[Place, Sequence[Target]]
    slugs: Mapping[UUID, str]

    @classmethod
    async def read(
        cls,
        session: AsyncSession,
        settings: Settings,
        lines: Lines,
        slugs: Collection[str] = (),
    ) -> Self:
        """From the catalogue; with ``slugs`` these tenants alone, else warm scopes as well.

        Raises:
            NoSuchTenant: nobody has one of the ``slugs``.
        """
        chosen = select(func.array_agg(TenantPlugin.plugin)).where(
            TenantPlugin.tenant_id == TenantRecord.id
        )
        rows = (
            await session.execute(
                select(
                    TenantRecord.id,
                    TenantRecord.slug,
                    TenantRecord.database,
                    chosen.scalar_subquery().label("plugins"),
                ).order_by(TenantRecord.id)
            )
        ).all()
        if unknown := set(slugs) - {row.slug for row in rows}:
            raise NoSuchTenant(f"there is no tenant {', '.join(sorted(unknown))}")
        wanted = [row for row in rows if not slugs or row.slug in slugs]
        targets: dict[str, list[Target]] = {}
        for row in wanted:
            made_of = lines.of_tenant(row.plugins or ())
            target = Target(row.id, scope_name(row.id), made_of)
            targets.setdefault(row.database or MAIN_DATABASE, []).append(target)
        if not slugs:
            warm = await session.scalars(select(WarmScope.id).order_by(WarmScope.id))
            ready = (Target(each, scope_name(each), lines.of_tenant(())) for each in warm)
            targets.setdefault(MAIN_DATABASE, []).extend(ready)
        everywhere = await places(session, settings)
        return cls(
            {place: targets[place.name] for place in everywhere if place.name in targets},
            {row.id: row.slug for row in rows},
        )


async def behind(place: Place, targets: Sequence[Target]) -> tuple[list[Target], list[Outcome]]:
    """Which of a database's ``targets`` lack something, and the outcomes of all lines that
    do not.

    Raises:
        OSError: the database is away (or asyncpg.PostgresError: it refuses us).
    """
    async with connected(place.provisioner_url) as connection:
        present = await applied(connection)
    # A tenant that is only being made gets its tables from its provisioning.
    return lacking([target for target in targets if target.scope in present], present)

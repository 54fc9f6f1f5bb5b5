"""``atrium migrate``: every scope of every database at the newest revision of its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.crypto import create_key
from core.db import Databases
from core.scope import PLATFORM_SCHEMA, TENANT_ZERO, scope_name
from core.settings import Settings
from tenants.databases import Place, places, platform
from tenants.migration.lines import Lines
from tenants.migration.replay import CONNECTIONS, Outcome, Target, applied, lacking, replay
from tenants.models import MAIN_DATABASE, MigrationStatus, TenantPlugin, TenantRecord
from tenants.scopes import connected, make_role, make_schema


async def migrate(
    settings: Settings, databases: Databases, lines: Lines, *, connections: int = CONNECTIONS
) -> list[Outcome]:
    """Bring tenant zero up, then every tenant, several at a time in each database.

    It may be killed and run again, and two may run at once: what a scope has is recorded in
    the transaction that gave it. A tenant that fails is an outcome with an ``error``.

    Raises:
        RuntimeError: tenant zero itself cannot be brought up; nothing else was begun.
    """
    await make_platform(settings, lines)
    async with databases.transaction(platform(settings)) as session:
        await create_key(session)
        everywhere = await places(session, settings)
        records = (await session.scalars(select(TenantRecord).order_by(TenantRecord.id))).all()
        chosen = await _chosen_plugins(session)

    async def bring_up(place: Place) -> list[Outcome]:
        targets = _targets(place, records, chosen, lines)
        outcomes = await _migrate_place(place, targets, connections)
        await _record(settings, databases, outcomes)
        return outcomes

    found = await asyncio.gather(*map(bring_up, everywhere))
    return [outcome for each in found for outcome in each]


async def make_platform(settings: Settings, lines: Lines) -> None:
    """Make tenant zero's scope in the main database, or bring it up.

    Raises:
        RuntimeError: a revision failed; the message names the line.
    """
    async with connected(settings.provisioner_url) as connection:
        await make_role(connection, PLATFORM_SCHEMA)
        await make_schema(connection, PLATFORM_SCHEMA)
    target = Target(TENANT_ZERO, PLATFORM_SCHEMA, lines.of_platform())
    for outcome in await replay(settings.provisioner_url, [target]):
        if outcome.error:
            raise RuntimeError(f"line {outcome.line!r} failed in tenant zero: {outcome.error}")


async def _chosen_plugins(session: AsyncSession) -> dict[object, list[str]]:
    chosen: dict[object, list[str]] = {}
    for tenant_id, plugin in await session.execute(
        select(TenantPlugin.tenant_id, TenantPlugin.plugin)
    ):
        chosen.setdefault(tenant_id, []).append(plugin)
    return chosen


def _targets(
    place: Place,
    records: Iterable[TenantRecord],
    chosen: dict[object, list[str]],
    lines: Lines,
) -> list[Target]:
    """The tenants of a database that have begun to exist, with the lines of their plugins."""
    return [
        Target(record.id, scope_name(record.id), lines.of_tenant(chosen.get(record.id, ())))
        for record in records
        if (record.database or MAIN_DATABASE) == place.name
    ]


async def _migrate_place(
    place: Place, targets: Sequence[Target], connections: int
) -> list[Outcome]:
    try:
        async with connected(place.provisioner_url) as connection:
            present = await applied(connection)
    except OSError:
        return await replay(place.provisioner_url, targets, 1)  # each is told that it failed
    # A tenant that is only being made gets its tables from its provisioning.
    begun = [target for target in targets if target.scope in present]
    todo, current = lacking(begun, present)
    return current + await replay(place.provisioner_url, todo, connections)


async def _record(settings: Settings, databases: Databases, outcomes: Sequence[Outcome]) -> None:
    for start in range(0, len(outcomes), 500):
        batch = [_status(outcome) for outcome in outcomes[start : start + 500]]
        async with databases.transaction(platform(settings)) as session:
            wanted = insert(MigrationStatus).values(batch)
            new = wanted.excluded
            await session.execute(
                wanted.on_conflict_do_update(
                    index_elements=[MigrationStatus.tenant_id, MigrationStatus.line],
                    set_={
                        "revision": new.revision,
                        "target": new.target,
                        "state": new.state,
                        "error": new.error,
                        "changed_at": new.changed_at,
                    },
                    where=(MigrationStatus.target != new.target)
                    | (MigrationStatus.state != new.state)
                    | (MigrationStatus.error.is_distinct_from(new.error)),
                )
            )


def _status(outcome: Outcome) -> dict[str, object]:
    return {
        "tenant_id": outcome.tenant_id,
        "line": outcome.line,
        "revision": outcome.revision,
        "target": outcome.target,
        "state": "failed" if outcome.error else "current",
        "error": outcome.error,
        "changed_at": now(),
    }

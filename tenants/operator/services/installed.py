"""The installed plugins: which work, which do not and why, and who uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText
from core.plugin import Plugins
from tenants.models import TenantPlugin


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A plugin; ``problem`` says why it does not work here. ``tenants`` counts by state."""

    name: str
    title: LazyText | str
    version: str | None
    core_versions: str | None
    problem: str | None
    tenants: Mapping[str, int]


async def plugins(session: AsyncSession, products: Plugins) -> Sequence[Installed]:
    """Every plugin that was found here, and those that only tenants remember."""
    used = await _used(session)
    names = sorted({*products.working, *products.broken, *used})
    return [_described(name, products, used.get(name, {})) for name in names]


def _described(name: str, products: Plugins, tenants: Mapping[str, int]) -> Installed:
    working = products.working.get(name)
    return Installed(
        name=name,
        title=working.title if working else name,
        version=working.version if working else None,
        core_versions=working.core_versions if working else None,
        problem=None if working else products.broken.get(name, "NotInstalled"),
        tenants=tenants,
    )


async def _used(session: AsyncSession) -> dict[str, dict[str, int]]:
    rows = await session.execute(
        select(TenantPlugin.plugin, TenantPlugin.state, func.count().label("tenants")).group_by(
            TenantPlugin.plugin, TenantPlugin.state
        )
    )
    used: dict[str, dict[str, int]] = {}
    for row in rows:
        used.setdefault(row.plugin, {})[row.state] = row.tenants
    return used

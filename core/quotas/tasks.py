"""Every night, what was counted is compared with what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.quotas import services
from core.quotas.declaration import Limit
from core.scope import Tenant

_declared: dict[str, tuple[Limit, ...]] = {}


def install(declared: Mapping[str, tuple[Limit, ...]]) -> None:
    """Say, once for the process, what each part limits; those of core under ``core``."""
    _declared.clear()
    _declared.update(declared)


def limits_of(tenant: Tenant) -> Sequence[Limit]:
    """What is limited for a tenant: by core, and by the products that it has."""
    names = ["core", *sorted(tenant.plugins)]
    return [limit for name in names for limit in _declared.get(name, ())]


@actor("core.recount_quotas")
async def recount(session: AsyncSession) -> None:
    """Set every level right; what was off is in the log as ``quota.drift``."""
    for limit in limits_of(session.info["tenant"]):
        if not limit.is_rate:
            await services.recount(session, limit)


EVERY_NIGHT: Final = Schedule(actor=recount, cron="35 3 * * *")

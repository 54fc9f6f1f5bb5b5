"""A business's name with its records and their state, as people and programs see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.settings import Settings
from tenants.domains import names, records, services
from tenants.domains.checking import GRACE
from tenants.domains.models import TenantHost
from tenants.domains.records import Seen, State, Wanted


class Status(StrEnum):
    """``TAKEN``: its records are right, but another business's are too, which had it first;
    ``FAILING``: it still works here, and is given up if its records stay wrong."""

    WAITING = "waiting"
    TAKEN = "taken"
    WORKING = "working"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Part:
    """``ownership`` or ``routing``: the records of which one has to be made, and what is there."""

    purpose: str
    wanted: Sequence[Wanted]
    seen: Seen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainView:
    """``host`` as DNS has it, ``title`` as people write it; moments are aware."""

    id: UUID
    host: str
    title: str
    status: Status
    is_primary: bool
    is_apex: bool
    parts: Sequence[Part]
    checked_at: datetime | None
    next_check_at: datetime | None
    lapses_at: datetime | None


async def every(
    session: AsyncSession, settings: Settings, slug: str, tenant_id: UUID
) -> list[DomainView]:
    """All names of a business."""
    found = await services.of(session, tenant_id)
    return [await view(session, settings, slug, each) for each in found]


async def view(
    session: AsyncSession, settings: Settings, slug: str, domain: TenantHost
) -> DomainView:
    """One name of the business at ``slug``."""
    kept = domain.records or {}
    seen = {purpose: Seen.of(found) for purpose, found in kept.items()}
    wanted = records.wanted(settings, slug, domain.host, domain.token)
    return DomainView(
        id=domain.id,
        host=domain.host,
        title=names.shown(domain.host),
        status=await _status(session, domain, seen),
        is_primary=domain.is_primary,
        is_apex=names.is_apex(domain.host),
        parts=[
            Part(purpose, [each for each in wanted if each.purpose == purpose], seen.get(purpose))
            for purpose in ("ownership", "routing")
        ],
        checked_at=domain.checked_at,
        next_check_at=domain.next_check_at,
        lapses_at=services.lapses_at(domain, GRACE),
    )


async def _status(session: AsyncSession, domain: TenantHost, seen: dict[str, Seen]) -> Status:
    if domain.verified_at is not None:
        return Status.WORKING if domain.wrong_since is None else Status.FAILING
    all_right = bool(seen) and all(each.state is State.RIGHT for each in seen.values())
    if all_right and await services.is_somebody_elses(session, domain):
        return Status.TAKEN
    return Status.WAITING

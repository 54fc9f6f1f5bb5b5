"""A tenant's address: free or taken, reserved, and changed for another."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.clock import now
from core.errors import Conflict
from core.i18n import _
from core.signals import Signals
from tenants import slugs
from tenants.changes import announce
from tenants.lifecycle.statuses import locked
from tenants.models import FormerSlug, TenantRecord

REDIRECTED: Final = timedelta(days=90)
"""For how long an old address leads to the new one and is nobody else's. It must outlast a
session (30 days): cookies are bound to the host, and the next owner would be sent them."""

_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('atrium.slug.' || :look, 0))")


class SlugTaken(Conflict):
    """Another tenant has this address, or one that looks like it."""

    code = "slug_taken"
    title = _("This address is taken; please choose another")


async def is_available(session: AsyncSession, slug: str, *, to: UUID | None = None) -> bool:
    """Whether a valid ``slug`` is neither taken, reserved, nor too like one that is.

    What the tenant ``to`` has or had itself does not stand in its way.
    """
    if not slugs.is_valid(slug):
        return False
    return not await _held(session, [slugs.look(slug)], to)


async def suggest(session: AsyncSession, wanted: str, count: int = 3) -> list[str]:
    """Up to ``count`` slugs near ``wanted`` (a name or a slug) that are free."""
    candidates = list(slugs.suggestions(wanted))
    held = await _held(session, list(map(slugs.look, candidates)))
    return [each for each in candidates if slugs.look(each) not in held][:count]


async def take(session: AsyncSession, slug: str, *, to: UUID | None = None) -> None:
    """Insist that ``slug`` is free, and keep others from taking it while this transaction runs.

    Raises:
        SlugTaken: with the field ``slug``.
    """
    await session.execute(_ALONE, {"look": slugs.look(slug)})
    if not await is_available(session, slug, to=to):
        raise SlugTaken(field="slug")
    # What is left here is the tenant's own, or its time is over.
    await session.execute(delete(FormerSlug).where(FormerSlug.look == slugs.look(slug)))


async def rename(session: AsyncSession, signals: Signals, tenant_id: UUID, slug: str) -> None:
    """Move a tenant to another subdomain; the old one redirects there for ``REDIRECTED``.

    Cookies are bound to their host: everybody signs in anew at the new address, while programs
    keep their tokens. Letters written from now on name the new address.

    Raises:
        Invalid, SlugTaken: with the field ``slug``.
    """
    slugs.check(slug)
    tenant = await locked(session, tenant_id)
    old = tenant.slug
    if slug == old:
        return
    await take(session, slug, to=tenant_id)
    await reserve(session, old, tenant_id, REDIRECTED)
    tenant.slug, tenant.look = slug, slugs.look(slug)
    await session.flush()
    announce(session, signals, tenant_id)
    detail = {"from": old, "to": slug}
    await audit.record(session, "tenants.renamed", "tenant", tenant_id, detail)


async def reserve(
    session: AsyncSession, slug: str, tenant_id: UUID | None, period: timedelta
) -> None:
    """Keep a slug from being taken for ``period``; with a tenant, it leads there meanwhile."""
    look = slugs.look(slug)
    await session.execute(_ALONE, {"look": look})
    await session.merge(FormerSlug(look=look, slug=slug, tenant_id=tenant_id, until=now() + period))
    await session.flush()


async def release(session: AsyncSession) -> None:
    """Forget reservations whose time is over."""
    await session.execute(delete(FormerSlug).where(FormerSlug.until <= func.now()))


async def _held(session: AsyncSession, looks: list[str], to: UUID | None = None) -> set[str]:
    """Which of ``looks`` are somebody's: a tenant's, or reserved (for another than ``to``)."""
    taken = select(TenantRecord.look).where(TenantRecord.look.in_(looks))
    reserved = select(FormerSlug.look).where(
        FormerSlug.look.in_(looks), FormerSlug.until > func.now()
    )
    if to is not None:
        taken = taken.where(TenantRecord.id != to)
        others = or_(FormerSlug.tenant_id.is_(None), FormerSlug.tenant_id != to)
        reserved = reserved.where(others)
    return set(await session.scalars(taken.union(reserved)))

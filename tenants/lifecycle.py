"""A tenant's life, as the platform steers it: ordered, served, suspended, given products.

Every function takes tenant zero's session and leaves the transaction to the caller. What
changes how a tenant is served is announced to all processes once that transaction commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, FieldError, Invalid, NotFound
from core.i18n import LOCALES, _
from core.ids import new_id
from core.jobs import put
from core.money import is_currency
from core.signals import Signals
from tenants import slugs
from tenants.changes import announce
from tenants.models import (
    DatabaseRecord,
    DedicatedRequest,
    ProvisioningRun,
    ProvisioningStep,
    TenantPlugin,
    TenantRecord,
)

PROVISION: Final = "tenants.provision"
"""The job of tenant zero that works off a provisioning run."""

_MOVES: Final = {
    "provisioning": frozenset({"active", "closed"}),
    "active": frozenset({"suspended", "closed"}),
    "suspended": frozenset({"active", "closed"}),
    "closed": frozenset[str](),
}
"""What a tenant's status may become."""


class SlugTaken(Conflict):
    """Another tenant has this address, or one that looks like it."""

    code = "slug_taken"
    title = _("This address is taken; please choose another")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who begins as a tenant's first staff; ``account_id`` is a user of tenant zero, if any."""

    email: str
    name: str
    account_id: UUID | None = None
    user_id: UUID = msgspec.field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a business chose. ``database`` names one of the catalogue; None is the main one."""

    slug: str
    name: str
    zone: str
    currency: str
    plugins: tuple[str, ...]
    owner: Owner
    locale: str = "en"
    hosting: str = "pooled"
    database: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """The tenant that is being made, and the run that makes it."""

    tenant_id: UUID
    run_id: UUID


async def order(session: AsyncSession, wanted: Order) -> Ordered:
    """Note down a new tenant, and ask for the job that makes it.

    Raises:
        Invalid: naming the fields at fault.
        SlugTaken: with the field ``slug``.
    """
    ordered = await note(session, wanted)
    await put(session, PROVISION, {"run_id": ordered.run_id}, key=str(ordered.run_id))
    return ordered


async def note(session: AsyncSession, wanted: Order) -> Ordered:
    """Note down a new tenant and its run, without asking for the job: see ``order``."""
    _check(wanted)
    if not await is_available(session, wanted.slug):
        raise SlugTaken(field="slug")
    await _check_database(session, wanted.database)
    tenant_id: UUID | None = await session.scalar(
        insert(TenantRecord)
        .values(
            id=new_id(),
            slug=wanted.slug,
            look=slugs.look(wanted.slug),
            name=wanted.name,
            hosting=wanted.hosting,
            zone=wanted.zone,
            currency=wanted.currency,
            locale=wanted.locale,
            color=wanted.color,
            database=wanted.database,
        )
        .on_conflict_do_nothing()
        .returning(TenantRecord.id)
    )
    if tenant_id is None:  # somebody was faster by a moment
        raise SlugTaken(field="slug")
    session.add_all(TenantPlugin(tenant_id=tenant_id, plugin=name) for name in wanted.plugins)
    seeds = [f"seed:{name}" for name in sorted(wanted.plugins)]
    steps = ["role", "schema", "tables", "key", *seeds, "owner", "activate"]
    return Ordered(tenant_id, await _note_run(session, tenant_id, steps, wanted.owner))


async def is_available(session: AsyncSession, slug: str) -> bool:
    """Whether a valid ``slug`` is neither taken nor too like one that is."""
    if not slugs.is_valid(slug):
        return False
    taken = select(TenantRecord.id).where(TenantRecord.look == slugs.look(slug))
    return await session.scalar(taken) is None


async def suggest(session: AsyncSession, wanted: str, count: int = 3) -> list[str]:
    """Up to ``count`` slugs near ``wanted`` (a name or a slug) that are free."""
    candidates = list(slugs.suggestions(wanted))
    looks = select(TenantRecord.look).where(TenantRecord.look.in_(map(slugs.look, candidates)))
    taken = set(await session.scalars(looks))
    return [each for each in candidates if slugs.look(each) not in taken][:count]


async def suspend(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Stop serving a tenant; nothing of it is lost."""
    await _move(session, signals, tenant_id, "suspended")


async def resume(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Serve a suspended tenant again."""
    await _move(session, signals, tenant_id, "active")


async def enable_plugin(
    session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str
) -> UUID | None:
    """Give a tenant a product: at once if it had it before, else by the run whose id is given."""
    await _locked(session, tenant_id)
    chosen = await session.get(TenantPlugin, (tenant_id, plugin))
    if chosen is not None:
        if chosen.state == "disabled":
            chosen.state = "enabled"
            announce(session, signals, tenant_id)
        return None
    session.add(TenantPlugin(tenant_id=tenant_id, plugin=plugin))
    run_id = await _note_run(session, tenant_id, ["tables", f"seed:{plugin}", "activate"], None)
    await put(session, PROVISION, {"run_id": run_id}, key=str(run_id))
    return run_id


async def disable_plugin(
    session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str
) -> None:
    """Take a product away from a tenant; its data stays and is migrated on."""
    await _locked(session, tenant_id)
    chosen = await session.get(TenantPlugin, (tenant_id, plugin))
    if chosen is None:
        raise NotFound
    if chosen.state == "installing":
        raise Conflict(_("This product is still being set up"))
    chosen.state = "disabled"
    announce(session, signals, tenant_id)


async def request_dedicated(
    session: AsyncSession, tenant_id: UUID, account_id: UUID, note: str = ""
) -> None:
    """Keep a tenant's wish for a database of its own, until such can be ordered."""
    session.add(DedicatedRequest(tenant_id=tenant_id, account_id=account_id, note=note))
    await session.flush()


async def _move(session: AsyncSession, signals: Signals, tenant_id: UUID, status: str) -> None:
    tenant = await _locked(session, tenant_id)
    if tenant.status == status:
        return
    if status not in _MOVES[tenant.status]:
        raise Conflict(_("The present status of this business does not allow it"))
    tenant.status = status
    announce(session, signals, tenant_id)


async def _locked(session: AsyncSession, tenant_id: UUID) -> TenantRecord:
    tenant = await session.get(TenantRecord, tenant_id, with_for_update=True)
    if tenant is None:
        raise NotFound
    return tenant


async def _note_run(
    session: AsyncSession, tenant_id: UUID, steps: Sequence[str], owner: Owner | None
) -> UUID:
    described: dict[str, Any] | None = msgspec.to_builtins(owner) if owner else None
    run = ProvisioningRun(id=new_id(), tenant_id=tenant_id, owner=described)
    session.add(run)
    await session.flush()
    session.add_all(
        ProvisioningStep(run_id=run.id, position=position, name=name)
        for position, name in enumerate(steps, start=1)
    )
    await session.flush()
    return run.id


async def _check_database(session: AsyncSession, name: str | None) -> None:
    if name is None:
        return
    database = await session.get(DatabaseRecord, name, with_for_update=True)
    if database is None:
        raise NotFound
    taken = select(TenantRecord.id).where(TenantRecord.database == name)
    if database.login is not None and await session.scalar(taken) is not None:
        raise Conflict(_("This database is another business's own"))


def _check(wanted: Order) -> None:
    errors = list(_errors(wanted))
    try:
        slugs.check(wanted.slug)
    except Invalid as problem:
        errors += problem.errors
    if errors:
        raise Invalid(errors=errors)


def _errors(wanted: Order) -> Iterable[FieldError]:
    if not 1 <= len(wanted.name.strip()) <= 120 or not wanted.name.isprintable():
        yield FieldError("name", _("Enter the name of the business, up to 120 characters"))
    if wanted.zone not in available_timezones():
        yield FieldError("zone", _("Choose a time zone from the list"))
    if not is_currency(wanted.currency):
        yield FieldError("currency", _("Choose a currency from the list"))
    if wanted.locale not in LOCALES:
        yield FieldError("locale", _("Choose a language from the list"))
    if wanted.hosting not in {"pooled", "dedicated"}:
        yield FieldError("hosting", _("Choose how your data is hosted"))

"""A new tenant, as it is ordered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.i18n import LOCALES, _
from core.ids import new_id
from core.jobs import put
from core.money import is_currency
from tenants import slugs, warm
from tenants.lifecycle.naming import SlugTaken, take
from tenants.models import DatabaseRecord, TenantPlugin, TenantRecord
from tenants.runs import note_run

PROVISION: Final = "tenants.provision"
"""The job of tenant zero that works off a provisioning run."""
FILL: Final = "tenants.fill"
"""The same for a run that fills the tenant with an archive, which may take hours."""
NEXT_WARM: Final = timedelta(seconds=2)
"""After an order, until another scope is made in advance: not while the new tenant waits."""
_ZONES: Final = frozenset(available_timezones())  # it walks through the files of all of them


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who begins as a tenant's first staff; ``account_id`` is a user of tenant zero, if any."""

    email: str
    name: str
    account_id: UUID | None = None
    user_id: UUID = msgspec.field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a business chose; of its ``plugins`` those that are ``off`` come with their data alone.
    ``database`` names one of the catalogue; None is the main one."""

    slug: str
    name: str
    zone: str
    currency: str
    plugins: tuple[str, ...]
    off: tuple[str, ...] = ()
    owner: Owner
    locale: str = "en"
    hosting: str = "pooled"
    database: str | None = None
    color: str | None = None
    logo: str | None = None
    country: str | None = None


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
    await put(session, warm.KEEP, {}, due_at=now() + NEXT_WARM)
    return ordered


async def note(session: AsyncSession, wanted: Order) -> Ordered:
    """Note down a new tenant and its run, without asking for the job: see ``order``."""
    claimed = await warm.claim(session) if wanted.database is None else None
    tenant_id = await enter(session, wanted, claimed)
    seeds = [f"seed:{name}" for name in sorted(wanted.plugins)]
    steps = ["role", "schema", "tables", "key", *seeds, "owner", "activate"]
    done = warm.MADE if claimed is not None else ()
    owner = msgspec.to_builtins(wanted.owner)
    return Ordered(tenant_id, await note_run(session, tenant_id, steps, owner, done=done))


async def enter(session: AsyncSession, wanted: Order, claimed: UUID | None = None) -> UUID:
    """Enter a new tenant and its products into the catalogue, and nothing else; its id is that
    of the scope ``claimed`` for it, if there is one.

    Raises:
        Invalid: naming the fields at fault.
        SlugTaken: with the field ``slug``.
    """
    _check(wanted)
    await take(session, wanted.slug)
    await _check_database(session, wanted.database)
    tenant_id: UUID | None = await session.scalar(
        insert(TenantRecord)
        .values(
            id=claimed or new_id(),
            slug=wanted.slug,
            look=slugs.look(wanted.slug),
            name=wanted.name,
            hosting=wanted.hosting,
            zone=wanted.zone,
            currency=wanted.currency,
            locale=wanted.locale,
            color=wanted.color,
            logo=wanted.logo,
            country=wanted.country,
            database=wanted.database,
        )
        .on_conflict_do_nothing()
        .returning(TenantRecord.id)
    )
    if tenant_id is None:  # somebody was faster by a moment
        raise SlugTaken(field="slug")
    session.add_all(
        TenantPlugin(
            tenant_id=tenant_id,
            plugin=name,
            state="disabled" if name in wanted.off else "installing",
        )
        for name in wanted.plugins
    )
    await session.flush()
    return tenant_id


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
    if wanted.zone not in _ZONES:
        yield FieldError("zone", _("Choose a time zone from the list"))
    if not is_currency(wanted.currency):
        yield FieldError("currency", _("Choose a currency from the list"))
    if wanted.locale not in LOCALES:
        yield FieldError("locale", _("Choose a language from the list"))
    if wanted.hosting not in {"pooled", "dedicated"}:
        yield FieldError("hosting", _("Choose how your data is hosted"))

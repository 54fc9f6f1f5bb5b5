"""What operators do with tenants beyond what ``tenants.lifecycle`` does already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.audit import services as audit
from core.auth import entry
from core.auth.models import User
from core.auth.names import clean_email
from core.auth.services import create_person
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _, fill
from core.jobs import put
from core.permissions import Role
from core.settings import Settings
from core.signals import Signals
from tenants import lifecycle
from tenants.changes import announce
from tenants.lifecycle import Order, Ordered, Owner
from tenants.lifecycle.statuses import locked
from tenants.models import Membership, ProvisioningRun, TenantPlugin, TenantRecord

INVITATION = "operator/mail/invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tenant as an operator orders it; ``database`` None is the main one."""

    slug: str
    name: str
    zone: str
    currency: str
    locale: str
    country: str | None
    plugins: tuple[str, ...]
    database: str | None
    hosting: str
    owner_email: str
    owner_name: str


async def create(session: AsyncSession, settings: Settings, wanted: Wanted) -> Ordered:
    """Order a tenant; its owner gets an account of the portal and a letter if they
    have none.

    Raises:
        Conflict: the owner's account has not confirmed its address; the field is ``owner.email``.
        Invalid: naming the field at fault.
        SlugTaken: with the field ``slug``.
    """
    account_id, is_new = await _account(session, wanted)
    owner = Owner(
        email=clean_email(wanted.owner_email), name=wanted.owner_name, account_id=account_id
    )
    order = Order(
        slug=wanted.slug,
        name=wanted.name,
        zone=wanted.zone,
        currency=wanted.currency,
        plugins=wanted.plugins,
        locale=wanted.locale,
        hosting=wanted.hosting,
        database=wanted.database,
        owner=owner,
    )
    ordered = await lifecycle.order(session, order)
    await session.execute(
        update(TenantRecord)
        .where(TenantRecord.id == ordered.tenant_id)
        .values(country=wanted.country)
    )
    await session.execute(
        insert(Membership).values(
            tenant_id=ordered.tenant_id,
            account_id=account_id,
            user_id=owner.user_id,
            role=Role.OWNER.value,
        )
    )
    if is_new:
        await _invite(session, settings, wanted, account_id, ordered.tenant_id)
    detail = {"slug": wanted.slug, "plugins": sorted(wanted.plugins), "hosting": wanted.hosting}
    await audit.record(session, "operator.tenant_ordered", "tenant", ordered.tenant_id, detail)
    return ordered


async def _account(session: AsyncSession, wanted: Wanted) -> tuple[UUID, bool]:
    """The owner's account of the portal, and whether it was made just now."""
    email = clean_email(wanted.owner_email)
    found = await session.scalar(select(User).where(User.email == email))
    if found is not None:
        if found.password_hash and not found.email_confirmed_at:
            # Whoever chose that password has not shown that the address is theirs.
            unproved = _("This account has not confirmed its e-mail address yet")
            raise Conflict(unproved, field="owner.email")
        return found.id, False
    account_id = await create_person(
        session, email=email, name=wanted.owner_name, role=Role.MEMBER, locale=wanted.locale
    )
    return account_id, True


async def _invite(
    session: AsyncSession, settings: Settings, wanted: Wanted, account_id: UUID, tenant_id: UUID
) -> None:
    token = await entry.issue_invitation(session, account_id)
    link = f"{settings.public_url}/invitation?token={quote(token)}"
    context = {"name": wanted.owner_name, "business": wanted.name, "link": link}
    await mail.send(
        session,
        INVITATION,
        clean_email(wanted.owner_email),
        context,
        locale=wanted.locale,
        # By this key it is found and removed when the tenant is deleted.
        key=f"tenant:{tenant_id}:invitation:{account_id}",
    )


async def rename(session: AsyncSession, signals: Signals, tenant_id: UUID, name: str) -> None:
    """Call a tenant something else; its address stays.

    Raises:
        Invalid: naming the field ``name``.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise Invalid(_("Enter the name of the business, up to 120 characters"), field="name")
    tenant = await locked(session, tenant_id)
    if tenant.name == name:
        return
    before, tenant.name = tenant.name, name
    await session.flush()
    announce(session, signals, tenant_id)
    detail = {"from": before, "to": name}
    await audit.record(session, "operator.tenant_renamed", "tenant", tenant_id, detail)


async def enable(
    session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str, known: Collection[str]
) -> None:
    """Give a tenant a product; a worker sets it up, unless the tenant had it before.

    Raises:
        Invalid: no such product works here, naming the field ``plugins``.
    """
    if plugin not in known:
        text = fill(_("There is no working product {name} here"), name=plugin)
        raise Invalid(text, field="plugins")
    await lifecycle.enable_plugin(session, signals, tenant_id, plugin)
    detail = {"product": plugin}
    await audit.record(session, "operator.product_enabled", "tenant", tenant_id, detail)


async def disable(session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str) -> None:
    """Take a product away from a tenant; its data stays."""
    await lifecycle.disable_plugin(session, signals, tenant_id, plugin)
    detail = {"product": plugin}
    await audit.record(session, "operator.product_disabled", "tenant", tenant_id, detail)


async def set_products(
    session: AsyncSession,
    signals: Signals,
    tenant_id: UUID,
    wanted: Collection[str],
    known: Collection[str],
) -> None:
    """Have a tenant have exactly these products.

    Raises:
        Invalid: one does not work here, naming the field ``plugins``.
        Conflict: one that is to be taken away is still being set up.
    """
    await locked(session, tenant_id)
    chosen = select(TenantPlugin.plugin, TenantPlugin.state).where(
        TenantPlugin.tenant_id == tenant_id
    )
    states = {row.plugin: row.state for row in await session.execute(chosen)}
    on = {name for name, state in states.items() if state != "disabled"}
    for name in sorted(set(wanted) - on):
        await enable(session, signals, tenant_id, name, known)
    for name in sorted(on - set(wanted)):
        await disable(session, signals, tenant_id, name)


async def retry(session: AsyncSession, tenant_id: UUID, run_id: UUID) -> None:
    """Take a failed run up again at once, instead of when its job is tried next.

    Raises:
        Conflict: the run has not failed.
    """
    run = await session.get(ProvisioningRun, run_id, with_for_update=True)
    if run is None or run.tenant_id != tenant_id:
        raise NotFound
    if run.state != "failed":
        raise Conflict(_("Only a run that has failed can be tried again"))
    run.state, run.error = "waiting", None
    await session.flush()
    job = lifecycle.FILL if run.source else lifecycle.PROVISION
    await put(session, job, {"run_id": run_id})
    detail = {"run_id": run_id}
    await audit.record(session, "operator.run_retried", "tenant", tenant_id, detail)

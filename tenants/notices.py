"""What accounts of the portal are told of their businesses, and operators of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import notifications
from core.auth.identity import current
from core.i18n import _
from core.notices import Channel, Notice
from core.notifications.models import Notification
from core.notifications.values import Value
from core.permissions import Role
from core.scope import TENANT_ZERO
from tenants.models import Membership, ProvisioningRun, TenantRecord
from tenants.operator.permissions import LOOK

SUBJECT: Final = "tenant"
"""Of notifications of tenant zero: by it they go when the tenant is deleted."""

_APP: Final = frozenset({Channel.APP})
_AND_MAIL: Final = frozenset({Channel.APP, Channel.MAIL})
_AND_DIGEST: Final = frozenset({Channel.APP, Channel.DIGEST})
_LOOK_AFTER: Final = (Role.OWNER.value, Role.ADMIN.value)

READY: Final = Notice(
    name="portal.business_ready",
    title=_("A business is ready"),
    text=_("{business} is ready to be opened."),
    channels=_APP,
    icon="rocket",
)
STOPPED: Final = Notice(
    name="portal.run_stopped",
    title=_("Set-ups that stopped"),
    text=_("Setting up {business} has stopped at a step that failed. It is tried again by itself."),
    channels=_AND_MAIL,
    icon="alert-triangle",
)
PRODUCT_ADDED: Final = Notice(
    name="portal.product_added",
    title=_("Products added"),
    text=_("{business} has a new product: {product}."),
    channels=_AND_DIGEST,
    icon="package",
)
DOMAIN_PROVED: Final = Notice(
    name="portal.domain_proved",
    title=_("Domains that work"),
    text=_("{host} leads to {business} now."),
    channels=_AND_DIGEST,
    icon="world-check",
)
DOMAIN_WRONG: Final = Notice(
    name="portal.domain_wrong",
    title=_("Domains in danger"),
    text=_("{business} will lose {host}: its records are wrong. Mend them until {until}."),
    channels=_APP,  # a letter of its own goes out anyway
    icon="alert-triangle",
)
DOMAIN_LOST: Final = Notice(
    name="portal.domain_lost",
    title=_("Domains that are lost"),
    text=_("{host} does not lead to {business} any more."),
    channels=_APP,  # likewise
    icon="world-off",
)
EXPORT_READY: Final = Notice(
    name="portal.export_ready",
    title=_("Exports to fetch"),
    text=_("The export of {business} can be fetched until {until}."),
    channels=_APP,  # likewise
    icon="package-export",
)
CLOSED: Final = Notice(
    name="portal.closed",
    title=_("Businesses that closed"),
    text=_(
        "{business} was closed. It will be deleted after {until}; you can bring it back before."
    ),
    channels=_APP,  # likewise
    icon="door-exit",
)
OF_BUSINESSES: Final = (
    READY, STOPPED, PRODUCT_ADDED, DOMAIN_PROVED, DOMAIN_WRONG, DOMAIN_LOST, EXPORT_READY, CLOSED,
)  # fmt: skip

MIGRATION_FAILED: Final = Notice(
    name="operator.migration_failed",
    title=_("Migrations that failed"),
    text=_("A migration failed in {scopes} places, such as {line} in {business}."),
    audience=LOOK,
    channels=_AND_MAIL,
    icon="database-exclamation",
)
RUN_FAILED: Final = Notice(
    name="operator.run_failed",
    title=_("Set-ups that stopped"),
    text=_("Setting up {business} has stopped at a step that failed several times."),
    audience=LOOK,
    channels=_AND_MAIL,
    icon="alert-triangle",
)
OF_OPERATORS: Final = (MIGRATION_FAILED, RUN_FAILED)


async def tell(
    session: AsyncSession,
    notice: Notice,
    tenant_id: UUID,
    page: str = "",
    *,
    to: Iterable[UUID] | None = None,
    **values: Value,
) -> None:
    """Tell those who look after a tenant (or ``to``), whoever did it aside; ``page`` is below the
    business's own. ``session`` is tenant zero's."""
    tenant = await session.get_one(TenantRecord, tenant_id)
    doer = current()
    told = set(to) if to is not None else await _looking_after(session, tenant_id)
    await notifications.notify(
        session,
        notice,
        to=told - {doer.user_id} if doer is not None else told,
        subject=(SUBJECT, tenant_id),
        link=f"/businesses/{tenant_id}{page}",
        business=tenant.name,
        **values,
    )


async def tell_stopped(
    session: AsyncSession, run_id: UUID, tenant_id: UUID, owner: UUID | None
) -> None:
    """Tell operators and those who look after the tenant that a run has stopped: once, however
    often it is tried. ``owner`` is the account of who is to look after it, once it is made."""
    told, run = Notification, ProvisioningRun
    begun = select(run.created_at).where(run.id == run_id).scalar_subquery()
    already = (
        select(told.id)
        .where(told.subject_type == SUBJECT, told.subject_id == str(tenant_id))
        .where(told.kind.in_((STOPPED.name, RUN_FAILED.name)), told.created_at >= begun)
        .limit(1)
    )
    if await session.scalar(already) is not None:
        return
    people = await _looking_after(session, tenant_id)
    people |= {owner} if owner is not None else set()
    await tell(session, STOPPED, tenant_id, "/progress", to=people)
    tenant = await session.get_one(TenantRecord, tenant_id)
    await notifications.notify(
        session,
        RUN_FAILED,
        subject=(SUBJECT, tenant_id),
        link=f"/operator/tenants/{tenant_id}",
        business=tenant.name,
    )


async def told_of(session: AsyncSession, tenant_id: UUID) -> set[UUID]:
    """The accounts that may have been told of a tenant: its people in the portal, and operators."""
    members = select(Membership.account_id).where(Membership.tenant_id == tenant_id)
    told = select(Notification.user_id).where(
        Notification.subject_type == SUBJECT, Notification.subject_id == str(tenant_id)
    )
    return {*await session.scalars(members), *await session.scalars(told)}


async def _looking_after(session: AsyncSession, tenant_id: UUID) -> set[UUID]:
    mine = Membership.tenant_id == tenant_id, Membership.role.in_(_LOOK_AFTER)
    return set(await session.scalars(select(Membership.account_id).where(*mine)))


async def tell_operators(session: AsyncSession, failed: Sequence[tuple[UUID, str]]) -> None:
    """Tell operators of scopes and lines whose migration failed in one run. Where tenant zero's own
    did, nothing can be relied on here, and the command has said so."""
    if not failed or any(tenant_id == TENANT_ZERO for tenant_id, _line in failed):
        return
    tenant_id, line = failed[0]
    tenant = await session.get(TenantRecord, tenant_id)
    await notifications.notify(
        session,
        MIGRATION_FAILED,
        subject=(SUBJECT, tenant_id),
        link="/operator/migrations",
        scopes=len({each for each, _line in failed}),
        line=line,
        business=tenant.name if tenant is not None else str(tenant_id),
    )

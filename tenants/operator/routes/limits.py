"""What one tenant may have: a page of the console, and the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, NotFound
from core.i18n import _
from core.quotas import Limit
from core.quotas.services import Usage
from core.web.formatting import on_the_clock_of
from core.web.forms import Bound, Form, blank, choice, moment, posted, text, whole
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants import limits
from tenants.models import TenantLimit
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.services import tenants

Allowed = Annotated[int, whole(_("Allowed"), hint=_("Empty: any number."))]
Reason = Annotated[str, text(_("Reason"), max=limits.LONGEST_REASON)]
Until = Annotated[datetime, moment(_("Until"), hint=_("Empty: for good."))]


class Grant(Form):
    """So much instead of what is declared; no number is any number."""

    reason: Reason
    allowed: Allowed | None = None
    until: Until | None = None


class GrantForm(Grant, kw_only=True):
    """The same, of a limit that is chosen."""

    limit: Annotated[str, choice(_("Limit"))]


class LimitOut(msgspec.Struct, kw_only=True):
    """A limit of one tenant; ``used`` is null where the tenant cannot be asked now."""

    limit: str
    declared: int | None
    allowed: int | None
    used: int | None
    reason: str | None
    until: datetime | None


class TenantLimits(Controller):
    """``/operator/tenants/…/limits``."""

    path = f"{parts.HOME}/tenants/{{tenant_id:uuid}}/limits"
    include_in_schema = False

    @get(access=looking)
    async def show(self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]) -> Page:
        """What is used, allowed and granted, and a form to grant."""
        return await _page(request, session, tenant_id, blank(GrantForm))

    @post(access=acting, status_code=200)
    async def grant(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[Any]:
        """Grant another number."""
        seen = await tenants.one(session, tenant_id)
        with on_the_clock_of(seen.record.zone):
            form = await posted(request, GrantForm)
        try:
            wanted = form.value
            limit = _limit(request, wanted.limit)
            await limits.grant(
                session, parts.signals(request), tenant_id, limit,
                wanted.allowed, wanted.reason, wanted.until,
            )  # fmt: skip
        except DomainError as problem:
            return await _page(request, session, tenant_id, form.refuse(problem), problem.status)
        return SeeOther(f"{parts.HOME}/tenants/{tenant_id}/limits", flash=_("It is granted."))

    @post("/{name:str}/withdrawal", access=acting, status_code=200)
    async def withdraw(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID], name: FromPath[str]
    ) -> SeeOther:
        """Let what is declared hold again."""
        limit = _limit(request, name)
        await limits.withdraw(session, parts.signals(request), tenant_id, limit)
        back = f"{parts.HOME}/tenants/{tenant_id}/limits"
        return SeeOther(back, flash=_("What is declared holds again."))


class LimitsApi(Controller):
    """``/api/v1/operator/tenants/…/limits``."""

    path = "/api/v1/operator/tenants/{tenant_id:uuid}/limits"
    tags = ("Operator",)

    @get(access=looking)
    async def every(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> list[LimitOut]:
        """Every limit of a tenant: declared, granted, and how much of it is used."""
        return await _told(request, session, tenant_id)

    @put("/{name:str}", access=acting)
    async def grant(
        self,
        request: AnyRequest,
        session: Session,
        tenant_id: FromPath[UUID],
        name: FromPath[str],
        data: JSONBody[Grant],
    ) -> list[LimitOut]:
        """Grant another number, in place of what was granted before."""
        await limits.grant(
            session, parts.signals(request), tenant_id, _limit(request, name),
            data.allowed, data.reason, data.until,
        )  # fmt: skip
        return await _told(request, session, tenant_id)

    @delete("/{name:str}", access=acting, status_code=200)
    async def withdraw(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID], name: FromPath[str]
    ) -> list[LimitOut]:
        """Let what is declared hold again."""
        limit = _limit(request, name)
        await limits.withdraw(session, parts.signals(request), tenant_id, limit)
        return await _told(request, session, tenant_id)


def _declared(request: AnyRequest) -> dict[str, Limit]:
    return limits.declared(request.app.state["plugins"], parts.products(request))


def _limit(request: AnyRequest, name: str) -> Limit:
    try:
        return _declared(request)[name]
    except KeyError:
        raise NotFound(_("There is no such limit")) from None


async def _used(
    request: AnyRequest, session: AsyncSession, tenant_id: UUID
) -> tuple[Sequence[Usage], dict[str, TenantLimit]]:
    """Read first what was granted: asking the tenant ends this transaction."""
    await tenants.one(session, tenant_id)
    granted = dict(await limits.granted(session, tenant_id))
    served = await parts.tenant_of(request, tenant_id)
    if served is None or served.status not in {"active", "suspended"}:
        return [], granted
    mine = limits.of_tenant(_declared(request), served)
    return await parts.crossing(request).usage_of(session, served, mine), granted


async def _told(request: AnyRequest, session: AsyncSession, tenant_id: UUID) -> list[LimitOut]:
    usage, granted = await _used(request, session, tenant_id)
    used = {each.limit.name: each for each in usage}
    return [
        _out(limit, used.get(name), granted.get(name)) for name, limit in _declared(request).items()
    ]


def _out(limit: Limit, used: Usage | None, granted: TenantLimit | None) -> LimitOut:
    return LimitOut(
        limit=limit.name,
        declared=limit.allowed,
        allowed=granted.allowed if granted else limit.allowed,
        used=used.used if used else None,
        reason=granted.reason if granted else None,
        until=granted.until if granted else None,
    )


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    tenant_id: UUID,
    form: Bound[GrantForm],
    status: int = 200,
) -> Page:
    seen = await tenants.one(session, tenant_id)
    usage, granted = await _used(request, session, tenant_id)
    declared = _declared(request)
    context = {
        "tenant": seen.record,
        "usage": usage,
        "granted": granted,
        "declared": declared,
        "options": {name: limit.title for name, limit in declared.items()},
        "form": form,
    }
    return Page("operator/limits.html", context, status=status)

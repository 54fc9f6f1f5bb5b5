"""The control-plane API: tenants, for programs that bear an operator's token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.web.api import Listing, page_of, place
from core.web.http import AnyRequest, Session
from tenants.lifecycle import closing, serving
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.routes.views import (
    OperatedTenant,
    ProgressOut,
    UsageOut,
    insist_unchanged,
    tagged,
)
from tenants.operator.schemas import MaintenancePlan, NewTenant, Suspension, TenantChanges
from tenants.operator.services import acts, tenants
from tenants.operator.services.acts import Wanted
from tenants.operator.services.tenants import TenantFilter
from tenants.runs import progress

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many at most.")]
Text = Annotated[str | None, QueryParameter(max_length=100)]


class TenantsApi(Controller):
    """``/api/v1/operator/tenants``."""

    path = "/api/v1/operator/tenants"
    tags = ("Operator",)

    @get("/", access=looking)
    async def every(
        self,
        request: AnyRequest,
        session: Session,
        q: Text = None,
        status: Text = None,
        hosting: Text = None,
        database: Text = None,
        plugin: Text = None,
        cursor: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> Listing[OperatedTenant]:
        """Tenants by page, the newest first; ``q`` is sought in name, slug, hosts and owners."""
        wanted = TenantFilter(
            text=q or "",
            status=status or "",
            hosting=hosting or "",
            database=database or "",
            product=plugin or "",
        )
        found = await tenants.find(session, wanted, place(cursor), limit)
        page, following = page_of(found, limit, lambda seen: (str(seen.record.id),))
        settings = parts.settings(request)
        return Listing([OperatedTenant.of(seen, settings) for seen in page], following)

    @post("/", access=acting, idempotent=True)
    async def create(
        self, request: AnyRequest, session: Session, data: JSONBody[NewTenant]
    ) -> Response[OperatedTenant]:
        """Order a tenant: it is ``provisioning`` until it becomes ``active``; ask again for it."""
        plugins = tuple(sorted(set(data.plugins)))
        if set(plugins) - set(parts.products(request).working):
            raise Invalid(_("Choose from the installed products."), field="plugins")
        wanted = Wanted(
            slug=data.slug,
            name=" ".join(data.name.split()),
            zone=data.zone,
            currency=data.currency,
            locale=data.locale,
            country=data.country,
            plugins=plugins,
            database=data.database,
            hosting=data.hosting,
            owner_email=data.owner.email,
            owner_name=data.owner.name,
        )
        ordered = await acts.create(session, parts.settings(request), wanted)
        return await _answer(request, session, ordered.tenant_id, 201)

    @get("/{tenant_id:uuid}", access=looking)
    async def one(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """One tenant."""
        return await _answer(request, session, tenant_id)

    @get("/by-slug/{slug:str}", access=looking)
    async def by_slug(
        self, request: AnyRequest, session: Session, slug: FromPath[str]
    ) -> Response[OperatedTenant]:
        """The tenant that lives at a subdomain now."""
        seen = await tenants.by_slug(session, slug)
        return tagged(OperatedTenant.of(seen, parts.settings(request)))

    @patch("/{tenant_id:uuid}", access=acting)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        tenant_id: FromPath[UUID],
        data: JSONBody[TenantChanges],
    ) -> Response[OperatedTenant]:
        """Change name or products; ``If-Match`` guards against overwriting another's change."""
        seen = await tenants.one(session, tenant_id, locked=True)
        insist_unchanged(request, OperatedTenant.of(seen, parts.settings(request)))
        if data.hosting is not msgspec.UNSET and data.hosting != seen.record.hosting:
            raise Conflict(
                _("A tenant cannot be moved between databases yet; make a new one there"),
                field="hosting",
            )
        signals = parts.signals(request)
        if data.name is not msgspec.UNSET:
            await acts.rename(session, signals, tenant_id, data.name)
        if data.plugins is not msgspec.UNSET:
            known = parts.products(request).working
            await acts.set_products(session, signals, tenant_id, data.plugins, known)
        return await _answer(request, session, tenant_id)

    @put("/{tenant_id:uuid}/suspension", access=acting)
    async def suspend(
        self,
        request: AnyRequest,
        session: Session,
        tenant_id: FromPath[UUID],
        data: JSONBody[Suspension],
    ) -> Response[OperatedTenant]:
        """Stop serving it; nothing is lost. Suspending twice changes nothing."""
        await serving.suspend(session, parts.signals(request), tenant_id, data.reason or "")
        return await _answer(request, session, tenant_id)

    @delete("/{tenant_id:uuid}/suspension", access=acting, status_code=200)
    async def resume(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """Serve it again."""
        await serving.resume(session, parts.signals(request), tenant_id)
        return await _answer(request, session, tenant_id)

    @put("/{tenant_id:uuid}/closure", access=acting)
    async def close(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """Stop serving it for good; it is deleted when its time of grace is over."""
        await closing.close(session, parts.signals(request), parts.settings(request), tenant_id)
        return await _answer(request, session, tenant_id)

    @delete("/{tenant_id:uuid}/closure", access=acting, status_code=200)
    async def reopen(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """Undo the closing, while there is time."""
        await closing.reopen(session, parts.signals(request), parts.settings(request), tenant_id)
        return await _answer(request, session, tenant_id)

    @delete("/{tenant_id:uuid}", access=acting, status_code=202)
    async def delete_tenant(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """Delete a closed tenant now, without a way back: it is ``deleting`` until it is 404."""
        await closing.delete(session, parts.signals(request), tenant_id)
        return await _answer(request, session, tenant_id, 202)

    @put("/{tenant_id:uuid}/maintenance", access=acting)
    async def begin_maintenance(
        self,
        request: AnyRequest,
        session: Session,
        tenant_id: FromPath[UUID],
        data: JSONBody[MaintenancePlan],
    ) -> Response[OperatedTenant]:
        """Let its customers wait until maintenance is ended, whatever is planned."""
        await serving.begin_maintenance(
            session, parts.signals(request), tenant_id, data.message or "", data.until
        )
        return await _answer(request, session, tenant_id)

    @delete("/{tenant_id:uuid}/maintenance", access=acting, status_code=200)
    async def end_maintenance(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[OperatedTenant]:
        """Let its customers in again."""
        await serving.end_maintenance(session, parts.signals(request), tenant_id)
        return await _answer(request, session, tenant_id)

    @get("/{tenant_id:uuid}/run", access=looking)
    async def run(self, session: Session, tenant_id: FromPath[UUID]) -> ProgressOut:
        """Its latest run with the steps."""
        seen = await tenants.one(session, tenant_id)
        if seen.run is None:
            raise NotFound
        return ProgressOut.of(seen.run.id, await progress(session, seen.run.id))

    @post("/{tenant_id:uuid}/run/retry", access=acting, status_code=200)
    async def retry(self, session: Session, tenant_id: FromPath[UUID]) -> ProgressOut:
        """Take its failed run up again at once."""
        seen = await tenants.one(session, tenant_id)
        if seen.run is None:
            raise NotFound
        await acts.retry(session, tenant_id, seen.run.id)
        return ProgressOut.of(seen.run.id, await progress(session, seen.run.id))

    @get("/{tenant_id:uuid}/usage", access=looking)
    async def usage(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> UsageOut:
        """What it stores."""
        await tenants.one(session, tenant_id)
        size = (await outside(session, parts.sizes(request).all)).get(tenant_id)
        return UsageOut(
            tenant_id=tenant_id,
            bytes=size.bytes if size else None,
            rows=size.rows if size else None,
        )


async def _answer(
    request: AnyRequest, session: AsyncSession, tenant_id: UUID, status: int = 200
) -> Response[OperatedTenant]:
    seen = await tenants.one(session, tenant_id)
    return tagged(OperatedTenant.of(seen, parts.settings(request)), status)

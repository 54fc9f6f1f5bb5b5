"""One tenant: all that is known of it, and what an operator can do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit.titles import titles_of
from core.db import outside
from core.errors import DomainError, Invalid
from core.i18n import _, fill
from core.web.formatting import on_the_clock_of, wall
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.catalogue import maintenance_of
from tenants.lifecycle import closing, serving
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.routes.tenants import NAMES
from tenants.operator.schemas import Deletion, MaintenancePlan, Note, Suspension
from tenants.operator.services import acts, counting, migrations, notes, tenants
from tenants.operator.services.tenants import Seen
from tenants.portal.services import progress
from tenants.runs import progress as progress_of

Forms = dict[str, Bound[Any]]


class OneTenant(Controller):
    """``/operator/tenants/…``."""

    path = f"{parts.HOME}/tenants/{{tenant_id:uuid}}"
    include_in_schema = False

    @get("/", access=looking)
    async def show(self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]) -> Page:
        """Everything on one page."""
        return await _page(request, session, tenant_id)

    @post("/suspend", access=acting, status_code=200)
    async def suspend(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[Any]:
        """Stop serving it."""
        form = await posted(request, Suspension)
        try:
            reason = form.value.reason or ""
            await serving.suspend(session, parts.signals(request), tenant_id, reason)
        except DomainError as problem:
            return await _refused(request, session, tenant_id, "suspension", form, problem)
        return _back(tenant_id, _("The tenant is suspended."))

    @post("/resume", access=acting, status_code=200)
    async def resume(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> SeeOther:
        """Serve it again."""
        await serving.resume(session, parts.signals(request), tenant_id)
        return _back(tenant_id, _("The tenant is served again."))

    @post("/maintenance", access=acting, status_code=200)
    async def begin_maintenance(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[Any]:
        """Let its customers wait, or say anew why and until when."""
        seen = await tenants.one(session, tenant_id)
        with on_the_clock_of(seen.record.zone):
            form = await posted(request, MaintenancePlan)
        try:
            plan = form.value
            await serving.begin_maintenance(
                session, parts.signals(request), tenant_id, plan.message or "", plan.until
            )
        except DomainError as problem:
            return await _refused(request, session, tenant_id, "maintenance", form, problem)
        return _back(tenant_id, _("Customers now see that there is maintenance."))

    @post("/maintenance/end", access=acting, status_code=200)
    async def end_maintenance(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> SeeOther:
        """Let its customers in again."""
        await serving.end_maintenance(session, parts.signals(request), tenant_id)
        return _back(tenant_id, _("Customers are let in again."))

    @post("/close", access=acting, status_code=200)
    async def close(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> SeeOther:
        """Stop serving it for good; there is a time of grace."""
        await closing.close(session, parts.signals(request), parts.settings(request), tenant_id)
        return _back(tenant_id, _("The tenant is closed, and its owners are told."))

    @post("/reopen", access=acting, status_code=200)
    async def reopen(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> SeeOther:
        """Undo the closing."""
        await closing.reopen(session, parts.signals(request), parts.settings(request), tenant_id)
        return _back(tenant_id, _("The tenant is as it was before it was closed."))

    @post("/delete", access=acting, status_code=200)
    async def delete(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[Any]:
        """Delete it now, without a way back, by whoever typed its address."""
        seen = await tenants.one(session, tenant_id)
        form = await posted(request, Deletion)
        try:
            if form.value.confirm.strip() != seen.record.slug:
                text = fill(_("Type {address} here"), address=seen.record.slug)
                raise Invalid(text, field="confirm")
            await closing.delete(session, parts.signals(request), tenant_id)
        except DomainError as problem:
            return await _refused(request, session, tenant_id, "deletion", form, problem)
        return _back(tenant_id, _("The tenant is being deleted."))

    @post("/products/{name:str}/enable", access=acting, status_code=200)
    async def enable(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID], name: FromPath[str]
    ) -> SeeOther:
        """Give it a product."""
        known = parts.products(request).working
        await acts.enable(session, parts.signals(request), tenant_id, name, known)
        return _back(tenant_id, _("The product is on, or being set up."))

    @post("/products/{name:str}/disable", access=acting, status_code=200)
    async def disable(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID], name: FromPath[str]
    ) -> SeeOther:
        """Take a product away; its data stays."""
        await acts.disable(session, parts.signals(request), tenant_id, name)
        return _back(tenant_id, _("The product is off; its data is kept."))

    @post("/notes", access=acting, status_code=200, idempotent=True)
    async def note(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> Response[Any]:
        """Write something down for other operators."""
        await tenants.one(session, tenant_id)
        form = await posted(request, Note)
        try:
            await notes.add(session, tenant_id, form.value.text)
        except DomainError as problem:
            return await _refused(request, session, tenant_id, "note", form, problem)
        return _back(tenant_id, _("The note is kept."))

    @post("/runs/{run_id:uuid}/retry", access=acting, status_code=200)
    async def retry(
        self, session: Session, tenant_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> SeeOther:
        """Take a failed run up again."""
        await acts.retry(session, tenant_id, run_id)
        return _back(tenant_id, _("The run is taken up again."))


def _back(tenant_id: UUID, text: Any) -> SeeOther:
    return SeeOther(f"{parts.HOME}/tenants/{tenant_id}", flash=text)


async def _refused(
    request: AnyRequest,
    session: AsyncSession,
    tenant_id: UUID,
    name: str,
    form: Bound[Any],
    problem: DomainError,
) -> Page:
    page = await _page(request, session, tenant_id, {name: form.refuse(problem)})
    page.status_code = problem.status
    return page


async def _page(
    request: AnyRequest, session: AsyncSession, tenant_id: UUID, refused: Forms | None = None
) -> Page:
    seen = await tenants.one(session, tenant_id)
    served = await parts.tenant_of(request, tenant_id)
    sizes = await outside(session, parts.sizes(request).all)
    people = await counting.people_of(session, parts.databases(request), served)
    runs = [await progress_of(session, each) for each in await tenants.runs(session, tenant_id)]
    installed = parts.products(request)
    return Page(
        "operator/tenant.html",
        {
            "seen": seen,
            "tenant": seen.record,
            "url": parts.settings(request).tenant_url(seen.record.slug, ""),
            "size": sizes.get(tenant_id),
            "people": people,
            "runs": runs,
            "run_ids": await tenants.runs(session, tenant_id),
            "step_title": lambda step: progress.title(step, installed),
            "products": installed,
            "migrations": await migrations.of(session, tenant_id),
            "notes": await notes.of(session, tenant_id),
            "history": await notes.history(session, tenant_id),
            "titles": titles_of(request.app.state["plugins"]),
            "forms_of": _forms(seen) | (refused or {}),
            "maintenance": maintenance_of(seen.record),
        }
        | NAMES,
    )


def _forms(seen: Seen) -> Forms:
    planned = maintenance_of(seen.record)
    with on_the_clock_of(seen.record.zone):
        typed = {
            "message": planned.message if planned else None,
            "until": wall(planned.until) if planned and planned.until else None,
        }
    forms: Forms = {
        "suspension": blank(Suspension),
        "maintenance": blank(MaintenancePlan, typed),
        "note": blank(Note),
        "deletion": blank(Deletion),
    }
    for name, form in forms.items():
        form.id = name
    return forms

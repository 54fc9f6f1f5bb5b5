"""How the installation is, and when its periodic jobs run."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get
from redis.asyncio import Redis

from core.auth.web import searched
from core.db import outside
from core.errors import NotFound
from core.i18n import _
from core.jobs import Schedule
from core.plugin import Plugins
from core.scope import TENANT_ZERO, Tenant
from core.web.formatting import on_the_clock_of
from core.web.forms import Form, text
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from tenants.operator.permissions import looking
from tenants.operator.routes import parts
from tenants.operator.services import health, jobs, schedules


class ScheduleSearch(Form):
    """Whose schedules; nobody named, the platform's own."""

    tenant: Annotated[str, text(_("Tenant's address"), max=60)] | None = None


class HealthPages(Controller):
    """``/operator/health`` and ``/operator/schedules``."""

    path = parts.HOME
    include_in_schema = False

    @get("/health", access=looking)
    async def health(self, request: AnyRequest, session: Session) -> Page:
        """What lives, what answers and what waits."""
        found = await outside(session, lambda: look(request))
        return Page("operator/health.html", {"health": found})

    @get("/schedules", access=looking)
    async def schedules(self, request: AnyRequest, session: Session) -> Page:
        """The periodic jobs of one tenant, or of the platform."""
        form = searched(request, ScheduleSearch)
        try:
            wanted = await jobs.named(session, form.value.tenant)
        except NotFound as problem:
            form.refuse(problem)
            return Page("operator/schedules.html", {"form": form, "rows": []}, status=404)
        tenant = await parts.tenant_of(request, wanted or TENANT_ZERO)
        if tenant is None or tenant.status in {"provisioning", "deleting"}:
            return Page("operator/schedules.html", {"form": form, "rows": []})
        declared = _declared(request, tenant)
        rows = await schedules.of(session, parts.databases(request), tenant, declared)
        with on_the_clock_of(tenant.zone):
            return Page("operator/schedules.html", {"form": form, "rows": rows}, block="results")


async def look(request: AnyRequest) -> health.Health:
    """How everything is; it talks to all databases and to Redis."""
    redis: Redis = request.app.state["redis"]
    everything: Plugins = request.app.state["plugins"]
    actors = [each for part in (*everything, *parts.products(request)) for each in part.actors]
    queues = {"default", *(each.queue for each in actors)}
    return await health.look(parts.roster(request), redis, queues)


def _declared(request: AnyRequest, tenant: Tenant) -> list[Schedule]:
    mine: Plugins = request.app.state["plugins"]
    if tenant.is_platform:
        return [each for part in mine for each in part.schedules]
    products = parts.products(request).enabled(tenant.plugins)
    return [each for part in (mine.working["core"], *products) for each in part.schedules]

"""Jobs that were given up, in every database."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath

from core.auth.web import searched
from core.db import outside
from core.dead_letters import DeadLetters
from core.errors import NotFound
from core.i18n import _, fill
from core.web.forms import Form, choice, posted, text
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.services import jobs

PATH: Final = f"{parts.HOME}/jobs"
SHOWN: Final = 100


class JobSearch(Form):
    """Which dead letters; what is absent asks for all."""

    actor: Annotated[str, choice(_("Job"))] | None = None
    tenant: Annotated[str, text(_("Tenant's address"), max=60)] | None = None


class Jobs(Controller):
    """``/operator/jobs``."""

    path = PATH
    include_in_schema = False

    @get("/", access=looking)
    async def show(self, request: AnyRequest, session: Session) -> Page:
        """The latest dead letters, each with its reason."""
        form = searched(request, JobSearch)
        sought = form.value
        letters = DeadLetters(parts.roster(request))
        try:
            tenant = await jobs.named(session, sought.tenant)
        except NotFound as problem:
            form.refuse(problem)
            return Page("operator/jobs.html", {"form": form, "rows": [], "actors": []}, status=404)
        found = await outside(
            session,
            lambda: letters.latest(tenant=tenant, actor=sought.actor or "", limit=SHOWN + 1),
        )
        counts = await outside(session, letters.by_actor)
        context: dict[str, Any] = {
            "form": form,
            "rows": found[:SHOWN],
            "more": len(found) > SHOWN,
            "actors": [(name, f"{name} ({count})") for name, count in sorted(counts.items())],
            "slugs": await jobs.slugs(session, (each.tenant for each in found)),
        }
        return Page("operator/jobs.html", context, block="results")

    @post("/{message_id:uuid}/retry", access=acting, status_code=200)
    async def retry(
        self, request: AnyRequest, session: Session, message_id: FromPath[UUID]
    ) -> SeeOther:
        """Try one again."""
        await jobs.retry(session, DeadLetters(parts.roster(request)), message_id)
        return SeeOther(PATH, flash=_("It is tried again."))

    @post("/{message_id:uuid}/discard", access=acting, status_code=200)
    async def discard(
        self, request: AnyRequest, session: Session, message_id: FromPath[UUID]
    ) -> SeeOther:
        """Never do one."""
        await jobs.discard(session, DeadLetters(parts.roster(request)), message_id)
        return SeeOther(PATH, flash=_("It will not be done."))

    @post("/retry", access=acting, status_code=200)
    async def retry_all(self, request: AnyRequest, session: Session) -> SeeOther:
        """Try all that match again."""
        sought = (await posted(request, JobSearch)).value
        tenant = await jobs.named(session, sought.tenant)
        letters = DeadLetters(parts.roster(request))
        count = await jobs.retry_all(session, letters, tenant, sought.actor or "")
        return SeeOther(PATH, flash=fill(_("Tried again: {count}"), count=count))

    @post("/discard", access=acting, status_code=200)
    async def discard_all(self, request: AnyRequest, session: Session) -> SeeOther:
        """Never do any that match."""
        sought = (await posted(request, JobSearch)).value
        tenant = await jobs.named(session, sought.tenant)
        letters = DeadLetters(parts.roster(request))
        count = await jobs.discard_all(session, letters, tenant, sought.actor or "")
        return SeeOther(PATH, flash=fill(_("Discarded: {count}"), count=count))

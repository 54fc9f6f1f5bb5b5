"""The account's home: its businesses, each with its settings, its progress and the way in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import NotFound
from core.i18n import _, fill, locale, reading_in
from core.permissions import Role, member
from core.plugin import Plugins
from core.quotas.services import Usage as Used
from core.scope import Tenant
from core.web.forms import Bound, blank, posted
from core.web.headers import Csp
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.portal import choices
from tenants.portal.routes import access, parts
from tenants.portal.routes.usage import used_by
from tenants.portal.schemas import BusinessSettings
from tenants.portal.services import businesses, progress
from tenants.portal.services.businesses import Business, Changes
from tenants.runs import Progress
from tenants.runs import progress as progress_of

STATUS_NAMES: Final = {
    "provisioning": _("Being built"),
    "active": _("Active"),
    "suspended": _("Suspended"),
    "closed": _("Closed"),
    "deleting": _("Being deleted"),
}
ROLE_NAMES: Final = {
    Role.OWNER: _("Owner"),
    Role.ADMIN: _("Admin"),
    Role.STAFF: _("Staff"),
    Role.MEMBER: _("Customer"),
}


class Businesses(Controller):
    """Pages that only members of a business can see; to others it does not exist."""

    path = "/businesses"
    include_in_schema = False

    @get("/", access=member)
    async def mine(self, request: AnyRequest, session: Session) -> Page:
        """Every business of whoever is signed in."""
        found = await businesses.mine(session, parts.member().user_id)
        return Page(
            "portal/businesses/list.html",
            {
                "businesses": found,
                "statuses": STATUS_NAMES,
                "products": parts.products(request),
                "url_of": partial(parts.url_of, request),
            },
        )

    @get("/{business_id:uuid}", access=member, dependencies=access.MINE)
    async def show(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Page:
        """One business."""
        return await _page(request, session, business)

    @post(
        "/{business_id:uuid}/settings",
        access=member,
        dependencies=access.ADMINISTERED,
        status_code=200,
    )
    async def change(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Change name, time zone or language."""
        form = await posted(request, BusinessSettings)
        if not form.ok:
            return await _page(request, session, business, form)
        said = form.value
        changes = Changes(name=said.name, zone=said.zone, locale=said.locale)
        await businesses.change(session, parts.signals(request), business, changes)
        return SeeOther(access.path_of(business), flash=_("Your changes are saved."))

    @post(
        "/{business_id:uuid}/products/{name:str}/enable",
        access=member,
        dependencies=access.ADMINISTERED,
        status_code=200,
    )
    async def enable(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        name: FromPath[str],
    ) -> SeeOther:
        """Give the business a product."""
        products = parts.products(request)
        run = await businesses.enable(session, parts.signals(request), business, products, name)
        if run is not None:
            return SeeOther(f"{access.path_of(business)}/progress")
        title = products.working[name].title
        return SeeOther(access.path_of(business), flash=fill(_("{product} is on."), product=title))

    @post(
        "/{business_id:uuid}/products/{name:str}/disable",
        access=member,
        dependencies=access.ADMINISTERED,
        status_code=200,
    )
    async def disable(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        name: FromPath[str],
    ) -> SeeOther:
        """Take a product away; its data stays."""
        await businesses.disable(session, parts.signals(request), business, name)
        text = _("The product is off. What was entered is kept and comes back with it.")
        return SeeOther(access.path_of(business), flash=text)

    @post(
        "/{business_id:uuid}/dedicated",
        access=member,
        dependencies=access.ADMINISTERED,
        status_code=200,
    )
    async def ask_for_dedicated(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Note the wish for a database of its own."""
        await businesses.ask_for_dedicated(session, business, parts.member().user_id)
        return SeeOther(access.path_of(business), flash=_("Your request is noted."))

    @post("/{business_id:uuid}/open", access=member, dependencies=access.MINE, status_code=200)
    async def open(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Page:
        """Take the member into the business, by a token that works once and is sent on at once."""
        await businesses.note_opened(session, business)
        tenant = await parts.directory(request).by_id(business.id)
        assert tenant is not None
        wanted = str((await request.form()).get("next", ""))[:2000]
        way_in = await parts.crossing(request).way_in(session, tenant, business.user_id)
        return Page(
            "portal/businesses/opening.html",
            {"business": business, "way_in": way_in, "next": wanted},
            csp=Csp(form=(way_in.url.removesuffix("/enter"),)),
        )

    @get("/{business_id:uuid}/progress", access=member, dependencies=access.MINE)
    async def progress(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """How the making goes; followed live, or by looking again."""
        if business.run is None:
            return SeeOther(access.path_of(business))
        run = await progress_of(session, business.run.id)
        return Page(
            "portal/businesses/progress.html",
            {
                "business": business,
                "run": run,
                "shown": _shown(run, parts.products(request)),
                "url": parts.url_of(request, business),
            },
        )

    @get("/{business_id:uuid}/progress/events", access=member, dependencies=access.MINE)
    async def events(
        self,
        request: AnyRequest,
        tenant: NamedDependency[Tenant],
        business: NamedDependency[Business],
    ) -> ServerSentEvent:
        """The same as a stream; it holds no connection to the database while it waits."""
        here = f"{access.path_of(business)}/progress"
        if business.run is None:
            raise NotFound
        runs = progress.follow(
            parts.databases(request),
            parts.signals(request),
            tenant,
            parts.member().user_id,
            business.id,
            business.run.id,
        )
        return ServerSentEvent(_told(runs, parts.products(request), here, locale()))

    @post("/{business_id:uuid}/retry", access=member, dependencies=access.MINE, status_code=200)
    async def retry(self, session: Session, business: NamedDependency[Business]) -> SeeOther:
        """Take a failed run up again."""
        await businesses.retry(session, business)
        return SeeOther(f"{access.path_of(business)}/progress")


async def _limits(request: AnyRequest, session: AsyncSession, business: Business) -> Sequence[Used]:
    """What those who can do something about it should know of its limits."""
    if not (business.is_open and business.may_administer):
        return []
    return await used_by(request, session, business)


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    business: Business,
    refused: Bound[BusinessSettings] | None = None,
) -> Page:
    staff, used = None, await _limits(request, session, business)
    if business.is_open:
        tenant = await parts.directory(request).by_id(business.id)
        staff = await parts.crossing(request).staff_of(session, tenant) if tenant else None
    now = {
        "name": business.name,
        "zone": business.zone,
        "locale": business.locale,
    }
    return Page(
        "portal/businesses/show.html",
        {
            "business": business,
            "statuses": STATUS_NAMES,
            "roles": ROLE_NAMES,
            "form": refused or blank(BusinessSettings, now),
            "products": parts.products(request),
            "zones": choices.zone_options(),
            "staff": staff,
            "pressing": [each for each in used if each.state != "fine"],
            "url": parts.url_of(request, business),
            "country": choices.country_name(business.country) if business.country else None,
            "currency": choices.currency_name(business.currency),
            **access.standing(business),
        },
        status=422 if refused is not None else 200,
    )


def _shown(run: Progress, products: Plugins) -> dict[str, Any]:
    """A run as the page and the stream show it."""
    running = next((step for step in run.steps if step.state in {"running", "failed"}), None)
    return {
        "percent": round(run.share * 100),
        "message": str(progress.title(running, products)) if running else "",
        "steps": [
            {"title": str(progress.title(step, products)), "state": step.state}
            for step in run.steps
        ],
    }


async def _told(
    runs: AsyncIterator[Progress], products: Plugins, here: str, language: str
) -> AsyncIterator[ServerSentEventMessage]:
    """Each state of a run as an event; the last one leads back to the page, which shows the end."""
    state = "done"
    async for run in runs:
        state = run.state
        with reading_in(language):
            shown = msgspec.json.encode(_shown(run, products)).decode()
        yield ServerSentEventMessage(data=shown, event="progress")
    if state in progress.OVER:
        leads = msgspec.json.encode({"location": here}).decode()
        yield ServerSentEventMessage(data=leads, event="done")

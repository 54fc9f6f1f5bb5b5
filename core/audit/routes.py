"""The audit log, for those who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from core import clock
from core.audit import services as audit
from core.audit.services import AuditFilter
from core.audit.titles import titles_of
from core.auth.web import searched
from core.i18n import LazyText, _
from core.permissions import READ_AUDIT, permission
from core.scope import Tenant
from core.web.forms import Form, choice, day, text
from core.web.http import AnyRequest, Session
from core.web.pages import Page

MOST_ALSO: Final = 5
"""Further objects that one page tells of."""


class AuditSearch(Form):
    """Which entries to show; days are the tenant's own."""

    q: Annotated[str, text(_("Person, object or act"), max=100, input="search")] | None = None
    action: Annotated[str, choice(_("Act"))] | None = None
    since: Annotated[date, day(_("From"))] | None = None
    until: Annotated[date, day(_("To"))] | None = None


class AuditLog(Controller):
    """``/settings/audit``."""

    path = "/settings/audit"
    include_in_schema = False

    @get(access=permission(READ_AUDIT.name))
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        cursor: FromQuery[UUID | None] = None,
    ) -> Page:
        """The entries, newest first."""
        form = searched(request, AuditSearch)
        titles = titles_of(request.app.state["plugins"])
        wanted = _filter(form.value, tenant.zone, titles) if form.ok else AuditFilter()
        found, following = await audit.entries(session, wanted, cursor)
        actions = [(each, titles.get(each, each)) for each in await audit.actions(session)]
        actions.sort(key=lambda each: str(each[1]).casefold())
        context = {
            "form": form,
            "entries": found,
            "next": following,
            "actions": actions,
            "titles": titles,
        }
        return Page("audit/log.html", context | {"first": cursor is not None}, block="results")

    @get("/objects/{kind:str}/{subject:str}", access=permission(READ_AUDIT.name))
    async def of_object(
        self,
        request: AnyRequest,
        session: Session,
        kind: FromPath[str],
        subject: FromPath[str],
        also: FromQuery[str] = "",
        cursor: FromQuery[UUID | None] = None,
    ) -> Page:
        """What was done to one object, and to those that ``also`` names as ``kind:id`` with
        commas between: pages of objects show it (``macros/audit.html``)."""
        others = [part.partition(":") for part in also.split(",")[:MOST_ALSO] if part]
        subjects = [(kind, subject), *((each[0], each[2]) for each in others)]
        found, following = await audit.of(session, subjects, cursor)
        context = {
            "entries": found,
            "titles": titles_of(request.app.state["plugins"]),
            "here": f"{self.path}/objects/{quote(kind)}/{quote(subject)}?also={quote(also)}",
            "next": following,
            "kind": kind,
        }
        return Page("audit/object.html", context, block="results")


def _filter(search: AuditSearch, zone: str, titles: Mapping[str, LazyText | str]) -> AuditFilter:
    asked = (search.q or "").casefold()
    until = search.until + timedelta(days=1) if search.until else None
    return AuditFilter(
        text=search.q or "",
        meant=[code for code, title in titles.items() if asked in str(title).casefold()],
        action=search.action or "",
        since=_midnight(search.since, zone),
        until=_midnight(until, zone),
    )


def _midnight(day: date | None, zone: str) -> datetime | None:
    return clock.from_wall(datetime.combine(day, time()), zone) if day else None

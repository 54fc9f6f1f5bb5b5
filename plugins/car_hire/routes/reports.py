"""The owner's reports: a page to read and print, and each table as CSV."""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO
from typing import Annotated, Any, Final

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, NotFound
from core.i18n import _
from core.permissions import permission
from core.scope import Tenant
from core.web.forms import bind, blank
from core.web.forms.fields import Form, day
from core.web.pages import Page
from plugins.car_hire.permissions import INSIGHT
from plugins.car_hire.routes.http import AnyRequest
from plugins.car_hire.services import reports
from plugins.car_hire.services.reports import Share

ACCESS = permission(INSIGHT.name)
Session = NamedDependency[AsyncSession]
CSV: Final = "text/csv; charset=utf-8"
TABLES: Final = ("classes", "days", "lengths", "leads", "channels")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class RangeInput(Form, kw_only=True):
    """From which day to which."""

    first: Annotated[date, day(_("From"))] | None = None
    last: Annotated[date, day(_("To"))] | None = None


class Reports(Controller):
    """Figures of a stretch of days."""

    path = "/car-hire/desk/reports"
    include_in_schema = False

    @get(access=ACCESS)
    async def show(self, request: AnyRequest, session: Session) -> Page:
        """All of them; without days, of the last thirty."""
        tenant: Tenant = session.info["tenant"]
        form = bind(RangeInput, _asked(request))
        report, status = None, 200
        try:
            given = form.value
            asked = reports.range_of(tenant, given.first, given.last)
            report = await reports.read(session, asked)
            form = blank(RangeInput, {"first": asked.first, "last": asked.last})
        except DomainError as error:
            form, status = form.refuse(error), error.status
        context = {"form": form, "report": report}
        return Page("car_hire/desk/reports.html", context, status=status)

    @get("/{table:str}", access=ACCESS, media_type=CSV)
    async def table(
        self, request: AnyRequest, session: Session, table: FromPath[str]
    ) -> Response[str]:
        """One table, such as ``days``, as CSV."""
        if table not in TABLES:
            raise NotFound
        tenant: Tenant = session.info["tenant"]
        given = bind(RangeInput, _asked(request)).value
        asked = reports.range_of(tenant, given.first, given.last)
        report = await reports.read(session, asked)
        name = f"{table}-{asked.first}-{asked.last}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        text = as_csv(getattr(report, table))
        return Response(text, headers=headers)


def _asked(request: AnyRequest) -> dict[str, Any]:
    return {key: value for key, value in request.query_params.items() if key != "lang" and value}


def as_csv(rows: list[Share]) -> str:
    """The rows of one table, with the columns that they have."""
    made = StringIO()
    writer = csv.writer(made)
    extra = tuple(each for each in ("cars", "used") if rows and hasattr(rows[0], each))
    writer.writerow(("name", "hires", "revenue", "currency", *extra))
    for row in rows:
        revenue = row.revenue.rounded()
        more = (round(getattr(row, each), 4) for each in extra)
        writer.writerow((_plain(str(row.name)), row.hires, revenue.amount, revenue.unit, *more))
    return made.getvalue()


def _plain(text: str) -> str:
    """Nothing that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


CONTROLLERS: Final = (Reports,)

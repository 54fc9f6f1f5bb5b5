"""A price list's rates as a sheet: taken out, tried, and taken over into a draft."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _, in_reading
from core.money import Money
from core.permissions import permission
from core.scope import Tenant
from core.web.forms import Bound, Form, bind, blank, typed_fields
from core.web.forms.fields import file, long_text
from core.web.forms.files import posted_with_file
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import (
    API,
    RATES,
    AnyRequest,
    shown_again,
    version_seen,
    versioned,
)
from plugins.car_hire.routes.prices_api import WholeListView
from plugins.car_hire.services import fleet
from plugins.car_hire.services.prices import current, lists, sheet

PATH: Final = "/car-hire/desk/prices/{list_id:uuid}/sheet"
ACCESS = permission(RATES)
CSV: Final = "text/csv; charset=utf-8"
LARGEST: Final = 300_000
TOO_LARGE: Final = _("This file is too large for a sheet of rates")
Session = NamedDependency[AsyncSession]


class SheetInput(Form, kw_only=True):
    """A sheet, as a file or pasted."""

    file: Annotated[str, file(_("File"), accept="text/csv,.csv")] = ""
    sheet: Annotated[
        str,
        long_text(_("Or paste the sheet"), min=0, max=LARGEST),
    ] = ""


class SheetBody(Form, kw_only=True):
    """A sheet, for programs."""

    sheet: Annotated[str, Meta(max_length=LARGEST)]


class ChangeView(views.View, frozen=True, kw_only=True):
    """What a row of a sheet changes; net of tax, None is not offered."""

    row: int
    class_name: str
    season: str
    unit: str
    before: str | None
    after: str | None


class TriedView(views.View, frozen=True, kw_only=True):
    """What a sheet would change."""

    changes: list[ChangeView]

    @classmethod
    def of(cls, read: sheet.Read) -> TriedView:
        """Each change, in the order of the rows."""
        return cls(
            changes=[
                ChangeView(
                    row=each.row,
                    class_name=each.class_name,
                    season=each.season,
                    unit=each.unit,
                    before=None if each.before is None else str(each.before),
                    after=None if each.after is None else str(each.after),
                )
                for each in read.changes
            ]
        )


class Sheets(Controller):
    """Rates by spreadsheet."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def show(self, session: Session, list_id: FromPath[UUID]) -> Page:
        """Where a sheet goes in and out."""
        return await _page(session, list_id, blank(SheetInput))

    @get("/rates", access=ACCESS, media_type=CSV)
    async def export(self, session: Session, list_id: FromPath[UUID]) -> Response[str]:
        """The rates of the list."""
        return await _written(session, list_id)

    @post(access=ACCESS, request_max_body_size=LARGEST * 2, status_code=200)
    async def dry(self, request: AnyRequest, session: Session, list_id: FromPath[UUID]) -> Page:
        """What a sheet would change; nothing is written."""
        form, content = await posted_with_file(request, SheetInput, "file", TOO_LARGE)
        if content:
            text = content[:LARGEST].decode("utf-8-sig", "replace")
            form = bind(SheetInput, {"sheet": text})
        try:
            made = await _read(session, list_id, form.value.sheet)
        except DomainError as error:
            return await _page(session, list_id, form.refuse(error), status=error.status)
        return await _page(session, list_id, form, made)

    @post("/adoption", access=ACCESS, request_max_body_size=LARGEST * 2)
    async def adopt(
        self, request: AnyRequest, session: Session, list_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take the sheet over into the draft."""
        typed = await typed_fields(request)
        expected = version_seen(typed)
        form = bind(SheetInput, typed)
        try:
            made = await _read(session, list_id, form.value.sheet)
            await lists.put_prices(session, list_id, dict(made.prices), expected)
        except DomainError as error:
            form = shown_again(form, error, expected)
            return await _page(session, list_id, form, status=error.status)
        return SeeOther(f"/car-hire/desk/prices/{list_id}", flash=_("The sheet is taken over"))


class SheetsApi(Controller):
    """Rates by spreadsheet, for programs."""

    path = f"{API}/price-lists/{{list_id:uuid}}/sheet"
    tags = ("Car hire",)

    @get(access=ACCESS, media_type=CSV)
    async def export(self, session: Session, list_id: FromPath[UUID]) -> Response[str]:
        """The rates of a list as CSV; net of tax."""
        return await _written(session, list_id)

    @post("/preview", access=ACCESS, status_code=200)
    async def dry(
        self, session: Session, list_id: FromPath[UUID], data: JSONBody[SheetBody]
    ) -> TriedView:
        """What a sheet would change; nothing is written. Errors name row and column."""
        return TriedView.of(await _read(session, list_id, data.sheet))

    @put(access=ACCESS)
    async def adopt(
        self, session: Session, list_id: FromPath[UUID], data: JSONBody[SheetBody]
    ) -> Response[WholeListView]:
        """Take a sheet over into a draft; what it does not name stays."""
        made = await _read(session, list_id, data.sheet)
        found = await lists.put_prices(session, list_id, dict(made.prices))
        return versioned(await WholeListView.read(session, found))


async def _read(session: AsyncSession, list_id: UUID, text: str) -> sheet.Read:
    found = await lists.one(session, list_id)
    if found.state != "draft":
        raise lists.NotADraft
    known = await current.prices_of(session, list_id)
    return sheet.read(text, current.house_of(found), await fleet.classes(session), known)


async def _written(session: AsyncSession, list_id: UUID) -> Response[str]:
    tenant: Tenant = session.info["tenant"]
    found = await lists.one(session, list_id)
    known = await current.prices_of(session, list_id)
    text = sheet.written(current.house_of(found), await fleet.classes(session), known)
    name = f"{tenant.slug}-rates-{found.number}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=CSV, headers=headers)


async def _page(
    session: AsyncSession,
    list_id: UUID,
    form: Bound[SheetInput],
    made: sheet.Read | None = None,
    status: int = 200,
) -> Page:
    found = await lists.one(session, list_id)
    seasons = {each.code: in_reading(each.texts) for each in current.house_of(found).seasons}
    tenant: Tenant = session.info["tenant"]
    context = {
        "found": found, "form": form, "made": made, "seasons": seasons, "units": UNITS,
        "told": lambda rate: None if rate is None else Money(rate, tenant.currency),
    }  # fmt: skip
    return Page("car_hire/desk/price_sheet.html", context, status=status)


UNITS: Final = {
    "hour": _("Hour"),
    "day": _("Day"),
    "weekend": _("Weekend day"),
    "week": _("Week"),
    "month": _("Month"),
}
CONTROLLERS = (Sheets, SheetsApi)

"""The fleet as CSV."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, Invalid
from core.i18n import _
from core.permissions import permission
from core.web.forms import Bound, blank, posted
from core.web.forms.files import posted_with_file
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import FLEET, AnyRequest
from plugins.car_hire.schemas_vehicles import ImportInput
from plugins.car_hire.services.vehicles import importing

PATH: Final = "/car-hire/desk/fleet"
LARGEST: Final = 500_000
_TOO_LARGE: Final = _("This file is larger than 500 kB")
Session = NamedDependency[AsyncSession]


class Importing(Controller):
    """Cars brought in and given out as a table."""

    path = PATH
    include_in_schema = False

    @get("/export", access=permission(FLEET), media_type="text/csv; charset=utf-8")
    async def give_out(self, session: Session) -> Response[str]:
        """Every car, in the columns that are brought in."""
        headers = {"content-disposition": 'attachment; filename="fleet.csv"'}
        return Response(await importing.exported(session), headers=headers)

    @get("/import", access=permission(FLEET))
    async def show(self) -> Page:
        """Which columns there are, and a form for the file."""
        return _page(blank(ImportInput))

    @post("/import", access=permission(FLEET), status_code=200, request_max_body_size=LARGEST)
    async def try_out(self, request: AnyRequest, session: Session) -> Page:
        """What a file would do; nothing is changed."""
        form, content = await posted_with_file(request, ImportInput, "file", _TOO_LARGE)
        try:
            text = importing.decoded(content) if content is not None else form.value.content
            if not text.strip():
                raise Invalid(_("Choose a file"), field="file")
            outcome = await importing.trial(session, text)
        except DomainError as error:
            return _page(form.refuse(error), status=error.status)
        status = 422 if outcome.wrong else 200
        return _page(blank(ImportInput, {"content": text}), outcome, status)

    @post("/import/run", access=permission(FLEET), request_max_body_size=LARGEST)
    async def bring_in(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """All the cars of the file, or none."""
        form = await posted(request, ImportInput)
        try:
            outcome = await importing.bring_in(session, form.value.content)
        except DomainError as error:
            return _page(form.refuse(error), status=error.status)
        if outcome.wrong:
            return _page(form, outcome, 422)
        return SeeOther(PATH, flash=_("The cars are brought in"))


def _page(
    form: Bound[ImportInput], outcome: importing.Outcome | None = None, status: int = 200
) -> Page:
    shown: dict[str, Any] = {"form": form, "outcome": outcome, "columns": importing.COLUMNS}
    return Page("car_hire/desk/vehicles/import.html", shown, status=status)


CONTROLLERS = (Importing,)

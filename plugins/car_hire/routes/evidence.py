"""What shows a charge: sent at the desk, or by a program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from uuid import UUID

from litestar import Controller, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.storage import receiving
from core.storage.models import StoredFile
from core.web.pages import SeeOther
from plugins.car_hire.routes.http import API, DESK, AnyRequest
from plugins.car_hire.routes.views import BillLineView
from plugins.car_hire.services import bill_lines, evidence, hires

ACCESS = permission(DESK)
LARGEST: Final = 10_000_000
"""Bytes of what shows it."""
Session = NamedDependency[AsyncSession]


async def received(request: AnyRequest, session: AsyncSession, area: str) -> StoredFile:
    """The file of a form or request, kept in ``area``; what was recorded so far is committed.

    Raises:
        Invalid: too large, none, or broken off.
    """
    return await receiving.file(request, session, evidence.FIELD, area, LARGEST)


async def kept(
    request: AnyRequest,
    session: AsyncSession,
    area: str,
    show: Callable[[StoredFile], Awaitable[object]],
    back: str,
) -> SeeOther:
    """Let ``show`` keep what a form sends, and go ``back`` with what came of it."""
    try:
        await show(await received(request, session, area))
    except DomainError as error:
        said = error.errors[0].message if error.errors else error.message
        return SeeOther(back, flash=said, level="danger")
    return SeeOther(back, flash=_("Kept"))


class Bills(Controller):
    """Lines of the bill on a booking's page."""

    path = "/car-hire/desk/hires"
    include_in_schema = False

    @post(
        "/{hire_id:uuid}/lines/{line_id:uuid}/evidence", access=ACCESS, request_max_body_size=None
    )
    async def show_line(
        self,
        request: AnyRequest,
        session: Session,
        hire_id: FromPath[UUID],
        line_id: FromPath[UUID],
    ) -> SeeOther:
        """A photo or document that shows why a line stands on the bill."""
        await bill_lines.one(session, hire_id, line_id)
        back = f"/car-hire/desk/bookings/{(await hires.one(session, hire_id)).booking_id}"
        show = partial(bill_lines.show_by, session, hire_id, line_id)
        return await kept(request, session, bill_lines.AREA, show, back)


class BillsApi(Controller):
    """The same, for programs."""

    path = f"{API}/hires"
    tags = ("Car hire",)

    @put("/{hire_id:uuid}/lines/{line_id:uuid}/evidence", access=ACCESS, request_max_body_size=None)
    async def show_line(
        self,
        request: AnyRequest,
        session: Session,
        hire_id: FromPath[UUID],
        line_id: FromPath[UUID],
    ) -> BillLineView:
        """Keep what shows why a line stands on the bill: a PDF, PNG or JPEG of at most 10 MB, the
        file ``evidence`` of a multipart request. The customer sees it beside the line."""
        hire = await hires.one(session, hire_id)
        currency = hire.currency
        await bill_lines.one(session, hire_id, line_id)
        file = await received(request, session, bill_lines.AREA)
        found = await bill_lines.show_by(session, hire_id, line_id, file)
        return BillLineView.kept(found, currency)


CONTROLLERS: Final = (Bills, BillsApi)

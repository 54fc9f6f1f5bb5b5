"""A deposit that the desk keeps after a return: charged by hand, taken, or released."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import LazyText, _
from core.permissions import permission
from core.web.forms import blank, posted
from core.web.pages import Page, SeeOther
from core.web.slots import Slots
from plugins.car_hire.models import Hire
from plugins.car_hire.routes.booking_page import booking_page
from plugins.car_hire.routes.http import API, DESK, AnyRequest
from plugins.car_hire.routes.views import BillLineView, HireView
from plugins.car_hire.schemas_money import ChargeInput, ReasonInput
from plugins.car_hire.services import hires
from plugins.car_hire.services.paying import kept

ACCESS = permission(DESK)
WAYS: Final = {"taking": kept.take, "release": kept.release}
Session = NamedDependency[AsyncSession]
Parts = NamedDependency[Slots]


class Kept(Controller):
    """Forms of the booking's page."""

    path = "/car-hire/desk/hires"
    include_in_schema = False

    @post("/{hire_id:uuid}/charges", access=ACCESS, idempotent=True)
    async def charge(
        self, request: AnyRequest, session: Session, slots: Parts, hire_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Add to the bill what was found."""
        hire = await hires.one(session, hire_id)
        form = await posted(request, ChargeInput)
        try:
            await kept.charge(session, hire_id, form.value)
        except DomainError as error:
            form = form.refuse(error)
            return await booking_page(session, slots, hire.booking_id, charge=form, error=error)
        return _back(hire.booking_id, _("It is on the bill. Add there what shows it"))

    @post("/{hire_id:uuid}/deposit-taking", access=ACCESS)
    async def take(
        self, request: AnyRequest, session: Session, slots: Parts, hire_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take the bill from the deposit, and release the rest."""
        return await _decide(request, session, slots, hire_id, "taking")

    @post("/{hire_id:uuid}/deposit-release", access=ACCESS)
    async def release(
        self, request: AnyRequest, session: Session, slots: Parts, hire_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Release the deposit untouched."""
        return await _decide(request, session, slots, hire_id, "release")


async def _decide(
    request: AnyRequest, session: AsyncSession, slots: Slots, hire_id: UUID, way: str
) -> Page | SeeOther:
    hire = await hires.one(session, hire_id)
    form = await posted(request, ReasonInput)
    try:
        await WAYS[way](session, hire_id, form.value.reason)
    except DomainError as error:
        again = blank(ChargeInput).refuse(error)
        return await booking_page(session, slots, hire.booking_id, charge=again, error=error)
    return _back(hire.booking_id, _("The deposit is being settled"))


def _back(booking_id: UUID, said: LazyText) -> SeeOther:
    return SeeOther(f"/car-hire/desk/bookings/{booking_id}", flash=said)


class KeptApi(Controller):
    """The same, for programs."""

    path = f"{API}/hires"
    tags = ("Car hire",)

    @post("/{hire_id:uuid}/charges", access=ACCESS, idempotent=True)
    async def charge(
        self, session: Session, hire_id: FromPath[UUID], data: JSONBody[ChargeInput]
    ) -> Response[BillLineView]:
        """Add to the bill of a hire whose deposit is kept."""
        hire = await hires.one(session, hire_id)
        made = await kept.charge(session, hire_id, data)
        return Response(BillLineView.kept(made, hire.currency), status_code=201)

    @post("/{hire_id:uuid}/deposit-taking", access=ACCESS, status_code=200)
    async def take(
        self, session: Session, hire_id: FromPath[UUID], data: JSONBody[ReasonInput]
    ) -> HireView:
        """Take the bill from a deposit that is kept, and release the rest."""
        return await _view(session, await kept.take(session, hire_id, data.reason))

    @post("/{hire_id:uuid}/deposit-release", access=ACCESS, status_code=200)
    async def release(
        self, session: Session, hire_id: FromPath[UUID], data: JSONBody[ReasonInput]
    ) -> HireView:
        """Release a deposit that is kept, untouched."""
        return await _view(session, await kept.release(session, hire_id, data.reason))


async def _view(session: AsyncSession, hire: Hire) -> HireView:
    return HireView.of(hire, list(await hires.bill_lines(session, hire.id)))


CONTROLLERS: Final = (Kept, KeptApi)

"""Money besides cards at the desk: the drawer, transfers, and what was received by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.permissions import permission
from core.scope import Tenant
from core.web.api import paged, place
from core.web.forms import Bound, bind, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from core.web.slots import Slots
from plugins.car_hire.models import CASH_KINDS, TRANSFER_STATES
from plugins.car_hire.routes.booking_page import booking_page
from plugins.car_hire.routes.http import DESK, AnyRequest, shown_again, version_seen
from plugins.car_hire.schemas_money import (
    CountInput,
    DueInput,
    GivenBackInput,
    MethodInput,
    MovementInput,
    OpeningInput,
)
from plugins.car_hire.services import cash, hires, paying, paying_by_hand, transfers

PATH: Final = "/car-hire/desk"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]
Parts = NamedDependency[Slots]


class CashDesk(Controller):
    """The drawer."""

    path = f"{PATH}/cash"
    include_in_schema = False

    @get(access=ACCESS)
    async def show(self, session: Session, cursor: FromQuery[str | None] = None) -> Page:
        """What should be in it, and what was counted before."""
        return await _cash_page(session, cursor=cursor)

    @post("/opening", access=ACCESS, idempotent=True)
    async def opened(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Open it with a float."""
        form = await posted(request, OpeningInput)
        try:
            await cash.open_with(session, form.value.opening)
        except DomainError as error:
            return await _cash_page(session, opening=form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/cash", flash=_("The cash desk is open"))

    @post("/movement", access=ACCESS, idempotent=True)
    async def moved(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Put something in, or take something out."""
        form = await posted(request, MovementInput)
        try:
            await cash.put_in_or_out(session, form.value.amount, form.value.note)
        except DomainError as error:
            return await _cash_page(session, movement=form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/cash", flash=_("Noted"))

    @post("/count", access=ACCESS, idempotent=True)
    async def counted(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Count it and close it."""
        typed = await typed_fields(request)
        typed.pop("form_key", None)
        seen = version_seen(typed)
        form = bind(CountInput, typed)
        try:
            await cash.close(session, form.value.counted, form.value.note, seen)
        except DomainError as error:
            return await _cash_page(
                session, count=shown_again(form, error, seen), status=error.status
            )
        return SeeOther(f"{PATH}/cash", flash=_("The cash desk is closed"))


class Transfers(Controller):
    """What comes by the bank."""

    path = f"{PATH}/transfers"
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """Every transfer, newest first."""
        tenant: Tenant = session.info["tenant"]
        wanted = {"text": text.strip(), "status": status}
        rows = await transfers.page(
            session, text=wanted["text"], state=status, before=place(cursor)
        )
        found = paged(rows, transfers.PAGE_SIZE, cursor, lambda row: row[0].id)
        more = {"states": TRANSFER_STATES, "today": clock.today(tenant.zone)}
        return Page("car_hire/desk/transfers.html", found | wanted | more)

    @post("/{transfer_id:uuid}/receipt", access=ACCESS)
    async def received(
        self, request: AnyRequest, session: Session, transfer_id: FromPath[UUID]
    ) -> SeeOther:
        """The money is on the account."""
        seen = version_seen(await typed_fields(request))
        await transfers.received(session, transfer_id, seen)
        return SeeOther(f"{PATH}/transfers", flash=_("Noted as received"))

    @post("/{transfer_id:uuid}/withdrawal", access=ACCESS)
    async def given_up(self, session: Session, transfer_id: FromPath[UUID]) -> SeeOther:
        """It is waited for no longer."""
        await transfers.give_up(session, transfer_id)
        return SeeOther(f"{PATH}/transfers", flash=_("It is waited for no longer"))


class ByHand(Controller):
    """What was received for a booking, and given back."""

    path = PATH
    include_in_schema = False

    @post("/bookings/{booking_id:uuid}/desk-payment", access=ACCESS)
    async def price(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> SeeOther:
        """The price was received in cash, by a terminal of the desk's own, or by the bank."""
        form = await posted(request, MethodInput)
        await paying_by_hand.take_price(session, booking_id, form.value.method)
        return SeeOther(f"{PATH}/bookings/{booking_id}", flash=_("Noted as paid"))

    @post("/bookings/{booking_id:uuid}/transfer", access=ACCESS, idempotent=True)
    async def promised(
        self, request: AnyRequest, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The customer pays by transfer."""
        form = await posted(request, DueInput)
        try:
            await transfers.expect(session, booking_id, form.value.due_on)
        except DomainError as error:
            return await booking_page(
                session, slots, booking_id, due=form.refuse(error), error=error
            )
        return SeeOther(f"{PATH}/bookings/{booking_id}", flash=_("The transfer is waited for"))

    @post("/bookings/{booking_id:uuid}/given-back", access=ACCESS, idempotent=True)
    async def given_back(
        self, request: AnyRequest, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """What was received by hand went back by hand, or a part of it."""
        form = await posted(request, GivenBackInput)
        try:
            given, key = form.value, f"desk:{new_id()}"
            await paying_by_hand.give_back(
                session, booking_id, given.method, given.reason, key, given.amount
            )
        except DomainError as error:
            return await booking_page(
                session, slots, booking_id, back=form.refuse(error), error=error
            )
        return SeeOther(f"{PATH}/bookings/{booking_id}", flash=_("Noted as given back"))

    @post("/hires/{hire_id:uuid}/by-hand/{purpose:str}", access=ACCESS, idempotent=True)
    async def of_hire(
        self,
        request: AnyRequest,
        session: Session,
        hire_id: FromPath[UUID],
        purpose: FromPath[str],
    ) -> SeeOther:
        """The deposit, or what it did not cover, was received by hand."""
        hire = await hires.one(session, hire_id)
        method = (await posted(request, MethodInput)).value.method
        ways = {
            paying.DEPOSIT: paying_by_hand.take_deposit,
            paying.REST: paying_by_hand.take_rest,
        }
        if purpose not in ways:
            raise NotFound
        await ways[purpose](session, hire_id, method)
        return SeeOther(f"{PATH}/bookings/{hire.booking_id}", flash=_("Noted as paid"))


async def _cash_page(
    session: AsyncSession,
    *,
    opening: Bound[OpeningInput] | None = None,
    movement: Bound[MovementInput] | None = None,
    count: Bound[CountInput] | None = None,
    cursor: str | None = None,
    status: int = 200,
) -> Page:
    tenant: Tenant = session.info["tenant"]
    desk = await cash.opened(session)
    rows = await cash.page(session, place(cursor))
    found = paged(rows, cash.PAGE_SIZE, cursor, lambda row: row.id)
    context = {
        "drawer": await cash.drawer(session, desk) if desk else None,
        "opening": opening or blank(OpeningInput),
        "movement": replace(movement or blank(MovementInput), id="movement"),
        "count": replace(count or blank(CountInput), id="count"),
        "kinds": CASH_KINDS,
        "in_currency": lambda amount: Money(amount, tenant.currency),
    }
    return Page("car_hire/desk/cash.html", found | context, status=status)


CONTROLLERS = (CashDesk, Transfers, ByHand)

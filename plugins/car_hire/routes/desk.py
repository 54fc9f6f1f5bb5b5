"""The desk: today, bookings, handing over and taking back."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, plugin_failures
from core.errors import DomainError
from core.i18n import _
from core.money import Money
from core.permissions import permission
from core.web.forms import Bound, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from core.web.slots import Slots
from plugins.car_hire.models import Hire
from plugins.car_hire.routes.booking_page import booking_page
from plugins.car_hire.routes.handing_over import HandOver
from plugins.car_hire.routes.http import DESK, SHOWN, AnyRequest, bookings_page
from plugins.car_hire.schemas import CardInput, ReturnInput
from plugins.car_hire.services import (
    bookings,
    cancelling,
    hires,
    looking,
    paying,
    pricing,
    today,
)
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.describe import told

PATH = "/car-hire/desk"
BOOKINGS = f"{PATH}/bookings"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]
Parts = NamedDependency[Slots]


class Desk(Controller):
    """The working day."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def today(self, session: Session, branch_id: FromQuery[UUID | None] = None) -> Page:
        """Who comes, who brings back, who is late: everywhere, or at one branch."""
        start = await looking.beginnings(session)
        failures = await plugin_failures.recent(session)
        day = await today.of_desk(session, branch_id)
        branches = await network.read(session)
        context = {"day": day, "start": start, "failures": failures, **SHOWN} | {
            "branch_names": branches.told,
            "branch_id": branch_id,
            "now": clock.now(),
        }
        return Page("car_hire/desk/today.html", context)

    @get("/bookings", access=ACCESS)
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        branch_id: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """Every booking, newest first; search by name, number or plate."""
        wanted = {"text": text.strip(), "state": status, "branch_id": branch_id}
        found = await bookings_page(session, cursor, **wanted)
        asked = {"text": text, "status": status, "branch_id": branch_id}
        return Page("car_hire/desk/bookings.html", {**found, **asked})

    @get("/bookings/{booking_id:uuid}", access=ACCESS)
    async def booking(self, session: Session, slots: Parts, booking_id: FromPath[UUID]) -> Page:
        """One booking with its history and what can be done now."""
        return await booking_page(session, slots, booking_id)

    @post("/bookings/{booking_id:uuid}/payment", access=ACCESS)
    async def pay(
        self, request: AnyRequest, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take the price of a booking by card."""
        form = await posted(request, CardInput)
        try:
            await paying.pay_booking(session, booking_id, form.value.payment_method)
        except DomainError as error:
            return await booking_page(
                session, slots, booking_id, card=form.refuse(error), error=error
            )
        return SeeOther(f"{PATH}/bookings/{booking_id}")

    @post("/bookings/{booking_id:uuid}/payment/answer", access=ACCESS)
    async def answered(
        self, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The cardholder, at the desk, has answered the bank."""
        try:
            await paying.answered(session, paying.BOOKING, booking_id, paying.CHARGE)
        except DomainError as error:
            form = blank(CardInput).refuse(error)
            return await booking_page(session, slots, booking_id, card=form, error=error)
        return SeeOther(f"{PATH}/bookings/{booking_id}")

    @post("/bookings/{booking_id:uuid}/cancellation", access=ACCESS)
    async def cancel(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> SeeOther:
        """Cancel; what was paid goes back to the card, but for the fee that was shown."""
        seen = str((await request.form()).get("fee", ""))
        try:
            await paying.cancel(session, booking_id, seen=seen)
        except cancelling.FeeHasChanged as error:
            back = f"{PATH}/bookings/{booking_id}"
            return SeeOther(back, flash=error.message, level="warning")
        return SeeOther(f"{PATH}/bookings/{booking_id}", flash=_("The booking is cancelled"))

    @post("/bookings/{booking_id:uuid}/no-show", access=ACCESS)
    async def no_show(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """The customer did not come."""
        await paying.no_show(session, booking_id)
        return SeeOther(f"{PATH}/bookings/{booking_id}", flash=_("Noted as a no-show"))

    @post("/bookings/{booking_id:uuid}/hire", access=ACCESS)
    async def start(
        self, request: AnyRequest, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Check driver and car; the deposit comes next."""
        form = HandOver.of(session, await typed_fields(request))
        try:
            await hires.prepare(session, form.given)
        except DomainError as error:
            return await booking_page(
                session, slots, booking_id, start=form.refuse(error), error=error
            )
        return SeeOther(f"{PATH}/bookings/{booking_id}")

    @post("/hires/{hire_id:uuid}/{purpose:str}", access=ACCESS)
    async def take_money(
        self,
        request: AnyRequest,
        session: Session,
        slots: Parts,
        hire_id: FromPath[UUID],
        purpose: FromPath[str],
    ) -> Page | SeeOther:
        """Take the deposit, or what it did not cover, by card; or hear how the bank decided."""
        hire = await hires.one(session, hire_id)
        form = blank(CardInput)
        try:
            if purpose.endswith("-answer"):
                kind = purpose.removesuffix("-answer")
                await paying.answered(session, paying.HIRE, hire_id, kind)
            else:
                form = await posted(request, CardInput)
                await paying.take(session, hire_id, purpose, form.value.payment_method)
        except DomainError as error:
            return await booking_page(
                session, slots, hire.booking_id, card=form.refuse(error), error=error
            )
        return SeeOther(f"{PATH}/bookings/{hire.booking_id}")

    @post("/hires/{hire_id:uuid}/abandonment", access=ACCESS)
    async def abandon(self, session: Session, hire_id: FromPath[UUID]) -> SeeOther:
        """The customer leaves without the car; the booking stands."""
        hire = await paying.abandon(session, hire_id)
        return SeeOther(f"{PATH}/bookings/{hire.booking_id}", flash=_("Handing over was given up"))

    @get("/hires/{hire_id:uuid}/return", access=ACCESS, stands_below=BOOKINGS)
    async def back(self, session: Session, hire_id: FromPath[UUID]) -> Page:
        """Read odometer and fuel, see the bill."""
        hire = await hires.one(session, hire_id)
        booking = await bookings.one(session, hire.booking_id)
        usual = {"fuel_eighths": hire.fuel_out, "return_branch_id": booking.return_branch_id}
        form = blank(ReturnInput, usual)
        return await _return_page(session, hire, form, None)

    @post("/hires/{hire_id:uuid}/bill", access=ACCESS, stands_below=BOOKINGS)
    async def preview(self, request: AnyRequest, session: Session, hire_id: FromPath[UUID]) -> Page:
        """The bill as it would be."""
        hire = await hires.one(session, hire_id)
        form = await posted(request, ReturnInput)
        try:
            priced = await hires.preview(session, hire_id, form.value)
        except DomainError as error:
            return await _return_page(session, hire, form.refuse(error), None, error.status)
        return await _return_page(session, hire, form, priced)

    @post("/hires/{hire_id:uuid}/return", access=ACCESS, stands_below=BOOKINGS)
    async def take_back(
        self, request: AnyRequest, session: Session, hire_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The car is back: bill it and settle with the deposit."""
        hire = await hires.one(session, hire_id)
        form = await posted(request, ReturnInput)
        try:
            await hires.take_back(session, hire_id, form.value)
            await paying.settle_soon(session, hire_id)
        except DomainError as error:
            return await _return_page(session, hire, form.refuse(error), None, error.status)
        return SeeOther(
            f"{PATH}/bookings/{hire.booking_id}",
            flash=_("The car is back; the receipt is on its way"),
        )


async def _return_page(
    session: AsyncSession,
    hire: Hire,
    form: Bound[ReturnInput],
    priced: pricing.Priced | None,
    status: int = 200,
) -> Page:
    found = await looking.whole(session, hire.booking_id)
    bill = [told(line, hire.currency) for line in priced.lines] if priced else []
    total = priced.gross if priced else Money.zero(hire.currency)
    return Page(
        "car_hire/desk/return.html",
        {"found": found, "form": form, "previewed": priced is not None, "bill": bill,
         "total": total, "branch_names": (await network.read(session)).names},
        status=status,
    )  # fmt: skip

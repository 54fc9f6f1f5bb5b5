"""``/api/v1/car-hire``: prices, bookings and hires, for programs."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core import terms
from core.auth import identity
from core.permissions import member, permission, public
from core.web.api import Listing, expected, page_of, place
from core.web.forms import bind
from plugins.car_hire.routes import views
from plugins.car_hire.routes.choosing import guess
from plugins.car_hire.routes.http import (
    API,
    DESK,
    QUOTES,
    AnyRequest,
    asking_customer,
    check_own,
    is_desk,
    payment_view,
    versioned,
)
from plugins.car_hire.schemas import (
    BookingInput,
    CardInput,
    HireInput,
    QuoteInput,
    ReturnInput,
    SearchInput,
)
from plugins.car_hire.services import (
    availability,
    bookings,
    cancelling,
    hires,
    limits,
    paying,
    paying_by_hand,
    paying_later,
    quotes,
)
from plugins.car_hire.services.branches import network

Session = NamedDependency[AsyncSession]


class Quotes(Controller):
    """Prices."""

    path = API
    tags = ("Car hire",)

    @get("/offers", access=public)
    async def offers(
        self,
        session: Session,
        starts_at: FromQuery[str],
        ends_at: FromQuery[str],
        class_id: FromQuery[UUID | None] = None,
        pick_up_branch_id: FromQuery[UUID | None] = None,
        return_branch_id: FromQuery[UUID | None] = None,
    ) -> Listing[views.OfferView]:
        """What is free at that time and branch, with prices; times are ISO 8601."""
        given = {
            "starts_at": starts_at,
            "ends_at": ends_at,
            "class_id": class_id,
            "pick_up_branch_id": pick_up_branch_id,
            "return_branch_id": return_branch_id,
        }
        wanted = bind(SearchInput, given).value
        journey = await network.open_for(session, wanted)
        found = await quotes.search(
            session, wanted.starts_at, wanted.ends_at, wanted.class_id, journey
        )
        shown = [
            views.OfferView.of(each, limits.texts(session, each.vehicle_class, each.broken))
            for each in found
        ]
        return Listing(shown)

    @post("/quotes", access=public, idempotent=True, allowance=QUOTES)
    async def make(
        self, request: AnyRequest, session: Session, data: JSONBody[QuoteInput]
    ) -> views.QuoteView:
        """A price, kept with every line and the rule that made it."""
        if not is_desk():
            await network.open_for(session, data)
        async with guess(request, data.promotion):
            made = await quotes.make(session, data, data.beyond if is_desk() else "")
        return views.QuoteView.of(made, list(await quotes.lines(session, made.id)))

    @get("/quotes/{quote_id:uuid}", access=public)
    async def show(self, session: Session, quote_id: FromPath[UUID]) -> views.QuoteView:
        """One quote."""
        found = await quotes.one(session, quote_id)
        return views.QuoteView.of(found, list(await quotes.lines(session, quote_id)))


class Bookings(Controller):
    """Promises of a car."""

    path = f"{API}/bookings"
    tags = ("Car hire",)

    @get(access=permission(DESK))
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Listing[views.BookingView]:
        """Bookings, newest first; ``text`` is part of a name, a number or a plate."""
        rows = await bookings.page(session, text=text, state=status, before=place(cursor))
        page, following = page_of(
            [row[0] for row in rows], bookings.listing.PAGE_SIZE, lambda row: (str(row.id),)
        )
        return Listing([views.BookingView.of(each) for each in page], following)

    @post(access=member, idempotent=True)
    async def place(
        self, session: Session, data: JSONBody[BookingInput]
    ) -> Response[views.BookingView]:
        """Book a quoted car; it is held until it is paid or the hold ends."""
        await availability.refuse_gone(session, data.quote_id)
        customer = await asking_customer(session, data.customer_id)
        await terms.accepted_now(session, identity.required(), data.terms)
        quote = await quotes.one(session, data.quote_id)
        made = await bookings.place(session, quote, customer, "api")
        await paying.hold_ends(session, made)
        return versioned(views.BookingView.of(made), 201)

    @get("/{booking_id:uuid}", access=member)
    async def show(
        self, session: Session, booking_id: FromPath[UUID]
    ) -> Response[views.BookingView]:
        """One booking, to the desk and to its customer."""
        found = await bookings.one(session, booking_id)
        await check_own(session, found)
        return versioned(views.BookingView.of(found))

    @post("/{booking_id:uuid}/payment", access=member, idempotent=True)
    async def pay(
        self, session: Session, booking_id: FromPath[UUID], data: JSONBody[CardInput]
    ) -> views.PaymentView:
        """Pay by card; the amount is the quote's."""
        await check_own(session, await bookings.one(session, booking_id))
        return payment_view(await paying.pay_booking(session, booking_id, data.payment_method))

    @post("/{booking_id:uuid}/pay-at-desk", access=member, idempotent=True)
    async def pay_at_desk(
        self, session: Session, booking_id: FromPath[UUID]
    ) -> Response[views.BookingView]:
        """Keep the car without a card, where the business offers that: paid at pick-up."""
        await check_own(session, await bookings.one(session, booking_id))
        found = await paying_later.promise(session, booking_id)
        return versioned(views.BookingView.of(found), 201)

    @post("/{booking_id:uuid}/desk-payment", access=permission(DESK), idempotent=True)
    async def received(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Response[views.BookingView]:
        """The desk received what was to be paid at pick-up, in cash or by a terminal."""
        seen = expected(request)
        found = await paying_by_hand.take_price(session, booking_id, "cash", seen)
        return versioned(views.BookingView.of(found), 201)

    @get("/{booking_id:uuid}/cancellation", access=member)
    async def cost(self, session: Session, booking_id: FromPath[UUID]) -> views.CostView:
        """What cancelling now would cost; nothing is done."""
        found = await bookings.one(session, booking_id)
        await check_own(session, found)
        cost = await cancelling.of_cancellation(session, found)
        return views.CostView(
            currency=found.currency,
            fee=cost.fee.amount,
            back=cost.back.amount,
            free_until=cost.free_until,
            on_account=cost.on_account,
        )

    @post("/{booking_id:uuid}/cancellation", access=member, idempotent=True)
    async def cancel(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Response[views.BookingView]:
        """Cancel; what was paid goes back to the card, but for the fee of a late one."""
        await check_own(session, await bookings.one(session, booking_id))
        found = await paying.cancel(session, booking_id, expected(request))
        return versioned(views.BookingView.of(found), 201)


class Hires(Controller):
    """Cars on the road."""

    path = f"{API}/hires"
    tags = ("Car hire",)

    @post(access=permission(DESK), idempotent=True)
    async def start(self, session: Session, data: JSONBody[HireInput]) -> Response[views.HireView]:
        """Hand a car over; it is on hire once the deposit is paid."""
        made = await hires.prepare(session, data)
        return versioned(views.HireView.of(made, []), 201)

    @get("/{hire_id:uuid}", access=permission(DESK))
    async def show(self, session: Session, hire_id: FromPath[UUID]) -> Response[views.HireView]:
        """One hire, with its bill."""
        found = await hires.one(session, hire_id)
        lines = list(await hires.bill_lines(session, hire_id))
        return versioned(views.HireView.of(found, lines))

    @post("/{hire_id:uuid}/deposit", access=permission(DESK), idempotent=True)
    async def deposit(
        self, session: Session, hire_id: FromPath[UUID], data: JSONBody[CardInput]
    ) -> views.PaymentView:
        """Reserve the deposit on a card; the car is on hire then."""
        return payment_view(await paying.pay_deposit(session, hire_id, data.payment_method))

    @post("/{hire_id:uuid}/bill-preview", access=permission(DESK), status_code=200)
    async def preview(
        self, session: Session, hire_id: FromPath[UUID], data: JSONBody[ReturnInput]
    ) -> views.BillView:
        """The bill as it would be; nothing is written."""
        return views.BillView.of(await hires.preview(session, hire_id, data))

    @post("/{hire_id:uuid}/return", access=permission(DESK), idempotent=True)
    async def take_back(
        self,
        request: AnyRequest,
        session: Session,
        hire_id: FromPath[UUID],
        data: JSONBody[ReturnInput],
    ) -> Response[views.HireView]:
        """Take the car back: bill, and settle with the deposit."""
        found = await hires.take_back(session, hire_id, data, expected(request))
        await paying.settle_soon(session, hire_id)
        lines = list(await hires.bill_lines(session, hire_id))
        return versioned(views.HireView.of(found, lines), 201)


CONTROLLERS = (Quotes, Bookings, Hires)

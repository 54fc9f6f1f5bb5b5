"""The customers' site: find a car, see the price, book, pay, and look after one's hires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, terms
from core.auth import identity
from core.errors import DomainError
from core.i18n import _
from core.money import Money
from core.payments.card import Card, card_page
from core.payments.services.accounts import NotAcceptingCards
from core.permissions import member, public
from core.scope import Tenant
from core.web.formatting import wall
from core.web.forms import Bound, bind, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import PAPER_KINDS, Customer, Quote
from plugins.car_hire.routes.choosing import (
    CHANGED,
    begun,
    choices_of,
    guess,
    kept,
    others_of,
    refuse,
    status_of,
)
from plugins.car_hire.routes.http import (
    LATER_SHOWN,
    QUOTES,
    SHOWN,
    AnyRequest,
    bookings_page,
    check_own,
)
from plugins.car_hire.schemas import CardInput, CheckoutInput, LicenceInput, QuoteInput
from plugins.car_hire.schemas_promotions import PriceChoices
from plugins.car_hire.services import (
    availability,
    bookings,
    cancelling,
    customers,
    fleet,
    looking,
    paying,
    paying_later,
    quotes,
    self_service,
)
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.companies import hiring
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.extras import quoting, showing
from plugins.car_hire.services.later import recording
from plugins.car_hire.services.papers import agreements, listing
from plugins.car_hire.services.promotions import students

SITE = "/car-hire"
SEARCHED = ("starts_at", "ends_at", "class_id", "pick_up_branch_id", "return_branch_id")
Session = NamedDependency[AsyncSession]


class Site(Controller):
    """What customers see."""

    path = SITE
    include_in_schema = False

    @post("/quotes", access=public, idempotent=True, allowance=QUOTES)
    async def quote(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Keep the price of a class, and show what it is made of."""
        form = await posted(request, QuoteInput)
        try:
            await network.open_for(session, form.value)
            async with guess(request, form.value.promotion):
                made = await quotes.make(session, form.value)
        except DomainError as error:
            back = {key: str(form.raw.get(key, ""))[:40] for key in SEARCHED}
            return SeeOther(f"{SITE}?{urlencode(back)}", flash=error.message, level="danger")
        return SeeOther(f"{SITE}/quotes/{made.id}")

    @get("/quotes/{quote_id:uuid}", access=public)
    async def priced(self, session: Session, quote_id: FromPath[UUID]) -> Page:
        """One price, line by line, and the way to book it."""
        quote = await quotes.one(session, quote_id)
        known = await _known(session)
        return await _quote_page(session, quote, blank(CheckoutInput, _licence_of(known)))

    @post("/quotes/{quote_id:uuid}/choices", access=public, status_code=200)
    async def choose(self, request: AnyRequest, session: Session, quote_id: FromPath[UUID]) -> Page:
        """Take extras and covers with the car, or leave them; the price follows."""
        quote = await quotes.one(session, quote_id)
        typed = await typed_fields(request)
        typed.pop("shown", None)
        form, choices = begun(CheckoutInput, others_of(typed)), choices_of(typed)
        if form.errors:
            return await _quote_page(session, quote, form, choices, 422)
        try:
            async with guess(request, choices.value.promotion):
                quote = await quoting.choose(session, quote_id, choices.value)
        except DomainError as error:
            status = status_of(request, error)
            return await _quote_page(session, quote, form, choices.refuse(error), status)
        return await _quote_page(session, quote, form)

    @post("/quotes/{quote_id:uuid}/booking", access=member)
    async def book(
        self, request: AnyRequest, session: Session, quote_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Note the licence and what is agreed to, and hold a car."""
        quote = await quotes.one(session, quote_id)
        typed = await typed_fields(request)
        shown = str(typed.pop("shown", quote.gross))
        choices = choices_of(typed) if "age" in typed else kept(quote)
        form = bind(CheckoutInput, others_of(typed))
        try:
            await availability.refuse_gone(session, quote_id)
            person = identity.required()
            await terms.accepted_now(session, person, form.value.terms)
            customer = await customers.register(session, person, form.value)
            async with guess(request, choices.value.promotion):
                quote = await quoting.agreed(session, quote, choices.value, customer)
            if str(quote.gross) != shown:
                return SeeOther(f"{SITE}/quotes/{quote_id}", flash=CHANGED, level="warning")
            made = await bookings.place(session, quote, customer, "site")
            await paying.hold_ends(session, made)
        except (
            students.NotVerified
        ) as error:  # what was told of the licence is kept, and the asking
            return SeeOther(f"{SITE}/quotes/{quote_id}", flash=error.message, level="warning")
        except DomainError as error:
            refuse(error, choices, form)
            return await _quote_page(session, quote, form, choices, error.status)
        return SeeOther(f"{SITE}/bookings/{made.id}")

    @get("/bookings", access=member)
    async def mine(self, session: Session, cursor: FromQuery[str | None] = None) -> Page:
        """One's own bookings and hires, newest first."""
        known = await _known(session)
        found = (
            await bookings_page(session, cursor, customer_id=known.id) if known else {"rows": []}
        )
        return Page("car_hire/site/bookings.html", found)

    @get("/bookings/{booking_id:uuid}", access=member)
    async def booking(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """One booking: what it costs, how to pay, and later the receipt."""
        return await _booking_page(session, booking_id, blank(CardInput))

    @post("/bookings/{booking_id:uuid}/payment", access=member)
    async def pay(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Pay by card; the amount is the quote's."""
        await check_own(session, await bookings.one(session, booking_id))
        form = await posted(request, CardInput)
        try:
            await paying.pay_booking(session, booking_id, form.value.payment_method)
        except DomainError as error:
            return await _booking_page(session, booking_id, form.refuse(error), error.status)
        return SeeOther(f"{SITE}/bookings/{booking_id}")

    @post("/bookings/{booking_id:uuid}/payment/answer", access=member)
    async def answered(self, session: Session, booking_id: FromPath[UUID]) -> Page | SeeOther:
        """The cardholder has answered the bank."""
        await check_own(session, await bookings.one(session, booking_id))
        try:
            await paying.answered(session, paying.BOOKING, booking_id, paying.CHARGE)
        except DomainError as error:
            form = blank(CardInput).refuse(error)
            return await _booking_page(session, booking_id, form, error.status)
        return SeeOther(f"{SITE}/bookings/{booking_id}")

    @post("/bookings/{booking_id:uuid}/pay-at-desk", access=member)
    async def pay_at_desk(self, session: Session, booking_id: FromPath[UUID]) -> Page | SeeOther:
        """Keep the car without a card; the price is paid when it is picked up."""
        await check_own(session, await bookings.one(session, booking_id))
        try:
            await paying_later.promise(session, booking_id)
        except DomainError as error:
            form = blank(CardInput).refuse(error)
            return await _booking_page(session, booking_id, form, error.status)
        return SeeOther(f"{SITE}/bookings/{booking_id}")

    @post("/bookings/{booking_id:uuid}/cancellation", access=member)
    async def cancel(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> SeeOther:
        """Cancel; what was paid goes back to the card, but for the fee that was shown."""
        await check_own(session, await bookings.one(session, booking_id))
        seen = str((await request.form()).get("fee", ""))
        try:
            await paying.cancel(session, booking_id, seen=seen)
        except cancelling.FeeHasChanged as error:
            back = f"{SITE}/bookings/{booking_id}"
            return SeeOther(back, flash=error.message, level="warning")
        return SeeOther(f"{SITE}/bookings/{booking_id}", flash=_("Your booking is cancelled"))


def usual_dates() -> dict[str, str]:
    """The next full hour but one, for three days."""
    starts_at = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    return {"starts_at": wall(starts_at), "ends_at": wall(starts_at + timedelta(days=3))}


async def card_of(session: AsyncSession) -> Card | None:
    """What the card field needs; None where the business takes no cards yet."""
    try:
        return await card_page(session)
    except NotAcceptingCards:
        return None


async def _known(session: AsyncSession) -> Customer | None:
    person = identity.current()
    return await customers.of_user(session, person.user_id) if person else None


def _licence_of(known: Customer | None) -> Mapping[str, Any]:
    if known is None:
        return {}
    return {field: getattr(known, field) for field in LicenceInput.__struct_fields__}


async def _quote_page(
    session: AsyncSession,
    quote: Quote,
    form: Bound[CheckoutInput],
    choices: Bound[PriceChoices] | None = None,
    status: int = 200,
) -> Page:
    tenant: Tenant = session.info["tenant"]
    person = identity.current()
    return Page(
        "car_hire/site/quote.html",
        {
            "quote": quote,
            "lines": [told(line, quote.currency) for line in await quotes.lines(session, quote.id)],
            "vehicle_class": await fleet.vehicle_class(session, quote.class_id),
            "mileage": quotes.terms_then(quote).mileage,
            "money": lambda amount: quotes.money_of(quote, amount),
            "form": form,
            "choices": choices or kept(quote),
            "options": await showing.of_quote(session, quote),
            "person": person,
            "editions": await terms.asked_of(session, person) if person else [],
            "expired": quote.expires_at < clock.now(),
            "zone": tenant.zone,
            "students": await students.share(session),
            "search": _search_again(quote),
            "branch_names": (await network.read(session)).told,
        },
        status=status,
        block="choosing",
    )


def _search_again(quote: Quote) -> str:
    """Where the same dates are searched for once more."""
    dates = {"starts_at": wall(quote.starts_at), "ends_at": wall(quote.ends_at)}
    where = {key: str(value) for key, value in Journey.of(quote)._asdict().items()}
    return f"{SITE}?{urlencode(dates | where | {'class_id': str(quote.class_id)})}#cars"


async def _booking_page(
    session: AsyncSession, booking_id: UUID, form: Bound[CardInput], status: int = 200
) -> Page:
    found = await looking.whole(session, booking_id)
    await check_own(session, found.booking)
    card = await card_of(session) if found.booking.state == "pending_payment" else None
    return Page(
        "car_hire/site/booking.html",
        {
            "found": found,
            "card": card,
            "form": form,
            "later": await recording.of_booking(session, booking_id),
            **LATER_SHOWN,
            "account": await hiring.may_book(session, found.booking),
            "papers": await listing.of_booking(session, booking_id),
            "agreement": await agreements.of_hire(session, found.hire.id) if found.hire else None,
            "paper_kinds": PAPER_KINDS,
            "waiting": found.waits_for_bank(paying.BOOKING, paying.CHARGE),
            "cost": await cancelling.of_cancellation(session, found.booking),
            "fee": Money(found.booking.fee or Decimal(0), found.booking.currency),
            "may_change": await self_service.may_change(session, found.booking),
            "paying": found.payment(paying.BOOKING, paying.CHARGE),
            "branch_names": (await network.read(session)).told,
            **SHOWN,
        },
        status=status,
        csp=card.csp if card else None,
    )


CONTROLLERS = (Site,)

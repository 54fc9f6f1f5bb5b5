"""Another choice of extras for a quote that nobody booked, or for a booking that stands."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import NotFound
from core.i18n import _
from core.money import Money
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow, QuoteExpired
from plugins.car_hire.models import Booking, Customer, Quote, QuoteLine
from plugins.car_hire.schemas_extras import ChoicesInput
from plugins.car_hire.schemas_promotions import PriceChoices
from plugins.car_hire.services import (
    adding,
    bookings,
    changing,
    differences,
    emitting,
    fleet,
    making_room,
    occupying,
    pricing,
    quotes,
)
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.differences import Repriced
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.extras import choosing, drivers, reserving
from plugins.car_hire.services.promotions import discounting, students


async def choose(session: AsyncSession, quote_id: UUID, choices: PriceChoices) -> Quote:
    """Let a quote have these choices in place of its own; its rates stay as they were.

    Raises:
        Invalid: naming the fields at fault.
        ExtraUnavailable: there are not enough of an extra then.
        QuoteExpired: the price is no longer promised.
        NotNow: the quote is booked.
        NotFound: there is none.
    """
    quote = await session.get(Quote, quote_id, with_for_update=True, populate_existing=True)
    if quote is None:
        raise NotFound(_("There is no such quote"))
    if await session.scalar(select(Booking.id).where(Booking.quote_id == quote_id)):
        raise NotNow
    if quote.expires_at < clock.now():
        raise QuoteExpired
    chosen = await fleet.vehicle_class(session, quote.class_id)
    known = quotes.asked_then(quote)
    asked = await discounting.into(session, chosen, known, Journey.of(quote), choices)
    made = await _repriced(session, quote, asked, choices, None)
    quote.terms, quote.asked = msgspec.to_builtins(made.terms), msgspec.to_builtins(made.asked)
    quote.net, quote.tax = made.priced.net.amount, made.priced.tax.amount
    quote.gross = made.priced.gross.amount
    await session.execute(delete(QuoteLine).where(QuoteLine.quote_id == quote_id))
    session.add_all(quotes.rows(QuoteLine, made.priced.lines, quote_id=quote_id))
    await session.flush()
    return quote


async def agreed(
    session: AsyncSession, quote: Quote, choices: PriceChoices, customer: Customer
) -> Quote:
    """The quote with what was chosen last, and with the age that the customer really has.

    Raises:
        NotVerified: they say that they are a student, and nobody has seen it yet.
        Invalid, ExtraUnavailable, QuoteExpired, NotNow: as ``choose``.
    """
    age = drivers.age_of(session, customer, quote.starts_at)
    chosen = await fleet.vehicle_class(session, quote.class_id)
    if age < chosen.minimum_age:
        return quote  # booking it refuses the driver, whatever it would cost
    if choices.age is not None or choices.ages or drivers.is_young(quote, age):
        choices = msgspec.structs.replace(choices, age=age)
    choices = await students.truly(session, choices, customer, quote.starts_at)
    if choosing.plain(choices) == choosing.of(quotes.asked_then(quote)):
        return quote
    return await choose(session, quote.id, choices)


async def preview(session: AsyncSession, booking_id: UUID, choices: ChoicesInput) -> Repriced:
    """What a booking would cost with other choices; nothing is written.

    Raises:
        Invalid: naming the fields at fault.
        ExtraUnavailable: there are not enough of an extra then.
        NotNow: the car has left, or the booking is over.
    """
    booking = await bookings.one(session, booking_id)
    _check_state(booking)
    quote = await quotes.one(session, booking.quote_id)
    return await _repriced(session, quote, quotes.asked_then(quote), choices, booking.id)


async def change(
    session: AsyncSession, booking_id: UUID, choices: ChoicesInput, expected: int | None = None
) -> Booking:
    """Let a booking have other extras; what it had keeps its price, what is new has today's.

    Raises:
        EditedMeanwhile: the booking changed since version ``expected``.
        NotNow: the car has left, or the booking is over, or just being paid.
        Invalid, ExtraUnavailable: as ``preview``.
    """
    booking = await bookings.locked(session, booking_id)
    _check_state(booking)
    edit(booking, expected)
    await changing.check_payment(session, booking)
    quote = await quotes.one(session, booking.quote_id)
    made = await _repriced(session, quote, quotes.asked_then(quote), choices, booking.id)
    period = await occupying.period_of(session, booking.id)
    assert period is not None
    with session.no_autoflush:  # the booking is written once, when all of it is known
        await reserving.reserve(session, booking.id, choosing.counted(made.asked), period)
        await differences.keep(session, booking, quote, made)
    await audit.record(
        session, "car_hire.booking_extras", "car_hire.booking", booking.id,
        {"extras": {each.extra.code: each.quantity for each in made.asked.chosen},
         "difference": str(made.difference.amount)},
    )  # fmt: skip
    await emitting.changed(session, booking)
    return booking


def _check_state(booking: Booking) -> None:
    if booking.state not in making_room.MOVABLE:
        raise NotNow


async def _repriced(
    session: AsyncSession,
    quote: Quote,
    known: pricing.Asked,
    choices: ChoicesInput,
    booking_id: UUID | None,
) -> Repriced:
    chosen = await fleet.vehicle_class(session, quote.class_id)
    terms, asked = await choosing.into(session, chosen, quotes.terms_then(quote), known, choices)
    rules = await policy.read(session)
    period = occupying.blocked(quote.starts_at, quote.ends_at, rules.buffer)
    await reserving.refuse_lacking(session, choosing.counted(asked), period, but=booking_id)
    return Repriced(
        chosen=chosen,
        terms=terms,
        asked=asked,
        journey=Journey.of(quote),
        priced=await adding.to_quote(session, chosen, terms, asked),
        before=Money(quote.gross, quote.currency),
    )

"""What a change of a booking costs, by the terms it was quoted with, and how that is settled.

What was not paid yet simply has a new price. What was paid keeps the quote that was paid beside
the new one, and the bill at the return takes or gives back the difference between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.ids import new_id
from core.money import Money
from plugins.car_hire.models import Booking, Quote, QuoteLine, VehicleClass
from plugins.car_hire.services import adding, pricing, quotes
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.pricing import rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """A price for what a booking would be, beside the price that it has."""

    chosen: VehicleClass
    terms: pricing.Terms
    asked: pricing.Asked
    journey: Journey
    priced: pricing.Priced
    before: Money

    @property
    def difference(self) -> Money:
        """What more is to be paid; less than zero comes back."""
        return self.priced.gross - self.before


async def of_dates(
    session: AsyncSession, quote: Quote, starts_at: datetime, ends_at: datetime
) -> Repriced:
    """The quoted class for other dates, by the rates and rules of the quote."""
    chosen = await session.get_one(VehicleClass, quote.class_id)
    asked = msgspec.structs.replace(quotes.asked_then(quote), starts_at=starts_at, ends_at=ends_at)
    return await _priced(session, quote, chosen, quotes.terms_then(quote), asked)


async def of_class(
    session: AsyncSession, quote: Quote, chosen: VehicleClass, terms: pricing.Terms
) -> Repriced:
    """Another class for the quoted dates, by the ``terms`` of that class as they are now; what was
    chosen with the car stays, and what covers do about damage."""
    terms = msgspec.structs.replace(terms, waivers=quotes.terms_then(quote).waivers)
    asked = msgspec.structs.replace(
        quotes.asked_then(quote), starts_at=quote.starts_at, ends_at=quote.ends_at
    )
    return await _priced(session, quote, chosen, terms, asked)


async def of_return(session: AsyncSession, quote: Quote, branch_id: UUID) -> Repriced:
    """The same hire, but the car comes back to another branch.

    Where a fee for that was agreed, it stays as it was; otherwise it is that of the price list
    which counts now.
    """
    chosen = await session.get_one(VehicleClass, quote.class_id)
    journey = Journey(quote.pick_up_branch_id, branch_id)
    asked = quotes.asked_then(quote)
    fee = None
    if journey.is_one_way:
        fee = asked.one_way if Journey.of(quote).is_one_way else await one_way_fee(session)
    asked = msgspec.structs.replace(asked, one_way=fee)
    return await _priced(session, quote, chosen, quotes.terms_then(quote), asked, journey)


async def one_way_fee(session: AsyncSession) -> Decimal | None:
    """What another branch costs by the price list that counts now; None if nothing."""
    counting = await current.counting(session)
    return (current.house_of(counting).one_way or None) if counting else None


async def _priced(
    session: AsyncSession,
    quote: Quote,
    chosen: VehicleClass,
    terms: pricing.Terms,
    asked: pricing.Asked,
    journey: Journey | None = None,
) -> Repriced:
    journey = journey or Journey.of(quote)
    branches = await network.read(session, asked.starts_at, asked.ends_at)
    asked = msgspec.structs.replace(
        asked,
        class_id=str(chosen.id),
        out_of_hours=branches.out_of_hours(journey, asked.starts_at, asked.ends_at),
    )
    return Repriced(
        chosen=chosen,
        terms=terms,
        asked=asked,
        journey=journey,
        priced=await adding.to_quote(session, chosen, terms, asked),
        before=Money(quote.gross, quote.currency),
    )


async def keep(session: AsyncSession, booking: Booking, quote: Quote, made: Repriced) -> Quote:
    """Let a locked booking have the new price; the old one can no longer be booked."""
    now = clock.now()
    columns = {column.key: getattr(quote, column.key) for column in Quote.__mapper__.columns}
    changed = {
        "id": new_id(),
        "class_id": made.chosen.id,
        "starts_at": made.asked.starts_at,
        "ends_at": made.asked.ends_at,
        **made.journey._asdict(),
        "days": pricing.days(made.asked.starts_at, made.asked.ends_at, made.terms.grace_minutes),
        "terms": msgspec.to_builtins(made.terms),
        "asked": msgspec.to_builtins(made.asked),
        "net": made.priced.net.amount,
        "tax": made.priced.tax.amount,
        "gross": made.priced.gross.amount,
        "deposit": quote.deposit,
        "created_at": now,
        "expires_at": now,
        "hold_id": None,
    }
    kept = Quote(**(columns | changed))
    session.add(kept)
    await session.flush()
    session.add_all(quotes.rows(QuoteLine, made.priced.lines, quote_id=kept.id))
    quote.expires_at = min(quote.expires_at, now)
    unpaid = booking.state == "pending_payment" or booking.owed_at_pick_up
    if not unpaid and booking.paid_quote_id is None:
        booking.paid_quote_id = quote.id
    booking.quote_id = kept.id
    booking.gross = kept.gross
    await session.flush()
    return kept


async def settled(
    session: AsyncSession, booking: Booking, quote: Quote, billed: pricing.Priced
) -> pricing.Priced:
    """A bill with what the changes since the payment added, or took off; it may be below zero."""
    if booking.paid_quote_id is None:
        return billed
    paid = await quotes.one(session, booking.paid_quote_id)
    if (paid.net, paid.tax) == (quote.net, quote.tax):
        return billed
    return pricing.summed([_line(paid, quote), *billed.lines], quote.currency)


def _line(paid: Quote, quote: Quote) -> pricing.Line:
    net = Money(quote.net - paid.net, quote.currency)
    tax = Money(quote.tax - paid.tax, quote.currency)
    return pricing.Line(
        rule=rules.CHANGED,
        evidence={"paid_quote": str(paid.id), "quote": str(quote.id)},
        quantity=Decimal(1),
        unit_price=net,
        net=net,
        tax_rate=quotes.terms_then(quote).taxes.hire,
        tax=tax,
        gross=net + tax,
    )

"""Quotes: a price worked out once, kept with every line and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import FieldError, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import VehicleUnavailable
from plugins.car_hire.models import BillLine, Booking, Quote, QuoteLine, VehicleClass
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.services import adding, availability, limits, making_room, occupying, pricing
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.network import Network
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.extras import choosing, reserving
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.promotions import discounting

LONGEST: Final = timedelta(days=90)
FURTHEST: Final = timedelta(days=730)
JUST_NOW: Final = timedelta(minutes=10)
"""A walk-in hires from now; the form took a few minutes to fill in."""
PURGED_AFTER: Final = timedelta(days=1)
"""Who still has the page open reads that the price expired, instead of finding nothing."""
PURGED_AT_ONCE: Final = 1000

L = TypeVar("L", QuoteLine, BillLine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A class, its price for the dates asked for, and how many cars of it are free."""

    vehicle_class: VehicleClass
    terms: pricing.Terms
    priced: pricing.Priced
    days: int
    free: int
    broken: Sequence[pricing.Broken] = ()
    """The owner's limits that these dates do not keep."""


async def search(
    session: AsyncSession,
    starts_at: datetime,
    ends_at: datetime,
    class_id: UUID | None = None,
    journey: Journey | None = None,
) -> list[Offer]:
    """What can be hired from ``starts_at`` to ``ends_at``; nothing is stored. What is free comes
    first, the cheapest before the dearer. Without a ``journey``, from and to the main branch.

    Raises:
        Invalid: the dates make no sense.
    """
    check_dates(starts_at, ends_at)
    rules = await policy.read(session)
    period = occupying.blocked(starts_at, ends_at, rules.buffer)
    branches = await network.read(session, starts_at, ends_at)
    journey = journey or branches.journey(None, None)
    prices = await current.read(session, class_id)
    asked = asked_for(session, starts_at, ends_at)
    asked = branches.asked(asked, journey, prices.house)
    offers = []
    for each, free in await availability.free_by_class(session, period, journey):
        if each.id not in prices.classes:
            continue
        terms = prices.terms(each.id, starts_at, rules)
        offer = Offer(
            vehicle_class=each,
            terms=terms,
            priced=await adding.to_quote(session, each, terms, asked),
            days=pricing.days(starts_at, ends_at, rules.grace_minutes),
            free=free,
            broken=limits.found(
                session, prices.house, each, starts_at, ends_at, rules.grace_minutes
            ),
        )
        offers.append(offer)
    return sorted(offers, key=_order)


def _order(each: Offer) -> tuple[Any, ...]:
    return (not each.free, bool(each.broken), each.priced.gross.amount, each.vehicle_class.id)


async def make(session: AsyncSession, wanted: QuoteInput, beyond: str = "") -> Quote:
    """Work out a price and keep it; with a reason to go ``beyond`` them, whatever the owner's
    limits of length and lead time are, which is noted.

    Raises:
        Invalid: the dates make no sense, or there is no such class.
        OutsideLimits: the class is not hired so short, long, late or early.
        VehicleUnavailable: no car of the class is free then.
        ExtraUnavailable: there are not enough of an extra then.
        NotPriced: no price list says what the class costs.
    """
    check_dates(wanted.starts_at, wanted.ends_at)
    chosen = await session.get(VehicleClass, wanted.class_id)
    if chosen is None or not chosen.on_offer:
        raise Invalid(_("Choose a class"), field="class_id")
    broken = await limits.broken(session, chosen, wanted.starts_at, wanted.ends_at)
    if not beyond:
        limits.refuse(session, chosen, broken)
    rules = await policy.read(session)
    period = occupying.blocked(wanted.starts_at, wanted.ends_at, rules.buffer)
    branches = await network.read(session, wanted.starts_at, wanted.ends_at)
    journey = branches.journey(wanted.pick_up_branch_id, wanted.return_branch_id)
    if not (
        await availability.free_vehicles(session, chosen.id, period, journey)
        or await making_room.is_possible(session, chosen.id, period, journey)
    ):
        raise VehicleUnavailable
    await reserving.refuse_lacking(session, wanted.extras, period)
    made = await keep(session, wanted, chosen, rules, branches)
    if broken:
        await limits.note(session, made, broken, beyond)
    return made


async def keep(
    session: AsyncSession,
    wanted: QuoteInput,
    chosen: VehicleClass,
    rules: policy.Policy,
    branches: Network | None = None,
) -> Quote:
    """Keep a price for whatever time, without asking whether a car is free.

    Raises:
        Invalid: what is chosen with the car cannot be had with it.
        NotPriced: no price list says what the class costs.
    """
    branches = branches or await network.read(session, wanted.starts_at, wanted.ends_at)
    journey = branches.journey(wanted.pick_up_branch_id, wanted.return_branch_id)
    terms, asked, priced = await work_out(session, wanted, chosen, rules, branches)
    now = clock.now()
    made = Quote(
        id=new_id(),
        class_id=chosen.id,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        days=pricing.days(wanted.starts_at, wanted.ends_at, terms.grace_minutes),
        currency=terms.currency,
        terms=msgspec.to_builtins(terms),
        asked=msgspec.to_builtins(asked),
        net=priced.net.amount,
        tax=priced.tax.amount,
        gross=priced.gross.amount,
        deposit=terms.deposit,
        created_at=now,
        expires_at=now + timedelta(minutes=rules.quote_minutes),
        **journey._asdict(),
    )
    session.add(made)
    await session.flush()
    session.add_all(rows(QuoteLine, priced.lines, quote_id=made.id))
    await session.flush()
    return made


async def work_out(
    session: AsyncSession,
    wanted: QuoteInput,
    chosen: VehicleClass,
    rules: policy.Policy,
    branches: Network | None = None,
) -> tuple[pricing.Terms, pricing.Asked, pricing.Priced]:
    """The terms, what is asked and the price, by the list that counts; nothing is written.

    Raises:
        Invalid: what is chosen with the car cannot be had with it, or the code does not count.
        NotPriced: no price list says what the class costs.
    """
    prices = await current.read(session, chosen.id)
    terms = prices.terms(chosen.id, wanted.starts_at, rules)
    branches = branches or await network.read(session, wanted.starts_at, wanted.ends_at)
    journey = branches.journey(wanted.pick_up_branch_id, wanted.return_branch_id)
    asked = asked_for(session, wanted.starts_at, wanted.ends_at)
    asked = branches.asked(asked, journey, prices.house)
    asked = await discounting.into(session, chosen, asked, journey, wanted)
    terms, asked = await choosing.into(session, chosen, terms, asked, wanted)
    return terms, asked, await adding.to_quote(session, chosen, terms, asked)


async def one(session: AsyncSession, quote_id: UUID) -> Quote:
    """One quote.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Quote, quote_id)
    if found is None:
        raise NotFound(_("There is no such quote"))
    return found


async def lines(session: AsyncSession, quote_id: UUID) -> Sequence[QuoteLine]:
    """The lines of a quote, in order."""
    query = select(QuoteLine).where(QuoteLine.quote_id == quote_id).order_by(QuoteLine.position)
    return (await session.scalars(query)).all()


async def purge(session: AsyncSession) -> bool:
    """Forget a batch of quotes that expired and that nobody booked; whether more may be left.

    A booking refuses an expired quote, so none can come in between.
    """
    stale = select(Quote.id).where(
        Quote.expires_at < clock.now() - PURGED_AFTER,
        ~select(Booking.id).where(Booking.quote_id == Quote.id).correlate(Quote).exists(),
        ~select(Booking.id).where(Booking.paid_quote_id == Quote.id).correlate(Quote).exists(),
    )
    batch = (await session.scalars(stale.order_by(Quote.expires_at).limit(PURGED_AT_ONCE))).all()
    silently = {"synchronize_session": False}
    await session.execute(
        delete(QuoteLine).where(QuoteLine.quote_id.in_(batch)), execution_options=silently
    )
    await session.execute(delete(Quote).where(Quote.id.in_(batch)), execution_options=silently)
    return len(batch) == PURGED_AT_ONCE


def asked_for(session: AsyncSession, starts_at: datetime, ends_at: datetime) -> pricing.Asked:
    """What is asked of the price list, by the business's clock."""
    tenant: Tenant = session.info["tenant"]
    lead = clock.local(starts_at, tenant.zone).date() - clock.today(tenant.zone)
    return pricing.Asked(
        starts_at=starts_at, ends_at=ends_at, zone=tenant.zone, lead_days=max(0, lead.days)
    )


def terms_then(quote: Quote) -> pricing.Terms:
    """The rates and rules as they were when ``quote`` was made."""
    return msgspec.convert(quote.terms, pricing.Terms)


def asked_then(quote: Quote) -> pricing.Asked:
    """What was asked for when ``quote`` was made."""
    return msgspec.convert(quote.asked, pricing.Asked)


def again(quote: Quote) -> pricing.Priced:
    """The price made again from what is stored with it, without the lines of other plugins."""
    return pricing.quote(terms_then(quote), asked_then(quote))


def money_of(quote: Quote, amount: Decimal) -> Money:
    """An amount of the quote, in its currency."""
    return Money(amount, quote.currency)


def rows(kind: type[L], made: Iterable[pricing.Line], **owner: Any) -> list[L]:
    """Rows of ``kind`` that keep priced lines."""
    return [
        kind(
            id=new_id(),
            position=position,
            rule=line.rule,
            evidence=line.evidence,
            quantity=line.quantity,
            unit_price=line.unit_price.amount,
            net=line.net.amount,
            tax_rate=line.tax_rate,
            tax=line.tax.amount,
            gross=line.gross.amount,
            **owner,
        )
        for position, line in enumerate(made, start=1)
    ]


def check_dates(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a hire in the past, backwards, too long or too far ahead.

    Raises:
        Invalid: naming the date at fault.
    """
    now = clock.now()
    if starts_at < now - JUST_NOW:
        raise Invalid(errors=[FieldError("starts_at", _("This time has passed"))])
    if starts_at > now + FURTHEST:
        raise Invalid(errors=[FieldError("starts_at", _("Bookings open two years ahead"))])
    check_length(starts_at, ends_at)


def check_length(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a hire that is backwards or too long.

    Raises:
        Invalid: naming the date at fault.
    """
    if ends_at <= starts_at:
        raise Invalid(errors=[FieldError("ends_at", _("A hire ends after it starts"))])
    if ends_at > starts_at + LONGEST:
        raise Invalid(errors=[FieldError("ends_at", _("A hire lasts 90 days at most"))])

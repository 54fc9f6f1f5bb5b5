"""What stands in the hire agreement, which both sign when the keys go over the counter.

It has the number of its booking and none of a series: it is no paper of the books. ``agreements``
beside it keeps what was agreed, and has it drawn and sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.documents.letterhead import Letterhead, letterhead
from core.documents.sheet import Block, Facts, Prose, Row, Sheet, Signature, Signatures, Table
from core.i18n import gettext, reading_in
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Booking, Customer, Hire, Quote, Vehicle
from plugins.car_hire.policy import Policy
from plugins.car_hire.services import customers, fleet, quotes
from plugins.car_hire.services.describe import Told, told
from plugins.car_hire.services.papers import sheets
from plugins.car_hire.services.papers.content import address
from plugins.car_hire.services.papers.sheets import moment


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed, by drawing or by the name that was typed for them, and when (aware).

    Where nobody did there is a line to sign on. ``marks`` are the damages there were at the
    hand-over, in words; ``handed_over`` the extras.
    """

    customer_drew: bool = False
    customer_name: str = ""
    clerk_drew: bool = False
    clerk_name: str = ""
    signed_at: datetime | None = None
    marks: Sequence[str] = ()
    handed_over: Sequence[str] = ()
    notes: Sequence[str] = ()


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of the hire that is printed."""

    booking: Booking
    hire: Hire
    quote: Quote
    lines: Sequence[Told]
    customer: Customer
    vehicle: Vehicle
    rules: Policy
    zone: str


async def sheet_of(session: AsyncSession, hire: Hire, booking: Booking, signed: Signed) -> Sheet:
    """What is agreed, in the business's language; its logo and the signatures' drawings come when
    it is drawn."""
    tenant: Tenant = session.info["tenant"]
    quote = await quotes.one(session, booking.quote_id)
    with reading_in(tenant.locale):
        lines = await quotes.lines(session, quote.id)
        known = _Told(
            booking=booking,
            hire=hire,
            quote=quote,
            lines=[told(each, booking.currency) for each in lines],
            customer=await customers.one(session, booking.customer_id),
            vehicle=await fleet.vehicle(session, hire.vehicle_id),
            rules=await policy.read(session),
            zone=tenant.zone,
        )
        return _sheet(known, signed, await letterhead(session), tenant.locale)


def _sheet(known: _Told, signed: Signed, head: Letterhead, language: str) -> Sheet:
    at = clock.local(signed.signed_at or known.hire.created_at, known.zone)
    rules = known.rules
    seller = (rules.legal_name or head.business, *address(rules.seller_address))
    number = gettext("Tax number %(number)s") % {"number": rules.seller_tax_number}
    return Sheet(
        title=gettext("Hire agreement %(number)s") % {"number": known.booking.number},
        subtitle=gettext("Made on %(when)s") % {"when": moment(at, known.zone)},
        language=language,
        business=head.business,
        color=head.color,
        day=(at.year, at.month, at.day),
        page=gettext("Page {page} of {pages}"),
        address=(*seller, number) if rules.seller_tax_number else seller,
        footer=f"{seller[0]} · {known.booking.number}",
        blocks=tuple(_blocks(known, signed)),
    )


def _blocks(known: _Told, signed: Signed) -> Iterator[Block]:
    yield Facts(tuple(_customer(known)), title=gettext("Customer and driver"))
    yield Facts(tuple(_car(known)), title=gettext("Car and time"))
    yield _price(known)
    if signed.handed_over:
        yield Prose(tuple(signed.handed_over), title=gettext("Handed over with the car"))
    marks = tuple(signed.marks) or (gettext("None that were found."),)
    yield Prose(marks, title=gettext("Damages at the hand-over"))
    yield Prose((*terms(known.quote, known.rules), *signed.notes), title=gettext("In brief"))
    yield Signatures(tuple(_signatures(known, signed)))


def _customer(known: _Told) -> Iterator[tuple[str, str]]:
    who = known.customer
    yield gettext("Name"), who.name
    yield gettext("Born"), sheets.day(who.born)
    yield gettext("Driving licence"), f"{who.licence_number} ({who.licence_country})"
    yield gettext("Valid until"), sheets.day(who.licence_expires)
    yield gettext("E-mail address"), who.email
    if who.phone:
        yield gettext("Phone"), who.phone
    if who.tax_number:
        yield gettext("Tax number"), who.tax_number


def _car(known: _Told) -> Iterator[tuple[str, str]]:
    car, hire = known.vehicle, known.hire
    yield gettext("Car"), car.title
    yield gettext("From"), moment(hire.started_at or known.booking.starts_at, known.zone)
    yield gettext("Due back"), moment(known.booking.ends_at, known.zone)
    yield gettext("Odometer"), gettext("%(km)s km") % {"km": hire.odometer_out}
    yield gettext("Fuel"), f"{hire.fuel_out}/8"
    yield gettext("Deposit"), str(Money(hire.deposit, hire.currency))


def _price(known: _Told) -> Table:
    rows = [
        Row((each.text, sheets.percent(each.tax_rate), str(each.gross))) for each in known.lines
    ]
    total = str(Money(known.booking.gross, known.booking.currency))
    return Table(
        (gettext("What"), gettext("Tax"), gettext("With tax")),
        ("left", "right", "right"),
        (*rows, Row((gettext("Total"), "", total), strong=True)),
        title=gettext("Price, extras and cover"),
    )


def terms(quote: Quote, rules: Policy) -> Iterator[str]:
    """What matters most of the terms, from what is kept with the quote; in the reader's language.

    Amounts are before tax, as in the price list.
    """
    kept = quotes.terms_then(quote)
    unit = quote.currency
    if kept.mileage.per_day is None:
        yield gettext("Any distance may be driven.")
    else:
        yield gettext("%(km)s km a day are included; each km more costs %(price)s.") % {
            "km": kept.mileage.per_day,
            "price": Money(kept.mileage.per_km, unit),
        }
    if kept.fuel.policy == "same":
        yield gettext("It comes back with as much fuel; each eighth less costs %(price)s.") % {
            "price": Money(kept.fuel.per_unit, unit)
        }
    yield gettext("Up to %(minutes)s minutes late cost nothing; then %(price)s an hour.") % {
        "minutes": kept.grace_minutes,
        "price": Money(kept.late.per_hour, unit),
    }
    for each in kept.waivers:
        yield gettext("With the cover %(cover)s you pay %(price)s at most for each damage.") % {
            "cover": each.code,
            "price": Money(each.excess, unit),
        }
    yield gettext(
        "Fines and tolls of the time of the hire are the customer's, and are charged later."
    )
    yield gettext(
        "The card of the deposit is kept with the payment provider for the time of the hire, to"
        " hold the deposit and for such fines and tolls."
    )
    if rules.paper_note:
        yield rules.paper_note


def _signatures(known: _Told, signed: Signed) -> Iterator[Signature]:
    """The customer first, then the business: ``agreements`` puts their drawings there."""
    when = moment(signed.signed_at, known.zone) if signed.signed_at else ""
    name = known.customer.name
    by_customer = signed.customer_drew or signed.customer_name
    yield Signature(name, signed=_how(signed.customer_name, when) if by_customer else "")
    clerk = signed.clerk_name or known.rules.legal_name or gettext("For the business")
    yield Signature(clerk, signed=when if signed.clerk_drew or signed.clerk_name else "")


def _how(typed: str, when: str) -> str:
    return f"{typed}, {when}" if typed else when

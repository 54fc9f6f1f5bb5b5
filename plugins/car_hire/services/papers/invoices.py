"""The invoice of a hire: everything that was hired and added at the return, and what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from babel.numbers import format_decimal
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.i18n import LazyText, _, gettext, locale, reading_in
from core.money import Money
from core.payments.models import BY_CARD, Payment
from core.payments.services.by_hand import WAYS
from core.payments.services.payments import Payments
from core.payments.states import TOOK_MONEY
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Hire, MoneyLine, Paper
from plugins.car_hire.services import bookings, customers, fleet, hires, quotes, telling
from plugins.car_hire.services.companies import account, keeping
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.papers import issuing
from plugins.car_hire.services.papers.content import Content, Paid, PaperLine, address, plain
from plugins.car_hire.services.papers.sheets import moment
from plugins.car_hire.services.pricing import rules

SOLD: Final = frozenset({"returned", "closed", "no_show", "cancelled"})
"""Bookings in these states have an invoice: the car is back, or a fee is kept for nothing."""

FEES: Final[Mapping[str, LazyText]] = {
    "fee.cancelled": _("Cancelled late"),
    "fee.no_show": _("Not picked up"),
}
"""The rules by which something is kept of what is not to be, as a paper calls them."""

_BACK: Final = frozenset({"returned", "closed"})


def kept(booking: Booking) -> Money:
    """What is kept of the price of a hire that was not to be, or a company owes for it; tax
    included."""
    return Money(booking.fee or Decimal(0), booking.currency)


def key_of(booking_id: UUID) -> str:
    """What the invoice of a booking is issued under."""
    return f"booking:{booking_id}"


async def of_booking(session: AsyncSession, booking_id: UUID, owed: Money | None) -> Paper:
    """Issue the invoice of a booking whose car is back, or that nobody came for; once.

    ``owed`` is what is not paid yet; None is all of it, as it always is on account. What changes
    of dates made dearer or cheaper after the payment is in the lines of the hire itself.

    Raises:
        NotNow: the hire is not over, or its deposit is kept.
        SellerUnknown: the business has not said who it is.
    """
    key = key_of(booking_id)
    if (known := await issuing.of_key(session, key)) is not None:
        return known
    booking = await bookings.one(session, booking_id)
    if booking.state not in SOLD or (booking.state not in _BACK and not kept(booking)):
        raise NotNow
    hire = await hires.of_booking(session, booking_id)
    if hire is not None and hire.deposit_kept:
        raise NotNow(_("The deposit is kept: settle it first, then the invoice is issued"))
    tenant: Tenant = session.info["tenant"]
    with reading_in(tenant.locale):
        content = await _content(session, booking, owed if booking.company_id is None else None)
    paper = await issuing.issue(
        session,
        "invoice",
        content,
        key=key,
        customer_id=booking.customer_id,
        booking_id=booking_id,
    )
    if booking.company_id is not None:
        await account.enter(session, booking.company_id, paper)
    return paper


async def _content(session: AsyncSession, booking: Booking, owed: Money | None) -> Content:
    hire = await hires.of_booking(session, booking.id)
    lines = await _sold(session, booking, hire)
    customer = await customers.one(session, booking.customer_id)
    house = await policy.read(session)
    made = Content(
        currency=booking.currency,
        seller=await issuing.seller(session),
        buyer=await keeping.party(session, booking.company_id)
        if booking.company_id
        else issuing.buyer(customer),
        lines=lines,
        facts=await facts(session, booking, hire, customer.name),
        owed=plain(owed.amount if owed is not None else _gross(lines)),
        notes=address(house.paper_note),
    )
    payments = await paid(session, booking, hire)
    return _with_payments(made, payments)


def _gross(lines: Iterable[PaperLine]) -> Decimal:
    return sum((each.gross for each in lines), Decimal(0))


async def _sold(
    session: AsyncSession, booking: Booking, hire: Hire | None
) -> tuple[PaperLine, ...]:
    if booking.state not in _BACK:
        quote = await quotes.one(session, booking.quote_id)
        return (_fee(booking, quotes.terms_then(quote).taxes.hire),)
    sold: list[MoneyLine] = list(await quotes.lines(session, booking.quote_id))
    if hire is not None:
        billed = await hires.bill_lines(session, hire.id)
        sold += [each for each in billed if each.rule != rules.CHANGED]
    return tuple(line_of(each, booking.currency) for each in sold)


def _fee(booking: Booking, rate: Decimal) -> PaperLine:
    """What is kept is a share of a price with tax: the tax is taken out of it."""
    gross = kept(booking)
    net = Money(gross.amount / (1 + rate), gross.unit).rounded()
    rule = f"fee.{booking.state}"
    return PaperLine(
        text=str(FEES[rule]),
        rule=rule,
        quantity=Decimal(1),
        unit_price=plain(net.amount),
        net=plain(net.amount),
        tax_rate=rate.normalize(),
        tax=plain(gross.amount - net.amount),
        gross=plain(gross.amount),
    )


def _with_payments(made: Content, payments: list[Paid]) -> Content:
    """What is in no ledger, taken at the desk, is told too: the sums must come out."""
    missing = made.gross.amount - (made.owed or Decimal(0))
    missing -= sum((each.amount for each in payments), Decimal(0))
    if missing > 0:
        payments = [Paid(text=gettext("Received at the desk"), amount=plain(missing)), *payments]
    elif missing < 0:
        payments = [*payments, Paid(text=gettext("Goes back"), amount=plain(missing))]
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    return Content(**(fields | {"payments": tuple(payments)}))


def line_of(row: MoneyLine, currency: str) -> PaperLine:
    """A line of a quote or bill, in the words of whoever is reading."""
    return PaperLine(
        text=told(row, currency).text,
        rule=row.rule,
        quantity=row.quantity.normalize(),
        unit_price=plain(row.unit_price),
        net=plain(row.net),
        tax_rate=row.tax_rate.normalize(),
        tax=plain(row.tax),
        gross=plain(row.gross),
    )


async def facts(
    session: AsyncSession, booking: Booking, hire: Hire | None, driver: str
) -> tuple[tuple[str, str], ...]:
    """Which hire it was, for whom, and how far."""
    tenant: Tenant = session.info["tenant"]
    vehicle = await fleet.vehicle(session, hire.vehicle_id if hire else booking.vehicle_id)
    starts_at = hire.started_at if hire and hire.started_at else booking.starts_at
    ends_at = hire.returned_at if hire and hire.returned_at else booking.ends_at
    found = [
        (gettext("Booking"), booking.number),
        (gettext("Driver"), driver),
        (gettext("Car"), vehicle.title),
        (gettext("From"), moment(starts_at, tenant.zone)),
        (gettext("To"), moment(ends_at, tenant.zone)),
    ]
    if hire is not None and hire.odometer_in is not None:
        driven = gettext("%(out)s km to %(back)s km") % {
            "out": _number(hire.odometer_out),
            "back": _number(hire.odometer_in),
        }
        found.append((gettext("Odometer"), driven))
    return tuple(found)


async def paid(session: AsyncSession, booking: Booking, hire: Hire | None) -> list[Paid]:
    """What was taken for a hire and what went back, from the ledger."""
    tenant: Tenant = session.info["tenant"]
    found = list(await Payments(session).of(telling.BOOKING, booking.id))
    if hire is not None:
        found += await Payments(session).of(telling.HIRE, hire.id)
    return list(rows(found, tenant.zone))


def rows(payments: Sequence[Payment], zone: str) -> Iterable[Paid]:
    """Payments as a paper tells them, those that took money."""
    for each in payments:
        if each.standing not in TOOK_MONEY:
            continue
        day = clock.local(each.updated_at, zone).date()
        way = way_of(each)
        yield Paid(text=way, on=day, amount=plain(each.captured), payment_id=each.id)
        if each.refunded:
            text = gettext("Given back: %(way)s") % {"way": way}
            yield Paid(text=text, on=day, amount=-plain(each.refunded), payment_id=each.id)


def way_of(payment: Payment) -> str:
    """How something was paid, in the reader's language."""
    if payment.method == BY_CARD:
        return payment.card or gettext("Card")
    return str(WAYS[payment.method])


def _number(value: int) -> str:
    return format_decimal(value, locale=locale())

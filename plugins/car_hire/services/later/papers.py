"""The invoice of a fine or toll, its receipt, and the credit note when it is waived."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import gettext, reading_in
from core.payments.models import Payment
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import LATER_KINDS, Booking, LaterCharge, Paper, Vehicle
from plugins.car_hire.services import customers
from plugins.car_hire.services.papers import crediting, invoices, issuing, refunding
from plugins.car_hire.services.papers.content import Content, PaperLine, Referred, address, plain
from plugins.car_hire.services.papers.sheets import moment

HANDED_ON = "later.handed_on"
FEE = "later.fee"


def _key(found: LaterCharge) -> str:
    return f"later:{found.id}"


async def invoice(session: AsyncSession, found: LaterCharge) -> Paper:
    """What is handed on, without tax, and the business's fee; once.

    Raises:
        SellerUnknown: the business has not said who it is.
    """
    if (known := await issuing.of_key(session, _key(found))) is not None:
        return known
    tenant: Tenant = session.info["tenant"]
    customer = await customers.one(session, found.customer_id)
    house = await policy.read(session)
    with reading_in(tenant.locale):
        content = Content(
            currency=found.currency,
            seller=await issuing.seller(session),
            buyer=issuing.buyer(customer),
            lines=_lines(found),
            facts=await _facts(session, found, tenant.zone),
            owed=plain(found.gross),
            notes=address(house.paper_note),
        )
    return await issuing.issue(
        session, "invoice", content, key=_key(found),
        customer_id=found.customer_id, booking_id=found.booking_id,
    )  # fmt: skip


async def receipt(session: AsyncSession, found: LaterCharge, payment: Payment) -> None:
    """For the payment of an invoice that was issued; once."""
    earlier = await issuing.of_key(session, _key(found))
    if earlier is None:
        return
    tenant: Tenant = session.info["tenant"]
    customer = await customers.one(session, found.customer_id)
    with reading_in(tenant.locale):
        content = Content(
            currency=found.currency,
            seller=await issuing.seller(session),
            buyer=issuing.buyer(customer),
            lines=(),
            facts=await _facts(session, found, tenant.zone),
            payments=tuple(invoices.rows((payment,), tenant.zone)),
            refers_to=Referred(number=earlier.number, issued_on=earlier.issued_on),
            reason=gettext("Payment"),
        )
    await issuing.issue(
        session, "receipt", content, key=f"payment:{payment.id}",
        customer_id=found.customer_id, booking_id=found.booking_id, refers_to=earlier.id,
    )  # fmt: skip


async def take_back(session: AsyncSession, found: LaterCharge, why: str) -> None:
    """A credit note over all of an invoice that was issued."""
    earlier = await issuing.of_key(session, _key(found))
    if earlier is not None:
        rest = {each.position: each.net for each in await crediting.left(session, earlier)}
        await refunding.credit_alone(session, earlier.id, rest, why, f"waived:{found.id}")


def _lines(found: LaterCharge) -> tuple[PaperLine, ...]:
    text = f"{LATER_KINDS[found.kind]}: {found.authority}, {found.reference}"
    handed_on = _line(text, HANDED_ON, found.amount, Decimal(0), Decimal(0))
    if not found.fee:
        return (handed_on,)
    tax = found.gross - found.amount - found.fee
    return handed_on, _line(gettext("Handling"), FEE, found.fee, found.tax_rate, tax)


def _line(text: str, rule: str, net: Decimal, rate: Decimal, tax: Decimal) -> PaperLine:
    return PaperLine(
        text=text, rule=rule, quantity=Decimal(1), unit_price=plain(net), net=plain(net),
        tax_rate=rate.normalize(), tax=plain(tax), gross=plain(net + tax),
    )  # fmt: skip


async def _facts(
    session: AsyncSession, found: LaterCharge, zone: str
) -> tuple[tuple[str, str], ...]:
    booking = await session.get_one(Booking, found.booking_id)
    car = await session.get_one(Vehicle, found.vehicle_id)
    return (
        (gettext("Booking"), booking.number),
        (gettext("Car"), car.title),
        (gettext("When"), moment(found.happened_at, zone)),
    )

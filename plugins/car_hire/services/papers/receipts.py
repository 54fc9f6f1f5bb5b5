"""Receipts: money that comes after its invoice, or before it at the desk."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import gettext, reading_in
from core.payments.models import Payment
from core.scope import Tenant
from plugins.car_hire.models import Booking, Paper
from plugins.car_hire.services import customers, hires
from plugins.car_hire.services.papers import invoices, issuing
from plugins.car_hire.services.papers.content import Content, Referred


async def of_payment(session: AsyncSession, booking: Booking, payment: Payment) -> Paper:
    """The receipt for a payment, to the invoice of its booking if there is one; once.

    Raises:
        SellerUnknown: the business has not said who it is.
    """
    key = f"payment:{payment.id}"
    if (known := await issuing.of_key(session, key)) is not None:
        return known
    tenant: Tenant = session.info["tenant"]
    invoice = await issuing.of_key(session, invoices.key_of(booking.id))
    customer = await customers.one(session, booking.customer_id)
    hire = await hires.of_booking(session, booking.id)
    with reading_in(tenant.locale):
        content = Content(
            currency=payment.currency,
            seller=await issuing.seller(session),
            buyer=issuing.buyer(customer),
            lines=(),
            facts=await invoices.facts(session, booking, hire, customer.name),
            payments=tuple(invoices.rows((payment,), tenant.zone)),
            refers_to=Referred(number=invoice.number, issued_on=invoice.issued_on)
            if invoice
            else None,
            reason=gettext("Payment") if invoice else "",
        )
    return await issuing.issue(
        session,
        "receipt",
        content,
        key=key,
        customer_id=booking.customer_id,
        booking_id=booking.id,
        refers_to=invoice.id if invoice else None,
    )

"""What customers get of fines and tolls: what it is, what shows it, and how it is paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.payments.models import Payment
from plugins.car_hire.models import LATER_KINDS, Booking, Customer, LaterCharge, Vehicle


async def to_pay(session: AsyncSession, found: LaterCharge, path: str) -> None:
    """It is to be paid by the link; once for each time that it is charged."""
    await _send(session, found, f"{found.id}:{found.version}", path=path, card="")


async def paid(session: AsyncSession, found: LaterCharge, payment: Payment) -> None:
    """It was taken from the card, or received."""
    await _send(session, found, f"{found.id}:paid", path="", card=payment.card or "")


async def _send(session: AsyncSession, found: LaterCharge, key: str, **more: Any) -> None:
    customer = await session.get_one(Customer, found.customer_id)
    if customer.email.endswith("@erased.invalid"):
        return
    await mail.send(
        session,
        "car_hire/mail/later",
        customer.email,
        context={
            "name": customer.name,
            "found": found,
            "kind": LATER_KINDS[found.kind],
            "booking": await session.get_one(Booking, found.booking_id),
            "vehicle": await session.get_one(Vehicle, found.vehicle_id),
            **more,
        },
        locale=customer.locale,
        key=f"car_hire/mail/later:{key}",
        attached=[found.file_id] if found.file_id else [],
    )

"""The desk's page of one booking, to which every form on it comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.payments.services.by_hand import WAYS
from core.payments.states import TITLES as PAYMENT_TITLES
from core.scope import Tenant
from core.web.forms import Bound, blank
from core.web.pages import Page
from core.web.slots import Slots
from plugins.car_hire.models import PAPER_KINDS, Booking, Hire
from plugins.car_hire.models.zones import IN
from plugins.car_hire.routes.handing_over import HandOver
from plugins.car_hire.routes.http import LATER_SHOWN, SHOWN
from plugins.car_hire.routes.site import card_of
from plugins.car_hire.routes.slots import BOOKING
from plugins.car_hire.schemas import CardInput
from plugins.car_hire.schemas_money import ChargeInput, DueInput, GivenBackInput
from plugins.car_hire.services import cancelling, looking, paying_by_hand, transfers
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.companies import hiring, keeping
from plugins.car_hire.services.damages import charging
from plugins.car_hire.services.inspections import drafts, marks
from plugins.car_hire.services.inspections import looking as looks
from plugins.car_hire.services.later import recording
from plugins.car_hire.services.papers import agreements, listing
from plugins.car_hire.services.paying import renewing

DUE_IN: Final = timedelta(days=3)
"""What is proposed for a transfer to come."""


async def booking_page(
    session: AsyncSession,
    slots: Slots,
    booking_id: UUID,
    *,
    start: HandOver | None = None,
    card: Bound[CardInput] | None = None,
    back: Bound[GivenBackInput] | None = None,
    due: Bound[DueInput] | None = None,
    charge: Bound[ChargeInput] | None = None,
    error: DomainError | None = None,
) -> Page:
    """One booking with its history and what can be done now; what was typed into a form that was
    refused is kept."""
    found = await looking.whole(session, booking_id)
    hire = found.hire
    usual: dict[str, Any] = {
        "booking_id": booking_id,
        "odometer_km": found.vehicle.odometer_km,
        "fuel_eighths": found.vehicle.fuel_eighths,
    }
    field = await card_of(session)
    ids = (booking_id, hire.id) if hire else (booking_id,)
    return Page(
        "car_hire/desk/booking.html",
        {
            "found": found,
            "start": start or HandOver.blank(session, usual),
            "card_form": card or blank(CardInput),
            "card": field,
            "added": await slots.fill(BOOKING, booking_id=booking_id),
            **await _by_hand(session, found.booking, back, due),
            **await _kept(session, found.booking, hire, charge),
            "refusal": await renewing.refusal_of(session, hire) if hire else None,
            "later": await recording.of_booking(session, booking_id),
            "account": await hiring.may_book(session, found.booking),
            "company": await keeping.one(session, found.booking.company_id)
            if found.booking.company_id
            else None,
            "papers": await listing.of_booking(session, booking_id),
            "agreement": await agreements.of_hire(session, hire.id) if hire else None,
            "paper_kinds": PAPER_KINDS,
            "events": await looking.history(session, *ids, found.booking.quote_id),
            "cost": await cancelling.of_cancellation(session, found.booking),
            "absent": await cancelling.of_no_show(session, found.booking),
            "inspections": await looks.present(session, found.booking),
            "payment_titles": {str(state): title for state, title in PAYMENT_TITLES.items()},
            **LATER_SHOWN,
            "branch_names": (await network.read(session)).told,
            **SHOWN,
        },
        status=error.status if error else 200,
        csp=field.csp if field else None,
    )


async def _by_hand(
    session: AsyncSession,
    booking: Booking,
    back: Bound[GivenBackInput] | None,
    due: Bound[DueInput] | None,
) -> dict[str, Any]:
    """Of money besides cards."""
    tenant: Tenant = session.info["tenant"]
    today = clock.today(tenant.zone)
    return {
        "ways": WAYS,
        "today": today,
        "due_form": due or blank(DueInput, {"due_on": today + DUE_IN}),
        "back_form": back or blank(GivenBackInput),
        "transfer": await transfers.of_booking(session, booking.id),
        "to_give_back": await paying_by_hand.to_give_back(session, booking),
    }


async def _kept(
    session: AsyncSession, booking: Booking, hire: Hire | None, charge: Bound[ChargeInput] | None
) -> dict[str, Any]:
    """Of a deposit that is kept: what may be added to the bill, and the marks that show it."""
    if hire is None or not hire.deposit_kept:
        return {"charge_form": None}
    looked_at = await drafts.of_booking(session, booking, IN)
    found = await marks.of_inspection(session, looked_at.id) if looked_at else ()
    return {
        "charge_form": charge or blank(ChargeInput),
        "marks": {str(each.id): charging.told(each) for each in found},
    }

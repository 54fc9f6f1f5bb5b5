"""Who is told of a slip of the pen still hears that somebody else was faster."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire.models import (
    Branch,
    Company,
    Customer,
    Extra,
    PriceList,
    Promotion,
    Vehicle,
    VehicleClass,
)
from plugins.car_hire.schemas_promotions import NewPromotionInput
from plugins.car_hire.services.companies import keeping as companies
from plugins.car_hire.services.prices import lists
from plugins.car_hire.services.promotions import keeping as promotions
from tests.plugins.car_hire.firm import Firm
from tests.plugins.car_hire.shop import company_input

SLIPS = {"name": "", "code": "", "name_en": "", "licence_number": "", "plate": "", "percent": "x"}
HIDDEN = re.compile(r'name="version" value="(\d+)"')


async def _made(firm: Firm) -> dict[str, tuple[Any, UUID]]:
    """An address of the desk for each thing that two may edit, and its row."""
    code = await firm.extra()
    async with firm.transaction() as session:
        given = NewPromotionInput(code=f"T{code[-8:]}", name_en="T", name_pt="T", percent=10)
        promotion = await promotions.add(session, given)
        company = await companies.add(session, company_input())
        extra = (await session.scalars(select(Extra).where(Extra.code == code))).one()
        draft = await lists.begin(session)
    return {
        "customers": (Customer, firm.customer.id),
        "classes": (VehicleClass, firm.vehicle_class.id),
        "fleet": (Vehicle, firm.cars[0].id),
        "branches": (Branch, firm.away),
        "extras": (Extra, extra.id),
        "promotions": (Promotion, promotion.id),
        "companies": (Company, company.id),
        "prices": (PriceList, draft.id),
    }


async def test_a_form_that_is_shown_again_goes_by_the_version_that_was_seen(
    site: Site, firm: Firm
) -> None:
    """Otherwise the second try would overwrite what somebody saved between the two."""
    made = await _made(firm)
    wrong = []
    async with await site.person(firm.tenant, Role.OWNER) as owner:
        for name, (kind, row_id) in made.items():
            at = f"/car-hire/desk/{name}/{row_id}"
            page = await owner.get(at)
            assert page.status_code == 200, at
            seen = HIDDEN.findall(page.text)[-1]
            async with firm.transaction() as session:
                await session.execute(
                    update(kind).where(kind.id == row_id).values(version=kind.version + 1)
                )
            slips = {f"{firm.vehicle_class.id}.day": "x"} if name == "prices" else SLIPS
            again = await owner.post(at, data=slips | {"version": seen})
            assert again.status_code == 422, (at, again.status_code)
            if seen not in HIDDEN.findall(again.text):
                wrong.append(at)
    assert not wrong


async def test_a_check_out_that_was_refused_can_be_tried_again(site: Site, firm: Firm) -> None:
    """What the refused try kept was undone with it: nobody else was faster."""
    booking = await firm.booked(1, 20, firm.round_trip)
    typed = {"odometer_km": "10050", "fuel_eighths": "8", "notes": "Wet", "licence_seen": ""}
    async with await site.person(firm.tenant, Role.STAFF) as desk:
        begun = await desk.post(f"/api/v1/car-hire/bookings/{booking.id}/inspection")
        here = f"/car-hire/desk/inspections/{begun.json()['id']}"
        seen = HIDDEN.findall((await desk.get(here)).text)[-1]
        for _try in range(2):
            given = {"booking_id": str(booking.id), "version": seen}
            refused = await desk.post(f"{here}/hire", data=typed | given)
            assert refused.status_code == 422, refused.status_code
            seen = HIDDEN.findall(refused.text)[-1]
            typed["notes"] = "Wet all over"

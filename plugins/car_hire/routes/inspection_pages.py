"""What the pages of check-out and check-in show, and how what is typed there is divided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.errors import DomainError
from core.i18n import in_reading
from core.money import Money
from core.web.forms import Bound, bind, blank
from core.web.pages import Page
from plugins.car_hire.models import Inspection
from plugins.car_hire.models.zones import IN, ZONES
from plugins.car_hire.routes.handing_over import HandOver
from plugins.car_hire.routes.http import still_seen
from plugins.car_hire.schemas import DamageInput, InspectionInput, ReturnInput
from plugins.car_hire.services import looking, pricing
from plugins.car_hire.services.damages import charging
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.inspections import looking as looks
from plugins.car_hire.services.vehicles import documents

OWN: Final = ("notes", "customer_name", "staff_name")
"""What the page asks for beside the fields of a hand-over or return."""
DRAWN: Final[Mapping[str, Any]] = {"zones": ZONES, "told_damage": charging.told}
"""What templates need for the drawing and for naming damage."""


def of(struct: type[Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in typed.items() if key in struct.__struct_fields__}


def but(names: Collection[str], typed: Mapping[str, Any]) -> dict[str, Any]:
    """All but the fields of ``names``, and those of plugins' steps, which bear a point."""
    return {k: v for k, v in typed.items() if k not in names and "." not in k}


def kept(typed: Mapping[str, Any]) -> InspectionInput:
    """What the draft keeps of what was typed.

    Raises:
        Invalid: naming what is wrong.
    """
    return bind(InspectionInput, of(InspectionInput, typed)).value


async def refused(
    session: AsyncSession,
    found: Inspection,
    typed: Mapping[str, Any],
    error: DomainError,
    form: HandOver | Bound[ReturnInput] | None = None,
    seen: int | None = None,
) -> Page:
    """The page again, with what was typed and what is wrong with it. It goes by the version that
    was ``seen``: what the refused try changed is undone with it."""
    if form is None:
        form = _main(session, found, typed)
    form.refuse(error)
    own = bind(InspectionInput, of(InspectionInput, typed))
    said = {(each.field, str(each.message)) for each in own.errors}
    own.errors += [
        each
        for each in error.errors
        if each.field in OWN and (each.field, str(each.message)) not in said
    ]
    over, back = (form, None) if isinstance(form, HandOver) else (None, form)
    version = still_seen(error, seen)
    return await page(
        session, found, own=own, over=over, back=back, status=error.status, version=version
    )


def _main(
    session: AsyncSession, found: Inspection, typed: Mapping[str, Any]
) -> HandOver | Bound[ReturnInput]:
    if found.kind == IN:
        return blank(ReturnInput, of(ReturnInput, typed))
    form = HandOver.of(session, {k: v for k, v in typed.items() if k not in OWN})
    form.hire.errors.clear()
    return form


async def page(
    session: AsyncSession,
    found: Inspection,
    *,
    own: Bound[InspectionInput] | None = None,
    over: HandOver | None = None,
    back: Bound[ReturnInput] | None = None,
    mark: Bound[DamageInput] | None = None,
    priced: pricing.Priced | None = None,
    status: int = 200,
    version: int | None = None,
) -> Page:
    whole = await looking.whole(session, found.booking_id)
    look = await looks.look(session, found)
    usual = _usual(found, whole)
    person = identity.required()
    names = {"customer_name": found.customer_name, "staff_name": found.staff_name or person.name,
             "notes": found.notes}  # fmt: skip
    context = {
        "found": whole,
        "look": look,
        "inspection": found,
        "version": version or found.version,
        "over": over or HandOver.blank(session, usual),
        "back": back or blank(ReturnInput, usual),
        "own": own or blank(InspectionInput, names),
        "mark": mark or blank(DamageInput, {"charged": True}),
        "extras": _extras(whole),
        "lapsing": await documents.of_hire(session, whole.booking),
        **DRAWN,
        **_bill(priced, whole.booking.currency),
    }
    kind = "check_in" if found.kind == IN else "check_out"
    return Page(f"car_hire/desk/{kind}.html", context, status=status)


def _usual(found: Inspection, whole: looking.Whole) -> dict[str, Any]:
    """What stands in the fields before anybody types: what was kept, else what is most likely."""
    hire, vehicle = whole.hire, whole.vehicle
    is_back = found.kind == IN and hire is not None
    fuel = hire.fuel_out if is_back and hire else vehicle.fuel_eighths
    odometer = None if is_back else vehicle.odometer_km
    return {
        "booking_id": found.booking_id,
        "odometer_km": odometer if found.odometer_km is None else found.odometer_km,
        "fuel_eighths": fuel if found.fuel_eighths is None else found.fuel_eighths,
        "licence_seen": found.licence_seen,
        "cleaning": found.cleaning,
    }


def _extras(whole: looking.Whole) -> list[tuple[str, int]]:
    """What was hired with the car and lies on the counter: covers and drivers do not."""
    asked = msgspec.convert(whole.quote.asked, pricing.Asked)
    return [
        (in_reading(each.extra.texts), each.quantity)
        for each in asked.chosen
        if each.extra.kind == "extra"
    ]


def _bill(priced: pricing.Priced | None, currency: str) -> dict[str, Any]:
    if priced is None:
        return {"previewed": False, "bill": [], "total": Money.zero(currency)}
    bill = [told(line, currency) for line in priced.lines]
    return {"previewed": True, "bill": bill, "total": priced.gross}


async def condition(session: AsyncSession, found: Inspection) -> Page:
    whole = await looking.whole(session, found.booking_id)
    context = {
        "found": whole,
        "looks": await looks.of_booking(session, found.booking_id),
        **DRAWN,
    }
    return Page("car_hire/desk/condition.html", context)

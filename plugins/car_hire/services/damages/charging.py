"""What of a return's inspection is charged: the new damage at its price, by the covers bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, fill, in_every_locale
from plugins.car_hire.models import Booking, Damage, Hire, Vehicle
from plugins.car_hire.models.zones import COVERED_AS, IN, KINDS, SEVERITIES, ZONES
from plugins.car_hire.services import pricing
from plugins.car_hire.services.damages import tables
from plugins.car_hire.services.inspections import drafts, marks


def told(damage: Damage) -> LazyText:
    """What a damage is called: ``Front door, left: dent, light``."""
    return fill(
        _("{zone}: {kind}, {severity}"),
        zone=ZONES[damage.zone].title,
        kind=KINDS[damage.kind],
        severity=SEVERITIES[damage.severity],
    )


@dataclass(frozen=True, slots=True)
class Charge:
    """A new damage with what it costs before any cover; None: nobody said yet."""

    damage: Damage
    price: Decimal | None


async def charges(session: AsyncSession, hire: Hire, booking: Booking) -> Sequence[Charge]:
    """The new damage that the customer pays for, by the table that counted when the car left."""
    looked_at = await drafts.of_booking(session, booking, IN)
    if looked_at is None:
        return ()
    table = await tables.read(session, hire.started_at)
    vehicle = await session.get_one(Vehicle, looked_at.vehicle_id)
    found = await marks.of_inspection(session, looked_at.id)
    return [
        Charge(
            each,
            each.price
            if each.price is not None
            else table.price(vehicle.class_id, each.zone, each.kind, each.severity),
        )
        for each in found
        if each.charged
    ]


async def damages(
    session: AsyncSession, hire: Hire, booking: Booking
) -> tuple[pricing.Damage, ...]:
    """The same as a bill reads it.

    Raises:
        Invalid: at ``damages``, where nobody said what one costs.
    """
    found = await charges(session, hire, booking)
    unknown = [each.damage for each in found if each.price is None]
    if unknown:
        text = fill(
            _("Enter what this costs, or that the customer does not pay: {damages}"),
            damages="; ".join(str(told(each)) for each in unknown),
        )
        raise Invalid(errors=[FieldError("damages", text)])
    return tuple(
        pricing.Damage(
            zone=COVERED_AS[each.damage.zone],
            severity=each.damage.severity,
            texts=in_every_locale(told(each.damage)),
            price=each.price,
            noted=str(each.damage.id),
        )
        for each in found
        if each.price is not None
    )


async def with_cleaning(session: AsyncSession, hire: Hire, terms: pricing.Terms) -> pricing.Terms:
    """The terms of a quote with what dirt cost when the car left, unless the quote says it."""
    if terms.cleaning:
        return terms
    table = await tables.read(session, hire.started_at)
    return msgspec.structs.replace(terms, cleaning=table.cleaning)

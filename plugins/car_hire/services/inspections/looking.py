"""What pages and programs show of inspections: photos side by side, marks old and new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText
from plugins.car_hire.models import Booking, Damage, Inspection, InspectionPicture
from plugins.car_hire.models.zones import CLOSE_UPS, IN, OUT, SIGNATURES, VIEWS
from plugins.car_hire.services.inspections import marks, pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A view to be photographed, as it is now and as it was when the car left."""

    view: str
    title: LazyText
    taken: InspectionPicture | None
    before: InspectionPicture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A damage with its number on the drawing, and its photo."""

    number: int
    damage: Damage
    picture: InspectionPicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An inspection with all that belongs to it; ``before`` is the hand-over, at a return."""

    inspection: Inspection
    shots: Sequence[Shot]
    close_ups: Sequence[Shot]
    signatures: Sequence[Shot]
    new: Sequence[Mark]
    known: Sequence[Mark]
    before: Look | None = field(default=None)

    @property
    def taken(self) -> int:
        """How many of the guided photos there are."""
        return sum(each.taken is not None for each in self.shots)


async def look(session: AsyncSession, inspection: Inspection) -> Look:
    """Everything about one inspection, and at a return about the hand-over before it."""
    before = await _before(session, inspection)
    earlier = await _look(session, before, {}, None) if before else None
    return await _look(session, inspection, _by_view(earlier), earlier)


async def of_booking(session: AsyncSession, booking_id: UUID) -> list[Look]:
    """How a booking's cars were looked at, in order; what is not over yet too."""
    query = select(Inspection).where(Inspection.booking_id == booking_id)
    found = await session.scalars(query.order_by(Inspection.created_at, Inspection.id))
    return [await look(session, each) for each in found.all()]


async def present(session: AsyncSession, booking: Booking) -> dict[str, Inspection]:
    """The inspections of a booking's present car, by kind."""
    query = select(Inspection).where(
        Inspection.booking_id == booking.id, Inspection.vehicle_id == booking.vehicle_id
    )
    return {each.kind: each for each in await session.scalars(query)}


def _by_view(earlier: Look | None) -> Mapping[str, InspectionPicture]:
    if earlier is None:
        return {}
    shots = (*earlier.shots, *earlier.close_ups)
    return {each.view: each.taken for each in shots if each.taken is not None}


async def _before(session: AsyncSession, inspection: Inspection) -> Inspection | None:
    if inspection.kind != IN:
        return None
    query = select(Inspection).where(
        Inspection.booking_id == inspection.booking_id,
        Inspection.kind == OUT,
        Inspection.vehicle_id == inspection.vehicle_id,
    )
    found: Inspection | None = await session.scalar(query)
    return found


async def _look(
    session: AsyncSession,
    inspection: Inspection,
    before: Mapping[str, InspectionPicture],
    earlier: Look | None,
) -> Look:
    taken = await pictures.of(session, [inspection.id])
    by_view = {each.view: each for each in taken if each.damage_id is None}
    new = await marks.of_inspection(session, inspection.id)
    known = await marks.known_before(session, inspection)
    close = await pictures.of_damages(session, [each.id for each in (*new, *known)])

    def shots(views: Mapping[str, LazyText]) -> list[Shot]:
        return [
            Shot(view=view, title=title, taken=by_view.get(view), before=before.get(view))
            for view, title in views.items()
        ]

    def numbered(found: Sequence[Damage], first: int) -> list[Mark]:
        return [
            Mark(number=number, damage=each, picture=close.get(each.id))
            for number, each in enumerate(found, first)
        ]

    return Look(
        inspection=inspection,
        shots=shots(VIEWS),
        close_ups=shots(CLOSE_UPS),
        signatures=shots(SIGNATURES),
        known=numbered(known, 1),
        new=numbered(new, len(known) + 1),
        before=earlier,
    )


async def history(session: AsyncSession, vehicle_id: UUID) -> list[Mark]:
    """The damage of a car with its photos: what is not mended first, then the newest."""
    found = await marks.history(session, vehicle_id)
    close = await pictures.of_damages(session, [each.id for each in found])
    return [
        Mark(number=number, damage=each, picture=close.get(each.id))
        for number, each in enumerate(found, 1)
    ]

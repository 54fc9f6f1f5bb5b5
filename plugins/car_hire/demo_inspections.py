"""How the demo's cars left and came back: what damage costs, marks, and photos drawn by code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.ids import new_id
from core.storage import services as storage
from plugins.car_hire import demo_photos
from plugins.car_hire.models import Booking, Inspection, InspectionPicture
from plugins.car_hire.models.zones import DAMAGE, OUT, VIEWS
from plugins.car_hire.schemas import DamageInput
from plugins.car_hire.services.damages import tables
from plugins.car_hire.services.inspections import drafts, marks, pictures

Seen = tuple[str, str, str, str]
"""Zone, kind, severity and note of one damage."""

_EVERY: Final = {
    "bumper": {"scratch": 140, "dent": 220, "crack": 390},
    "bonnet": {"scratch": 180, "dent": 260},
    "wing": {"scratch": 150, "dent": 240},
    "door": {"scratch": 160, "dent": 250},
    "roof": {"scratch": 190, "dent": 320},
    "boot": {"scratch": 170, "dent": 260},
    "glass": {"scratch": 120, "crack": 340},
    "lights": {"scratch": 60, "crack": 230, "missing": 260},
    "mirror": {"scratch": 70, "crack": 130, "missing": 190},
    "wheel": {"scratch": 80, "dent": 150, "missing": 45},
    "interior": {"stain": 90, "crack": 150, "missing": 60},
}
_FAMILY: Final = {"bumper": {"dent": 280, "crack": 460}, "door": {"dent": 310}}


async def prices(session: AsyncSession, family: UUID) -> None:
    """A table that has counted since long before the story begins."""
    made = await tables.publish(
        session,
        tables.Table(
            every=_grid(_EVERY),
            classes={str(family): _grid(_FAMILY)},
            shares={"light": Decimal("0.5"), "severe": Decimal(2)},
            cleaning={"light": Decimal(25), "heavy": Decimal(90)},
        ),
    )
    made.effective_from = clock.now() - timedelta(days=200)
    await session.flush()


def _grid(known: dict[str, dict[str, int]]) -> tables.Grid:
    return {part: {k: Decimal(v) for k, v in row.items()} for part, row in known.items()}


async def look(
    session: AsyncSession, booking: Booking, at: datetime, found: Sequence[Seen]
) -> Inspection:
    """A draft of what is due for a booking, as it was at that time, with its marks."""
    draft = await drafts.begin(session, booking.id)
    draft.created_at = at
    for zone, kind, severity, note in found:
        given = DamageInput(zone=zone, kind=kind, severity=severity, note=note)  # type: ignore[arg-type]  # words of the drawing
        mark = await marks.note(session, draft.id, new_id(), given)
        mark.created_at = at
    await session.flush()
    return draft


async def leave(session: AsyncSession, booking: Booking, km: int, fuel: int, at: datetime) -> None:
    """The check-out is over: the car leaves."""
    done = await drafts.finish(session, booking, OUT, odometer_km=km, fuel_eighths=fuel)
    assert done is not None
    done.done_at, done.licence_seen = at, True


async def photograph(session: AsyncSession, inspection_id: UUID, colour: str) -> None:
    """Photos of a car in the colour it is said to have, from every side, and of its marks.

    What was recorded so far is committed: files are kept outside of transactions.
    """
    for view in VIEWS:
        await _keep(session, inspection_id, view, None, demo_photos.side(view, colour))
    noted = [(each.id, each.kind) for each in await marks.of_inspection(session, inspection_id)]
    for damage_id, kind in noted:
        await _keep(session, inspection_id, DAMAGE, damage_id, demo_photos.close_up(kind, colour))


async def _keep(
    session: AsyncSession, inspection_id: UUID, view: str, damage_id: UUID | None, body: bytes
) -> None:
    file = await storage.keep(session, pictures.AREA, f"{view}.jpg", body)
    session.add(
        InspectionPicture(
            id=new_id(),
            inspection_id=inspection_id,
            view=view,
            damage_id=damage_id,
            file_id=file.id,
        )
    )
    await session.flush()

"""What a line of a bill rests on: the mark and the photos that show it, and what the desk added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText, _
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire.models import BillLine, Booking, Inspection, InspectionPicture
from plugins.car_hire.models.zones import IN, OUT
from plugins.car_hire.services.inspections import looking, pictures
from plugins.car_hire.services.pricing import rules

SHOWN_BY: Final = {
    rules.FUEL_MISSING: "dashboard",
    rules.FUEL_SERVICE: "dashboard",
    rules.MILEAGE_EXCESS: "dashboard",
    rules.CLEANING: "interior",
}
"""Which photo shows what a rule was given."""
WHEN: Final[Mapping[str, LazyText]] = {OUT: _("When it left"), IN: _("When it came back")}


@dataclass(frozen=True, slots=True)
class Proof:
    """A photo of what was charged, or a document about it."""

    title: LazyText
    path: str
    is_picture: bool = True


async def proofs(
    session: AsyncSession, booking: Booking, lines: Sequence[BillLine]
) -> dict[int, list[Proof]]:
    """What shows what lines rest on, by the place of the line in the bill."""
    if not lines:
        return {}
    present = await looking.present(session, booking)
    taken = await pictures.of(session, [each.id for each in present.values()]) if present else ()
    ids = [each.file_id for each in lines if each.file_id is not None]
    files = await storage.several(session, ids) if ids else {}
    found = {
        place: [*_of(line, present, taken), *_added(line, files)]
        for place, line in enumerate(lines)
    }
    return {place: each for place, each in found.items() if each}


def _added(line: BillLine, files: Mapping[UUID, StoredFile]) -> list[Proof]:
    file = files.get(line.file_id) if line.file_id else None
    if file is None:
        return []
    is_picture = file.media_type.startswith("image/")
    return [Proof(_("What shows it"), f"/files/{file.id}", is_picture=is_picture)]


def _of(
    line: BillLine, present: Mapping[str, Inspection], taken: Sequence[InspectionPicture]
) -> list[Proof]:
    if line.rule in {rules.DAMAGE, rules.BY_HAND} and "noted" in line.evidence:
        noted = UUID(line.evidence["noted"])
        return [Proof(_("Photo of this damage"), e.path) for e in taken if e.damage_id == noted]
    view = SHOWN_BY.get(line.rule)
    return [
        Proof(WHEN[kind], each.path)
        for kind in (OUT, IN)
        for each in taken
        if kind in present and each.inspection_id == present[kind].id and each.view == view
    ]

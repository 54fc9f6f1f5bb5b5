"""Damage: noted on the drawing, known to later inspections, mended one day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import Conflict, NotFound
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire.models import Damage, Inspection
from plugins.car_hire.models.zones import ZONES
from plugins.car_hire.schemas import DamageInput
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.inspections import drafts, pictures

MOST: Final = 60
"""Marks of one inspection."""


class TooMany(Conflict):
    """Nobody notes so many by hand."""

    code = "car_hire.too_many_damages"
    title = _("These are too many marks for one inspection")


async def note(
    session: AsyncSession, inspection_id: UUID, damage_id: UUID, given: DamageInput
) -> Damage:
    """Mark damage on the drawing, or change a mark; sent again, nothing changes.

    Raises:
        NotFound, NotNow: as ``drafts.drafted``, or the mark is another inspection's.
        TooMany: there are too many already.
    """
    inspection = await drafts.drafted(session, inspection_id)
    found = await session.get(Damage, damage_id)
    if found is not None and found.inspection_id != inspection_id:
        raise NotFound(_("There is no such mark"))
    if found is None:
        if len(await of_inspection(session, inspection_id)) >= MOST:
            raise TooMany
        tenant: Tenant = session.info["tenant"]
        found = Damage(
            id=damage_id,
            version=1,
            vehicle_id=inspection.vehicle_id,
            inspection_id=inspection_id,
            currency=tenant.currency,
        )
        session.add(found)
    else:
        edit(found, None)
    zone = ZONES[given.zone]
    found.zone, found.kind, found.severity = given.zone, given.kind, given.severity
    found.x = zone.x if given.x is None else given.x
    found.y = zone.y if given.y is None else given.y
    found.note, found.charged, found.price = given.note, given.charged, given.price
    await session.flush()
    return found


async def remove(session: AsyncSession, inspection_id: UUID, damage_id: UUID) -> None:
    """Take a mark back; one that is gone is passed over.

    Raises:
        NotFound, NotNow: as ``drafts.drafted``, or the mark is another inspection's.
    """
    await drafts.drafted(session, inspection_id)
    found = await session.get(Damage, damage_id)
    if found is None:
        return
    if found.inspection_id != inspection_id:
        raise NotFound(_("There is no such mark"))
    await pictures.discard_of(session, damage_id)
    await session.delete(found)
    await session.flush()


async def of_inspection(session: AsyncSession, inspection_id: UUID) -> Sequence[Damage]:
    """What an inspection found, in the order of noting."""
    query = select(Damage).where(Damage.inspection_id == inspection_id)
    return (await session.scalars(query.order_by(Damage.created_at, Damage.id))).all()


async def known_before(session: AsyncSession, inspection: Inspection) -> Sequence[Damage]:
    """What was on the car before an inspection and was not mended when it began."""
    query = (
        select(Damage)
        .join(Inspection, Inspection.id == Damage.inspection_id)
        .where(
            Damage.vehicle_id == inspection.vehicle_id,
            Damage.inspection_id != inspection.id,
            Inspection.done_at.is_not(None),
            Inspection.created_at <= inspection.created_at,
            (Damage.mended_at.is_(None)) | (Damage.mended_at > inspection.created_at),
        )
    )
    return (await session.scalars(query.order_by(Damage.created_at, Damage.id))).all()


async def history(session: AsyncSession, vehicle_id: UUID, limit: int = 100) -> Sequence[Damage]:
    """Everything that was ever found on a car, newest first."""
    query = (
        select(Damage)
        .join(Inspection, Inspection.id == Damage.inspection_id)
        .where(Damage.vehicle_id == vehicle_id, Inspection.done_at.is_not(None))
        .order_by(Damage.mended_at.is_not(None), Damage.created_at.desc(), Damage.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def mend(session: AsyncSession, damage_id: UUID, expected: int | None = None) -> Damage:
    """Note that damage is repaired; asked again, it stays as it is.

    Raises:
        NotFound: there is none, or it is only in a draft.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await session.get(Damage, damage_id, with_for_update=True, populate_existing=True)
    if found is None or (await drafts.one(session, found.inspection_id)).done_at is None:
        raise NotFound(_("There is no such damage"))
    if found.mended_at is not None:
        return found
    edit(found, expected)
    person = identity.current()
    found.mended_at = clock.now()
    found.mended_by = person.user_id if person else None
    await session.flush()
    await audit.record(
        session, "car_hire.damage_mended", "car_hire.vehicle", found.vehicle_id,
        {"damage_id": str(found.id), "zone": found.zone, "kind": found.kind},
    )  # fmt: skip
    return found

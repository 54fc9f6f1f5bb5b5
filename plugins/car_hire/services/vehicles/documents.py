"""The papers of cars: until when they are good, who is told in time, which car may not leave."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import clock, notifications
from core.audit import services as audit
from core.errors import Conflict, NotFound
from core.i18n import _, fill
from core.scope import Tenant
from core.storage import services as storage
from plugins.car_hire import notices, policy
from plugins.car_hire.models import Booking, Vehicle, VehicleDocument
from plugins.car_hire.schemas_vehicles import DocumentInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.editing import edit

AREA: Final = "car_hire.documents"
VEHICLE: Final = "car_hire.vehicle"
SHOWN: Final = 200
TOLD_AT_ONCE: Final = 100


class PapersLapse(Conflict):
    """A car's papers are not good until the end of the hire."""

    code = "car_hire.papers_lapse"
    title = _("Papers of this car lapse before the hire ends. Renew them, or choose another car")


class Lapsing(NamedTuple):
    """A paper that lapses, and whose."""

    document: VehicleDocument
    vehicle: Vehicle


_LATER = aliased(VehicleDocument)
COUNTS: Final[ColumnElement[bool]] = or_(
    VehicleDocument.kind == "other",
    ~select(_LATER.id)
    .where(
        _LATER.vehicle_id == VehicleDocument.vehicle_id,
        _LATER.kind == VehicleDocument.kind,
        _LATER.id != VehicleDocument.id,
        or_(_LATER.valid_until.is_(None), _LATER.valid_until > VehicleDocument.valid_until),
    )
    .exists(),
)
"""Of a paper: no other of its kind is good for longer."""


async def of_vehicle(session: AsyncSession, vehicle_id: UUID) -> Sequence[VehicleDocument]:
    """The papers of a car by kind, those that are good longest first."""
    query = (
        select(VehicleDocument)
        .where(VehicleDocument.vehicle_id == vehicle_id)
        .order_by(VehicleDocument.kind, VehicleDocument.valid_until.desc(), VehicleDocument.id)
    )
    return (await session.scalars(query.limit(SHOWN))).all()


async def one(session: AsyncSession, vehicle_id: UUID, document_id: UUID) -> VehicleDocument:
    """One paper of a car.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(VehicleDocument, document_id)
    if found is None or found.vehicle_id != vehicle_id:
        raise NotFound(_("There is no such paper"))
    return found


async def add(
    session: AsyncSession, vehicle_id: UUID, given: DocumentInput, file_id: UUID | None = None
) -> VehicleDocument:
    """Note a paper of a car, with its file if there is one.

    Raises:
        NotFound: there is no such car.
    """
    await fleet.vehicle(session, vehicle_id)
    made = VehicleDocument(vehicle_id=vehicle_id, file_id=file_id, **msgspec.structs.asdict(given))
    session.add(made)
    await session.flush()
    await _note(session, "car_hire.document_added", made)
    return made


async def change(
    session: AsyncSession,
    vehicle_id: UUID,
    document_id: UUID,
    given: DocumentInput,
    expected: int | None = None,
    file_id: UUID | None = None,
) -> VehicleDocument:
    """Correct a paper; a new file takes the place of the one there was.

    Raises:
        NotFound: there is no such paper.
        EditedMeanwhile: it changed since version ``expected``.
    """
    await one(session, vehicle_id, document_id)
    found = await session.get_one(
        VehicleDocument, document_id, with_for_update=True, populate_existing=True
    )
    edit(found, expected)
    if given.valid_until != found.valid_until:
        found.reminded_at = None
    for field, value in msgspec.structs.asdict(given).items():
        setattr(found, field, value)
    if file_id is not None:
        before, found.file_id = found.file_id, file_id
        if before is not None:
            await storage.discard(session, before)
    await session.flush()
    await _note(session, "car_hire.document_changed", found)
    return found


async def remove(session: AsyncSession, vehicle_id: UUID, document_id: UUID) -> None:
    """Forget a paper and its file.

    Raises:
        NotFound: there is no such paper.
    """
    found = await one(session, vehicle_id, document_id)
    await session.delete(found)
    await session.flush()
    if found.file_id is not None:
        await storage.discard(session, found.file_id)
    await _note(session, "car_hire.document_removed", found)


async def _note(session: AsyncSession, action: str, document: VehicleDocument) -> None:
    until = document.valid_until.isoformat() if document.valid_until else None
    await audit.record(
        session, action, VEHICLE, document.vehicle_id,
        {"kind": document.kind, "number": document.number, "valid_until": until},
    )  # fmt: skip


async def soon(session: AsyncSession, branch_id: UUID | None = None) -> Sequence[Lapsing]:
    """Papers that count and have lapsed, or will before long: the first to lapse first."""
    until = _today(session) + timedelta(days=(await policy.read(session)).papers_days)
    query = _lapsing(until).order_by(VehicleDocument.valid_until, VehicleDocument.id)
    if branch_id:
        query = query.where(Vehicle.branch_id == branch_id)
    return [Lapsing(*row) for row in (await session.execute(query.limit(SHOWN))).all()]


async def lapsing(
    session: AsyncSession, vehicle_ids: Collection[UUID], last_day: date
) -> Sequence[VehicleDocument]:
    """Papers without which cars may not be on the road, and which are not good on ``last_day``."""
    query = select(VehicleDocument).where(
        VehicleDocument.vehicle_id.in_(vehicle_ids),
        VehicleDocument.required,
        VehicleDocument.valid_until < last_day,
        COUNTS,
    )
    return (await session.scalars(query.order_by(VehicleDocument.valid_until))).all()


async def of_hire(session: AsyncSession, booking: Booking) -> Sequence[VehicleDocument]:
    """Papers of a booking's car that lapse before the hire ends, by the business's calendar."""
    tenant: Tenant = session.info["tenant"]
    last_day = clock.local(booking.ends_at, tenant.zone).date()
    return await lapsing(session, [booking.vehicle_id], last_day)


async def refuse_lapsing(session: AsyncSession, booking: Booking) -> None:
    """Keep a car from leaving whose papers lapse during the hire, where the business wants that.

    Raises:
        PapersLapse: naming the first of them.
    """
    if not (await policy.read(session)).papers_needed:
        return
    found = await of_hire(session, booking)
    if found:
        raise PapersLapse(
            fill(
                _("Not good until the hire ends: {paper}. Renew it, or choose another car"),
                paper=found[0].title,
            )
        )


async def remind(session: AsyncSession) -> bool:
    """Tell staff of papers that lapse soon, once of each date; whether more may be left."""
    until = _today(session) + timedelta(days=(await policy.read(session)).papers_days)
    query = (
        _lapsing(until)
        .where(VehicleDocument.reminded_at.is_(None))
        .order_by(VehicleDocument.valid_until, VehicleDocument.id)
        .limit(TOLD_AT_ONCE)
        .with_for_update(of=VehicleDocument, skip_locked=True)
    )
    rows = (await session.execute(query)).all()
    for document, vehicle in rows:
        document.reminded_at = clock.now()
        assert document.valid_until is not None
        await notifications.notify(
            session,
            notices.PAPER_LAPSES,
            subject=(VEHICLE, vehicle.id),
            link=f"/car-hire/desk/fleet/{vehicle.id}/documents",
            paper=document.title,
            car=vehicle.title,
            until=document.valid_until,
        )
    await session.flush()
    return len(rows) == TOLD_AT_ONCE


def _lapsing(until: date) -> Select[VehicleDocument, Vehicle]:
    return (
        select(VehicleDocument, Vehicle)
        .join(Vehicle, Vehicle.id == VehicleDocument.vehicle_id)
        .where(VehicleDocument.valid_until <= until, Vehicle.status != fleet.RETIRED, COUNTS)
    )


def _today(session: AsyncSession) -> date:
    tenant: Tenant = session.info["tenant"]
    return clock.today(tenant.zone)

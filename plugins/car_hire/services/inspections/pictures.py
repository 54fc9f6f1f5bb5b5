"""Photos and signatures of an inspection: each once, however often a telephone sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import EditedMeanwhile, Invalid, NotFound
from core.i18n import _
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire.models import Booking, Customer, Damage, Inspection, InspectionPicture
from plugins.car_hire.models.zones import CLOSE_UPS, DAMAGE, SIGNATURES, VIEWS
from plugins.car_hire.services.inspections import drafts

AREA: Final = "car_hire.inspections"
TITLES: Final = {**VIEWS, **CLOSE_UPS, **SIGNATURES}
Receive = Callable[[], Awaitable[StoredFile]]
"""Keeps the file that is being sent; what was recorded so far is committed."""


async def put(
    session: AsyncSession,
    inspection_id: UUID,
    view: str,
    picture_id: UUID,
    receive: Receive,
    *,
    replaces: UUID | None = None,
    damage_id: UUID | None = None,
) -> InspectionPicture:
    """Keep the photo of a view, or of a damage, in the place of the one that the sender saw.

    ``picture_id`` is the sender's for this photo: sent again, it is not kept again.

    Raises:
        NotFound: there is no such inspection, view or damage.
        NotNow: the inspection is over.
        EditedMeanwhile: somebody else photographed the same since ``replaces``.
        Invalid: the id is that of another photo.
    """
    if (view not in TITLES) if damage_id is None else (view != DAMAGE):
        raise NotFound(_("There is no such view"))
    known = await _present(session, inspection_id, view, damage_id)
    if known is not None and known.id == picture_id:
        return known
    _check_seen(known, replaces)
    if await session.get(InspectionPicture, picture_id) is not None:
        raise Invalid(_("Another photo has this id; make a new one"), field="id")
    file = await receive()
    # Others may have gone on while the photo came. What is refused now is swept away by night.
    known = await _present(session, inspection_id, view, damage_id)
    if known is not None and known.id == picture_id:
        await storage.discard(session, file.id)
        return known
    _check_seen(known, replaces)
    if known is not None:
        await _discard(session, known)
    made = InspectionPicture(
        id=picture_id,
        inspection_id=inspection_id,
        view=view,
        damage_id=damage_id,
        file_id=file.id,
    )
    session.add(made)
    await session.flush()
    return made


def _check_seen(known: InspectionPicture | None, replaces: UUID | None) -> None:
    if known is not None and known.id != replaces:
        raise EditedMeanwhile(_("Somebody else has taken this photo meanwhile"))


async def _present(
    session: AsyncSession, inspection_id: UUID, view: str, damage_id: UUID | None
) -> InspectionPicture | None:
    """The photo there is, its draft locked."""
    await drafts.drafted(session, inspection_id)
    query = select(InspectionPicture).where(
        InspectionPicture.inspection_id == inspection_id, InspectionPicture.view == view
    )
    if damage_id is not None:
        damage = await session.get(Damage, damage_id)
        if damage is None or damage.inspection_id != inspection_id:
            raise NotFound(_("There is no such mark"))
        query = query.where(InspectionPicture.damage_id == damage_id)
    found: InspectionPicture | None = await session.scalar(query)
    return found


async def _discard(session: AsyncSession, picture: InspectionPicture) -> None:
    await session.delete(picture)
    await session.flush()
    await storage.discard(session, picture.file_id)


async def discard_of(session: AsyncSession, damage_id: UUID) -> None:
    """Remove the photo of a damage that is no more."""
    query = select(InspectionPicture).where(InspectionPicture.damage_id == damage_id)
    for each in (await session.scalars(query)).all():
        await _discard(session, each)


async def discard_signatures(session: AsyncSession, inspections: Select[UUID]) -> None:
    """Remove what customers signed, of the inspections of these ids."""
    query = select(InspectionPicture).where(
        InspectionPicture.inspection_id.in_(inspections),
        InspectionPicture.view == "customer_signature",
    )
    for each in (await session.scalars(query)).all():
        await _discard(session, each)


async def of(session: AsyncSession, inspection_ids: Sequence[UUID]) -> Sequence[InspectionPicture]:
    """Every photo and signature of some inspections."""
    query = select(InspectionPicture).where(InspectionPicture.inspection_id.in_(inspection_ids))
    return (await session.scalars(query.order_by(InspectionPicture.created_at))).all()


async def of_damages(
    session: AsyncSession, damage_ids: Sequence[UUID]
) -> Mapping[UUID, InspectionPicture]:
    """The photos of damages, by damage."""
    query = select(InspectionPicture).where(InspectionPicture.damage_id.in_(damage_ids))
    return {each.damage_id: each for each in await session.scalars(query) if each.damage_id}


async def belongs(session: AsyncSession, file_id: UUID, user_id: UUID) -> bool:
    """Whether a photo is of a hire of this person's: then they may see it, as the desk may."""
    query = (
        select(InspectionPicture.id)
        .join(Inspection, Inspection.id == InspectionPicture.inspection_id)
        .join(Booking, Booking.id == Inspection.booking_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(InspectionPicture.file_id == file_id, Customer.user_id == user_id)
    )
    return await session.scalar(query) is not None

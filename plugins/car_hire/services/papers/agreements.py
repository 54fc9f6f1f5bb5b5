"""Agreements: frozen as the car leaves, drawn by a job, kept with their mark, and sent.

What was agreed is written down in the transaction in which the car drives off: a booking that is
extended a minute later changes nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs, mail
from core.audit import services as audit
from core.db import outside
from core.documents import drawing
from core.documents.letterhead import letterhead
from core.documents.sheet import Sheet, Signature, Signatures
from core.i18n import in_reading, reading_in
from core.scope import Tenant
from core.storage import services as storage
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import (
    Agreement,
    AgreementFile,
    Booking,
    Customer,
    Hire,
    Inspection,
    InspectionPicture,
)
from plugins.car_hire.models.zones import OUT
from plugins.car_hire.services import bookings, quotes
from plugins.car_hire.services.damages import charging
from plugins.car_hire.services.inspections import drafts, marks
from plugins.car_hire.services.papers import agreement

AREA: Final = "car_hire.agreements"
"""Where the files are, and who may read them (``plugin.py``)."""
DRAW: Final = "car_hire.draw_agreement"
"""The job that makes the PDF of an agreement, and sends it."""
_SIGNATURES: Final = ("customer_signature", "staff_signature")
"""In the order in which ``agreement`` has them."""

Found = Row[Agreement, UUID | None]
"""An agreement, and its file once that is drawn."""


async def when_signed(session: AsyncSession, hire: Hire, booking: Booking) -> None:
    """The car drives off: if its customer signed on the screen, keep what they signed."""
    looked_at = await drafts.of_booking(session, booking, OUT)
    if looked_at is None or looked_at.done_at is None:
        return
    drawn = await _drawings(session, looked_at.id)
    if looked_at.customer_name or _SIGNATURES[0] in drawn:
        await _freeze(session, hire, booking, looked_at, drawn)


async def to_print(session: AsyncSession, hire_id: UUID) -> None:
    """Nobody signed on the screen: the same text, with lines to sign on. Once.

    Raises:
        NotNow: the car has not left.
    """
    hire = await session.get(Hire, hire_id, with_for_update=True, populate_existing=True)
    if hire is None or hire.started_at is None:
        raise NotNow
    if await session.get(Agreement, hire_id) is None:
        booking = await bookings.one(session, hire.booking_id)
        await _freeze(session, hire, booking, None, {})


async def _freeze(
    session: AsyncSession,
    hire: Hire,
    booking: Booking,
    looked_at: Inspection | None,
    drawn: Mapping[str, UUID],
) -> None:
    tenant: Tenant = session.info["tenant"]
    with reading_in(tenant.locale):
        signed = agreement.Signed(
            customer_drew=_SIGNATURES[0] in drawn,
            customer_name=looked_at.customer_name if looked_at else "",
            clerk_drew=_SIGNATURES[1] in drawn,
            clerk_name=looked_at.staff_name if looked_at else "",
            signed_at=looked_at.done_at if looked_at else None,
            marks=await _marks(session, looked_at) if looked_at else (),
            handed_over=await _handed_over(session, booking),
        )
    sheet = await agreement.sheet_of(session, hire, booking, signed)
    session.add(
        Agreement(
            hire_id=hire.id,
            inspection_id=looked_at.id if looked_at else None,
            content=msgspec.json.encode(sheet).decode(),
        )
    )
    await session.flush()
    await audit.record(session, "car_hire.agreement_made", "car_hire.hire", hire.id)
    await jobs.put(session, DRAW, {"hire_id": hire.id}, key=f"agreement:{hire.id}")


async def _marks(session: AsyncSession, looked_at: Inspection) -> list[str]:
    known = await marks.known_before(session, looked_at)
    found = (*known, *await marks.of_inspection(session, looked_at.id))
    return [
        f"{charging.told(each)} ({each.note})" if each.note else str(charging.told(each))
        for each in found
    ]


async def _handed_over(session: AsyncSession, booking: Booking) -> list[str]:
    asked = quotes.asked_then(await quotes.one(session, booking.quote_id))
    return [
        f"{in_reading(each.extra.texts)}: {each.quantity}"
        for each in asked.chosen
        if each.extra.kind == "extra"
    ]


async def _drawings(session: AsyncSession, inspection_id: UUID) -> dict[str, UUID]:
    """The files of the signatures, by whose they are."""
    query = select(InspectionPicture.view, InspectionPicture.file_id).where(
        InspectionPicture.inspection_id == inspection_id, InspectionPicture.view.in_(_SIGNATURES)
    )
    return {row.view: row.file_id for row in await session.execute(query)}


async def draw(session: AsyncSession, hire_id: UUID) -> None:
    """Draw an agreement, keep the file, and send it. However often it is asked for and whenever a
    worker dies in between, there is one file and one letter.

    Raises:
        StorageAway, ComputationFailed: to be tried again.
    """
    if await session.get(AgreementFile, hire_id) is not None:
        return
    row = await session.get_one(Agreement, hire_id)
    booking, customer = await _about(session, hire_id)
    sheet = await _whole(session, row)
    drawn = await outside(session, lambda: drawing.pdf(sheet))
    file = await storage.keep(session, AREA, f"{booking.number}.pdf", drawn)
    first = await session.scalar(
        insert(AgreementFile)
        .values(hire_id=hire_id, file_id=file.id, sha256=file.sha256, drawn_at=clock.now())
        .on_conflict_do_nothing(index_elements=[AgreementFile.hire_id])
        .returning(AgreementFile.file_id)
    )
    if first is None:  # another delivery of the same job was faster
        await storage.discard(session, file.id)
    elif row.inspection_id is not None:  # what is to be signed on paper is nothing to send
        await _send(session, booking, customer, file.id)


async def _whole(session: AsyncSession, row: Agreement) -> Sheet:
    """As it is drawn: with the logo, and with what was drawn on the screen."""
    sheet = msgspec.json.decode(row.content, type=Sheet)
    files = await _drawings(session, row.inspection_id) if row.inspection_id else {}
    drawn = {}
    for view, file_id in files.items():
        drawn[view] = await storage.content(session, await storage.one(session, file_id))
    *blocks, last = sheet.blocks
    assert isinstance(last, Signatures)
    places: list[Signature] = [
        msgspec.structs.replace(place, drawing=drawn.get(view, b""))
        for view, place in zip(_SIGNATURES, last.places, strict=True)
    ]
    head = await letterhead(session)
    whole = (*blocks, Signatures(tuple(places)))
    return msgspec.structs.replace(sheet, logo=head.logo, blocks=whole)


async def _about(session: AsyncSession, hire_id: UUID) -> tuple[Booking, Customer]:
    query = (
        select(Booking, Customer)
        .join(Customer, Customer.id == Booking.customer_id)
        .join(Hire, Hire.booking_id == Booking.id)
        .where(Hire.id == hire_id)
    )
    booking, customer = (await session.execute(query)).one()
    return booking, customer


async def _send(session: AsyncSession, booking: Booking, customer: Customer, file_id: UUID) -> None:
    if customer.email.endswith("@erased.invalid"):
        return
    await mail.send(
        session,
        "car_hire/mail/agreement",
        customer.email,
        context={"name": customer.name, "number": booking.number, "ends_at": booking.ends_at},
        locale=customer.locale,
        key=f"car_hire/mail/agreement:{booking.id}",
        attached=[file_id],
    )


async def of_hire(session: AsyncSession, hire_id: UUID) -> Found | None:
    """The agreement of a hire, if there is one."""
    query = (
        select(Agreement, AgreementFile.file_id)
        .outerjoin(AgreementFile, AgreementFile.hire_id == Agreement.hire_id)
        .where(Agreement.hire_id == hire_id)
    )
    return (await session.execute(query)).one_or_none()


async def belongs(session: AsyncSession, file_id: UUID, user_id: UUID) -> bool:
    """Whether a file is an agreement of a customer's own."""
    query = (
        select(AgreementFile.hire_id)
        .join(Hire, Hire.id == AgreementFile.hire_id)
        .join(Booking, Booking.id == Hire.booking_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(AgreementFile.file_id == file_id, Customer.user_id == user_id)
    )
    return await session.scalar(query) is not None

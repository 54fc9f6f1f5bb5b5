"""Lines of the bill of a return, and what the desk adds to show why one stands there."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.errors import NotFound
from core.i18n import _
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire.models import BillLine, Booking, Customer, Hire
from plugins.car_hire.services import evidence, hires

AREA: Final = "car_hire.bill_lines"
"""Where what shows them is kept (``plugin.py``)."""


async def show_by(
    session: AsyncSession, hire_id: UUID, line_id: UUID, file: StoredFile
) -> BillLine:
    """Keep what shows why a line stands on the bill, in the place of what was kept before.

    Raises:
        NotFound: the bill of this hire has no such line.
        Invalid: it is neither a PDF nor a picture.
    """
    await hires.locked(session, hire_id)
    try:
        found = await one(session, hire_id, line_id)
    except NotFound:
        await storage.discard(session, file.id)
        raise
    await evidence.put(session, found, file)
    told = {"rule": found.rule, "file_id": str(file.id), "sha256": file.sha256}
    await audit.record(session, "car_hire.evidence_added", "car_hire.hire", hire_id, told)
    return found


async def one(session: AsyncSession, hire_id: UUID, line_id: UUID) -> BillLine:
    """One line of the bill of a hire.

    Raises:
        NotFound: the bill of this hire has no such line.
    """
    await hires.one(session, hire_id)
    found = await session.get(BillLine, line_id, populate_existing=True)
    if found is None or found.hire_id != hire_id:
        raise NotFound(_("The bill has no such line"))
    return found


async def belongs(session: AsyncSession, file_id: UUID, user_id: UUID) -> bool:
    """Whether a file shows what this customer was billed for."""
    query = (
        select(BillLine.id)
        .join(Hire, Hire.id == BillLine.hire_id)
        .join(Booking, Booking.id == Hire.booking_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(BillLine.file_id == file_id, Customer.user_id == user_id)
    )
    return await session.scalar(query) is not None


async def files_of(session: AsyncSession, hire_id: UUID) -> list[UUID]:
    """What shows the lines of a bill, in their order."""
    query = select(BillLine.file_id).where(BillLine.hire_id == hire_id)
    found = await session.scalars(query.order_by(BillLine.position))
    return [each for each in found if each is not None]

"""An inspection from its first reading to its end: whoever is at the desk goes on with it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import FieldError, Invalid, NotFound
from core.i18n import LazyText, _, fill
from core.ids import new_id
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Inspection, InspectionPicture
from plugins.car_hire.models.zones import IN, OUT, VIEWS
from plugins.car_hire.schemas import InspectionInput
from plugins.car_hire.services import bookings
from plugins.car_hire.services.editing import edit

KINDS_BY_STATE: Final = {"confirmed": OUT, "out": IN}
"""What is to be looked at next, by the state of a booking."""
_OVER: Final[LazyText] = _("This inspection is over and stays as it is")


class PhotosMissing(Invalid):
    """The firm wants every photo, and some were not taken."""

    code = "car_hire.photos_missing"
    title = _("Take all eight photos of the car first")


async def begin(session: AsyncSession, booking_id: UUID) -> Inspection:
    """The draft of what is to be looked at next of a booking's car: the one there is, or a new one.

    Raises:
        NotFound: there is no such booking.
        NotNow: the car is neither to leave nor to come back.
    """
    booking = await bookings.locked(session, booking_id)
    kind = KINDS_BY_STATE.get(booking.state)
    if kind is None:
        raise NotNow
    known = await of_booking(session, booking, kind)
    if known is not None:
        return known
    person = identity.current()
    made = Inspection(
        id=new_id(),
        version=1,
        booking_id=booking.id,
        vehicle_id=booking.vehicle_id,
        kind=kind,
        notes="",
        customer_name="",
        begun_by=person.user_id if person else None,
    )
    session.add(made)
    await session.flush()
    return made


async def of_booking(session: AsyncSession, booking: Booking, kind: str) -> Inspection | None:
    """How a booking's present car was looked at, if it was."""
    query = select(Inspection).where(
        Inspection.booking_id == booking.id,
        Inspection.kind == kind,
        Inspection.vehicle_id == booking.vehicle_id,
    )
    found: Inspection | None = await session.scalar(query)
    return found


async def one(session: AsyncSession, inspection_id: UUID) -> Inspection:
    """One inspection.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Inspection, inspection_id)
    if found is None:
        raise NotFound(_("There is no such inspection"))
    return found


async def drafted(session: AsyncSession, inspection_id: UUID) -> Inspection:
    """A draft that is about to change, locked.

    Raises:
        NotFound: there is none.
        NotNow: it is over.
    """
    found = await session.get(
        Inspection, inspection_id, with_for_update=True, populate_existing=True
    )
    if found is None:
        raise NotFound(_("There is no such inspection"))
    if found.done_at is not None:
        raise NotNow(_OVER)
    return found


async def save(
    session: AsyncSession,
    inspection_id: UUID,
    given: InspectionInput,
    expected: int | None = None,
) -> Inspection:
    """Keep what was typed so far; nothing need be complete.

    Raises:
        NotFound, NotNow: as ``drafted``.
        EditedMeanwhile: somebody else typed since version ``expected``.
    """
    found = await drafted(session, inspection_id)
    values = {name: getattr(given, name) for name in InspectionInput.__struct_fields__}
    if all(getattr(found, name) == value for name, value in values.items()):
        return found  # sent again
    edit(found, expected)
    for name, value in values.items():
        setattr(found, name, value)
    await session.flush()
    return found


async def finish(
    session: AsyncSession,
    booking: Booking,
    kind: str,
    *,
    odometer_km: int,
    fuel_eighths: int,
) -> Inspection | None:
    """The car leaves, or is taken back: what was looked at counts from now on.

    Raises:
        PhotosMissing: the firm wants all of them.
    """
    known = await of_booking(session, booking, kind)
    await _check_photos(session, known)
    if known is None:
        return None
    found = await drafted(session, known.id)
    edit(found, None)
    found.odometer_km, found.fuel_eighths = odometer_km, fuel_eighths
    found.done_at = clock.now()
    await session.flush()
    await audit.record(
        session, "car_hire.inspection_done", "car_hire.inspection", found.id,
        {"booking_id": str(booking.id), "kind": kind},
    )  # fmt: skip
    return found


async def insist_signed(session: AsyncSession, inspection_id: UUID) -> None:
    """Let nobody drive off who has not signed, on the screen or by typing their name.

    Raises:
        Invalid: at ``customer_name``.
        NotNow: it is no check-out.
    """
    found = await one(session, inspection_id)
    if found.kind != OUT:
        raise NotNow
    drawn = select(InspectionPicture.id).where(
        InspectionPicture.inspection_id == inspection_id,
        InspectionPicture.view == "customer_signature",
    )
    if not found.customer_name and await session.scalar(drawn) is None:
        raise Invalid(
            _("Let the customer sign here, or type their name for them"), field="customer_name"
        )


async def _check_photos(session: AsyncSession, known: Inspection | None) -> None:
    rules = await policy.read(session)
    if not rules.photos_needed:
        return
    query = select(InspectionPicture.view).where(
        InspectionPicture.inspection_id == (known.id if known else None)
    )
    taken = set(await session.scalars(query))
    missing = [title for view, title in VIEWS.items() if view not in taken]
    if missing:
        names = ", ".join(map(str, missing))
        text = fill(_("These photos are missing: {names}"), names=names)
        raise PhotosMissing(errors=[FieldError("photos", text)])


async def reopen(session: AsyncSession, booking_id: UUID) -> None:
    """The hand-over was given up: its inspection is a draft again."""
    query = update(Inspection).where(
        Inspection.booking_id == booking_id,
        Inspection.kind == OUT,
        Inspection.done_at.is_not(None),
    )
    await session.execute(query.values(done_at=None, version=Inspection.version + 1))

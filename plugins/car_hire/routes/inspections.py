"""The guided pages of check-out and check-in, on a telephone beside the car.

Every step is a form that works without scripts; ``static/js/inspection.js`` sends the same things
to the API as they happen, and keeps them on the device while there is no connection.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, Invalid
from core.i18n import _
from core.ids import new_id
from core.permissions import permission
from core.storage import receiving
from core.web.forms import bind, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Hire, Inspection
from plugins.car_hire.models.zones import DAMAGE, IN, ZONES
from plugins.car_hire.routes import inspection_pages as pages
from plugins.car_hire.routes.handing_over import HandOver
from plugins.car_hire.routes.http import DESK, FLEET, AnyRequest, version_seen
from plugins.car_hire.schemas import DamageInput, DraftInput, ReturnInput
from plugins.car_hire.services import hires, paying
from plugins.car_hire.services.inspections import drafts, marks, pictures

PATH: Final = "/car-hire/desk"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]


class Inspections(Controller):
    """A car looked at with its customer."""

    path = PATH
    include_in_schema = False

    @post("/bookings/{booking_id:uuid}/inspection", access=ACCESS)
    async def begin(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """Check-out or check-in, whichever is due: begun, or gone on with."""
        made = await drafts.begin(session, booking_id)
        return SeeOther(f"{PATH}/inspections/{made.id}")

    @get("/inspections/{inspection_id:uuid}", access=ACCESS, stands_below=f"{PATH}/bookings")
    async def show(
        self, session: Session, inspection_id: FromPath[UUID], zone: FromQuery[str] = ""
    ) -> Page:
        """The guided page; once it is over, what was seen."""
        found = await drafts.one(session, inspection_id)
        if found.done_at is not None:
            return await pages.condition(session, found)
        mark = blank(DamageInput, {"zone": zone, "charged": True} if zone in ZONES else {})
        return await pages.page(session, found, mark=mark)

    @post("/inspections/{inspection_id:uuid}", access=ACCESS, stands_below=f"{PATH}/bookings")
    async def save(
        self, request: AnyRequest, session: Session, inspection_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Keep what was typed, to go on later."""
        typed = await typed_fields(request)
        found = await drafts.one(session, inspection_id)
        expected = version_seen(typed)
        form = bind(DraftInput, pages.but((), typed))
        try:
            await drafts.save(session, inspection_id, form.value, expected)
        except DomainError as error:
            return await pages.refused(session, found, typed, error, seen=expected)
        return SeeOther(f"{PATH}/inspections/{inspection_id}", flash=_("Kept as a draft"))

    @post("/inspections/{inspection_id:uuid}/hire", access=ACCESS, stands_below=f"{PATH}/bookings")
    async def hand_over(
        self, request: AnyRequest, session: Session, inspection_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The keys go over the counter."""
        typed = await typed_fields(request)
        found = await drafts.one(session, inspection_id)
        expected = version_seen(typed)
        form = HandOver.of(session, {k: v for k, v in typed.items() if k not in pages.OWN})
        try:
            given = form.given
            if given.booking_id != found.booking_id:
                raise NotNow
            await drafts.save(session, inspection_id, pages.kept(typed), expected)
            await drafts.insist_signed(session, inspection_id)
            await hires.prepare(session, given)
        except DomainError as error:
            return await pages.refused(session, found, typed, error, form, expected)
        return SeeOther(f"{PATH}/bookings/{found.booking_id}")

    @post("/inspections/{inspection_id:uuid}/bill", access=ACCESS, stands_below=f"{PATH}/bookings")
    async def preview(
        self, request: AnyRequest, session: Session, inspection_id: FromPath[UUID]
    ) -> Page:
        """The bill as it would be."""
        typed = await typed_fields(request)
        found = await drafts.one(session, inspection_id)
        expected = version_seen(typed)
        form = bind(ReturnInput, pages.but(pages.OWN, typed))
        try:
            given, hire = form.value, await _hire(session, found)
            kept = await drafts.save(session, inspection_id, pages.kept(typed), expected)
            priced = await hires.preview(session, hire.id, given)
        except DomainError as error:
            return await pages.refused(session, found, typed, error, form, expected)
        return await pages.page(session, kept, back=form, priced=priced)

    @post(
        "/inspections/{inspection_id:uuid}/return", access=ACCESS, stands_below=f"{PATH}/bookings"
    )
    async def take_back(
        self, request: AnyRequest, session: Session, inspection_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The car is back: bill it and settle with the deposit."""
        typed = await typed_fields(request)
        found = await drafts.one(session, inspection_id)
        expected = version_seen(typed)
        form = bind(ReturnInput, pages.but(pages.OWN, typed))
        try:
            given, hire = form.value, await _hire(session, found)
            if found.done_at is None:
                await drafts.save(session, inspection_id, pages.kept(typed), expected)
            await hires.take_back(session, hire.id, given)
            await paying.settle_soon(session, hire.id)
        except DomainError as error:
            return await pages.refused(session, found, typed, error, form, expected)
        return SeeOther(
            f"{PATH}/bookings/{found.booking_id}",
            flash=_("The car is back; the receipt is on its way"),
        )

    @post(
        "/inspections/{inspection_id:uuid}/pictures/{view:str}",
        access=ACCESS,
        request_max_body_size=None,
        stands_below=f"{PATH}/bookings",
    )
    async def photograph(
        self,
        request: AnyRequest,
        session: Session,
        inspection_id: FromPath[UUID],
        view: FromPath[str],
        replaces: FromQuery[UUID | None] = None,
    ) -> SeeOther:
        """A photo of one view, by a plain form."""
        receive = partial(receiving.picture, request, session, "photo", pictures.AREA)
        there = f"{PATH}/inspections/{inspection_id}#photos"
        try:
            await pictures.put(session, inspection_id, view, new_id(), receive, replaces=replaces)
        except Invalid as error:
            return SeeOther(there, flash=_said(error), level="danger")
        return SeeOther(there)

    @post(
        "/inspections/{inspection_id:uuid}/damages",
        access=ACCESS,
        idempotent=True,
        stands_below=f"{PATH}/bookings",
    )
    async def note(
        self, request: AnyRequest, session: Session, inspection_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Mark damage, by a plain form."""
        found = await drafts.one(session, inspection_id)
        form = await posted(request, DamageInput)
        try:
            await marks.note(session, inspection_id, new_id(), form.value)
        except DomainError as error:
            return await pages.page(session, found, mark=form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/inspections/{inspection_id}#damage")

    @post("/inspections/{inspection_id:uuid}/damages/{damage_id:uuid}/removal", access=ACCESS)
    async def remove(
        self, session: Session, inspection_id: FromPath[UUID], damage_id: FromPath[UUID]
    ) -> SeeOther:
        """Take a mark back."""
        await marks.remove(session, inspection_id, damage_id)
        return SeeOther(f"{PATH}/inspections/{inspection_id}#damage")

    @post(
        "/inspections/{inspection_id:uuid}/damages/{damage_id:uuid}/picture",
        access=ACCESS,
        request_max_body_size=None,
    )
    async def photograph_damage(
        self,
        request: AnyRequest,
        session: Session,
        inspection_id: FromPath[UUID],
        damage_id: FromPath[UUID],
        replaces: FromQuery[UUID | None] = None,
    ) -> SeeOther:
        """The photo of a damage, by a plain form."""
        receive = partial(receiving.picture, request, session, "photo", pictures.AREA)
        there = f"{PATH}/inspections/{inspection_id}#damage"
        try:
            await pictures.put(
                session, inspection_id, DAMAGE, new_id(), receive, replaces=replaces,
                damage_id=damage_id,
            )  # fmt: skip
        except Invalid as error:
            return SeeOther(there, flash=_said(error), level="danger")
        return SeeOther(there)

    @post("/damages/{damage_id:uuid}/repair", access=permission(FLEET))
    async def mend(self, session: Session, damage_id: FromPath[UUID]) -> SeeOther:
        """Damage is mended; the car's page shows its history."""
        found = await marks.mend(session, damage_id)
        return SeeOther(f"{PATH}/fleet/{found.vehicle_id}#damage", flash=_("Noted as mended"))


def _said(error: DomainError) -> Any:
    return error.errors[0].message if error.errors else error.message


async def _hire(session: AsyncSession, found: Inspection) -> Hire:
    hire = await hires.of_booking(session, found.booking_id)
    if hire is None or found.kind != IN:
        raise NotNow
    return hire


CONTROLLERS = (Inspections,)

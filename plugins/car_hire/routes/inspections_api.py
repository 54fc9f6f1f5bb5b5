"""``/api/v1/car-hire/inspections``: check-out and check-in for programs, and for our own pages.

All of it can be sent again without harm: a telephone that lost its connection does.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import new_id
from core.permissions import permission
from core.storage import receiving
from core.web.api import Listing, expected
from plugins.car_hire.models.zones import DAMAGE
from plugins.car_hire.routes.http import API, DESK, FLEET, AnyRequest, versioned
from plugins.car_hire.routes.inspection_views import DamageView, InspectionView, PictureView
from plugins.car_hire.schemas import DamageInput, InspectionInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.inspections import drafts, looking, marks, pictures

Session = NamedDependency[AsyncSession]
PHOTO = "photo"
"""The field of a multipart request that holds the picture."""


async def _shown(session: AsyncSession, inspection_id: UUID) -> InspectionView:
    found = await drafts.one(session, inspection_id)
    return InspectionView.of(await looking.look(session, found))


class Inspections(Controller):
    """How cars left and came back."""

    path = f"{API}/inspections"
    tags = ("Car hire",)

    @get("/{inspection_id:uuid}", access=permission(DESK))
    async def show(
        self, session: Session, inspection_id: FromPath[UUID]
    ) -> Response[InspectionView]:
        """One inspection with its photos, new marks and those known before."""
        return versioned(await _shown(session, inspection_id))

    @put("/{inspection_id:uuid}", access=permission(DESK))
    async def save(
        self,
        request: AnyRequest,
        session: Session,
        inspection_id: FromPath[UUID],
        data: JSONBody[InspectionInput],
    ) -> Response[InspectionView]:
        """Keep what was typed so far; If-Match guards what somebody else typed."""
        await drafts.save(session, inspection_id, data, expected(request))
        return versioned(await _shown(session, inspection_id))

    @put(
        "/{inspection_id:uuid}/pictures/{view:str}",
        access=permission(DESK),
        request_max_body_size=None,
    )
    async def photograph(
        self,
        request: AnyRequest,
        session: Session,
        inspection_id: FromPath[UUID],
        view: FromPath[str],
        picture_id: FromQuery[UUID | None] = None,
        replaces: FromQuery[UUID | None] = None,
    ) -> PictureView:
        """Keep a photo or signature, the file ``photo`` of a multipart request.

        ``picture_id`` is the sender's for this photo, if it may come twice; ``replaces`` is that
        of the photo that it takes the place of.
        """
        receive = partial(receiving.picture, request, session, PHOTO, pictures.AREA)
        kept = await pictures.put(
            session, inspection_id, view, picture_id or new_id(), receive, replaces=replaces
        )
        return PictureView.of(kept)

    @put("/{inspection_id:uuid}/damages/{damage_id:uuid}", access=permission(DESK))
    async def note(
        self,
        session: Session,
        inspection_id: FromPath[UUID],
        damage_id: FromPath[UUID],
        data: JSONBody[DamageInput],
    ) -> DamageView:
        """Mark damage on the drawing; the id is the sender's."""
        return DamageView.of(await marks.note(session, inspection_id, damage_id, data))

    @delete("/{inspection_id:uuid}/damages/{damage_id:uuid}", access=permission(DESK))
    async def remove(
        self, session: Session, inspection_id: FromPath[UUID], damage_id: FromPath[UUID]
    ) -> None:
        """Take a mark back."""
        await marks.remove(session, inspection_id, damage_id)

    @put(
        "/{inspection_id:uuid}/damages/{damage_id:uuid}/picture",
        access=permission(DESK),
        request_max_body_size=None,
    )
    async def photograph_damage(
        self,
        request: AnyRequest,
        session: Session,
        inspection_id: FromPath[UUID],
        damage_id: FromPath[UUID],
        picture_id: FromQuery[UUID | None] = None,
        replaces: FromQuery[UUID | None] = None,
    ) -> PictureView:
        """Keep the photo of one damage, likewise."""
        receive = partial(receiving.picture, request, session, PHOTO, pictures.AREA)
        kept = await pictures.put(
            session,
            inspection_id,
            DAMAGE,
            picture_id or new_id(),
            receive,
            replaces=replaces,
            damage_id=damage_id,
        )
        return PictureView.of(kept)


class Damages(Controller):
    """Damage on cars, and what is begun for a booking."""

    path = API
    tags = ("Car hire",)

    @post("/bookings/{booking_id:uuid}/inspection", access=permission(DESK), idempotent=True)
    async def begin(self, session: Session, booking_id: FromPath[UUID]) -> Response[InspectionView]:
        """The draft of the check-out or check-in that is due: the one there is, or a new one."""
        made = await drafts.begin(session, booking_id)
        return versioned(await _shown(session, made.id), 201)

    @get("/vehicles/{vehicle_id:uuid}/damages", access=permission(DESK))
    async def history(self, session: Session, vehicle_id: FromPath[UUID]) -> Listing[DamageView]:
        """The damage of a car: what is not mended first, then the newest."""
        await fleet.vehicle(session, vehicle_id)
        found = await marks.history(session, vehicle_id)
        return Listing([DamageView.of(each) for each in found])

    @post("/damages/{damage_id:uuid}/repair", access=permission(FLEET), idempotent=True)
    async def mend(
        self, request: AnyRequest, session: Session, damage_id: FromPath[UUID]
    ) -> Response[DamageView]:
        """Note that damage is mended."""
        found = await marks.mend(session, damage_id, expected(request))
        return versioned(DamageView.of(found), 201)


CONTROLLERS = (Inspections, Damages)

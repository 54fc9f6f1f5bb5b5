"""The papers of cars: on each car's page, those that lapse soon, and the API."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

import filetype
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError, Invalid
from core.i18n import _
from core.permissions import permission
from core.scope import Tenant
from core.storage import services as storage
from core.web.api import Listing, expected
from core.web.forms import Bound, blank
from core.web.forms.files import posted_with_file
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import VehicleDocument
from plugins.car_hire.routes.http import API, DESK, FLEET, AnyRequest, shown_again, versioned
from plugins.car_hire.routes.saving import seen_version
from plugins.car_hire.routes.views import RowView
from plugins.car_hire.schemas_vehicles import DocumentInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.vehicles import documents

PATH: Final = "/car-hire/desk/fleet"
LARGEST: Final = 10_000_000
"""Bytes of a scanned paper."""
_ROOM: Final = 100_000
"""For the other fields beside the file."""
_TOO_LARGE: Final = _("This file is larger than 10 MB")
_TAKEN: Final = frozenset({"application/pdf", "image/jpeg", "image/png", "image/webp"})
Session = NamedDependency[AsyncSession]


class DocumentView(RowView, frozen=True, kw_only=True):
    """One of a car's papers; ``file_id`` null has no scan."""

    id: UUID
    version: int
    vehicle_id: UUID
    kind: str
    number: str
    valid_until: date | None
    required: bool
    notes: str
    file_id: UUID | None


class Lapsing(Controller):
    """Papers that lapse."""

    path = PATH
    include_in_schema = False

    @get("/documents", access=permission(DESK))
    async def soon(self, session: Session, branch_id: FromQuery[UUID | None] = None) -> Page:
        """What has lapsed or will before long, the first first."""
        shown = {
            "rows": await documents.soon(session, branch_id),
            "branch_id": branch_id,
            "branch_names": (await network.read(session)).told,
            "today": _today(session),
        }
        return Page("car_hire/desk/vehicles/lapsing.html", shown)


class Documents(Controller):
    """The papers of one car."""

    path = f"{PATH}/{{vehicle_id:uuid}}/documents"
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(self, session: Session, vehicle_id: FromPath[UUID]) -> Page:
        """Every paper, and a form for one more."""
        return await _page(session, vehicle_id, blank(DocumentInput, {"required": True}))

    @post(access=permission(FLEET), request_max_body_size=LARGEST + _ROOM)
    async def add(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Note a paper, with its scan."""
        form, content = await posted_with_file(request, DocumentInput, "file", _TOO_LARGE)
        try:
            given = form.value
            await fleet.vehicle(session, vehicle_id)
            file_id = await _kept(session, content)
            await documents.add(session, vehicle_id, given, file_id)
        except DomainError as error:
            return await _page(session, vehicle_id, form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/{vehicle_id}/documents", flash=_("The paper is noted"))

    @get("/{document_id:uuid}", access=permission(FLEET))
    async def show(
        self, session: Session, vehicle_id: FromPath[UUID], document_id: FromPath[UUID]
    ) -> Page:
        """One paper, to be corrected."""
        found = await documents.one(session, vehicle_id, document_id)
        known = {name: getattr(found, name) for name in DocumentInput.__struct_fields__}
        return await _page(session, vehicle_id, blank(DocumentInput, known), found)

    @post("/{document_id:uuid}", access=permission(FLEET), request_max_body_size=LARGEST + _ROOM)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        vehicle_id: FromPath[UUID],
        document_id: FromPath[UUID],
    ) -> Page | SeeOther:
        """Correct it; a new scan takes the place of the old one."""
        form, content = await posted_with_file(request, DocumentInput, "file", _TOO_LARGE)
        found = await documents.one(session, vehicle_id, document_id)
        seen = await seen_version(request)
        try:
            given = form.value
            file_id = await _kept(session, content)
            await documents.change(session, vehicle_id, document_id, given, seen, file_id)
        except DomainError as error:
            form = shown_again(form, error, seen)
            return await _page(session, vehicle_id, form, found, error.status)
        return SeeOther(f"{PATH}/{vehicle_id}/documents", flash=_("Saved"))

    @post("/{document_id:uuid}/removal", access=permission(FLEET))
    async def remove(
        self, session: Session, vehicle_id: FromPath[UUID], document_id: FromPath[UUID]
    ) -> SeeOther:
        """Forget a paper and its scan."""
        await documents.remove(session, vehicle_id, document_id)
        return SeeOther(f"{PATH}/{vehicle_id}/documents", flash=_("The paper is removed"))


class Api(Controller):
    """The papers of cars."""

    path = f"{API}/vehicles/{{vehicle_id:uuid}}/documents"
    tags = ("Car hire",)

    @get(access=permission(DESK))
    async def listing(self, session: Session, vehicle_id: FromPath[UUID]) -> Listing[DocumentView]:
        """Every paper of a car; scans are at ``/api/v1/files/{file_id}``."""
        await fleet.vehicle(session, vehicle_id)
        rows = await documents.of_vehicle(session, vehicle_id)
        return Listing([DocumentView.of(each) for each in rows])

    @post(access=permission(FLEET), idempotent=True)
    async def add(
        self, session: Session, vehicle_id: FromPath[UUID], data: JSONBody[DocumentInput]
    ) -> Response[DocumentView]:
        """Note a paper."""
        made = await documents.add(session, vehicle_id, data)
        return versioned(DocumentView.of(made), 201)

    @put("/{document_id:uuid}", access=permission(FLEET))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        vehicle_id: FromPath[UUID],
        document_id: FromPath[UUID],
        data: JSONBody[DocumentInput],
    ) -> Response[DocumentView]:
        """Correct a paper; If-Match guards against overwriting somebody else's change."""
        seen = expected(request)
        found = await documents.change(session, vehicle_id, document_id, data, seen)
        return versioned(DocumentView.of(found))

    @delete("/{document_id:uuid}", access=permission(FLEET))
    async def remove(
        self, session: Session, vehicle_id: FromPath[UUID], document_id: FromPath[UUID]
    ) -> None:
        """Forget a paper and its scan."""
        await documents.remove(session, vehicle_id, document_id)


async def _kept(session: AsyncSession, content: bytes | None) -> UUID | None:
    if content is None:
        return None
    if len(content) > LARGEST:
        raise Invalid(_TOO_LARGE, field="file")
    kind = filetype.guess(content[:4096])
    if kind is None or kind.mime not in _TAKEN:
        raise Invalid(_("Choose a PDF or a picture (JPEG, PNG or WebP)"), field="file")
    kept = await storage.keep(session, documents.AREA, f"scan.{kind.extension}", content)
    return kept.id


def _today(session: AsyncSession) -> date:
    tenant: Tenant = session.info["tenant"]
    return clock.today(tenant.zone)


async def _page(
    session: AsyncSession,
    vehicle_id: UUID,
    form: Bound[DocumentInput],
    found: VehicleDocument | None = None,
    status: int = 200,
) -> Page:
    shown = {
        "vehicle": await fleet.vehicle(session, vehicle_id),
        "rows": () if found else await documents.of_vehicle(session, vehicle_id),
        "found": found,
        "form": form,
        "today": _today(session),
    }
    return Page("car_hire/desk/vehicles/documents.html", shown, status=status)


CONTROLLERS = (Lapsing, Documents, Api)

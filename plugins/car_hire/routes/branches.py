"""Branches: the owner's pages, where a car stands, and the API."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission, public
from core.web.api import Listing, expected
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import Branch
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, BRANCHES, DESK, AnyRequest, is_desk, versioned
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.schemas_branches import BranchInput, DayInput, PlaceInput, StaffInput
from plugins.car_hire.services.branches import keeping, moving, reach

PATH = "/car-hire/desk/branches"
FLEET_PATH = "/car-hire/desk/fleet"
Session = NamedDependency[AsyncSession]
ACCESS = permission(BRANCHES)


class Branches(Controller):
    """Where the firm is, and when."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(self, session: Session) -> Page:
        """Every branch, with how many cars stand there."""
        rows, cars = await keeping.every(session), await keeping.cars_at(session)
        return Page("car_hire/desk/branches.html", {"rows": rows, "cars": cars})

    @get("/new", access=ACCESS)
    async def new(self, session: Session) -> Page:
        """A form for a branch."""
        return await _branch_page(session, blank(BranchInput))

    @post("/new", access=ACCESS, idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add a branch."""
        return await save_form(
            request,
            BranchInput,
            partial(keeping.add, session),
            partial(_branch_page, session),
            PATH,
            _("The branch is added"),
        )

    @get("/{branch_id:uuid}", access=ACCESS)
    async def show(self, session: Session, branch_id: FromPath[UUID]) -> Page:
        """One branch, its hours and its special days."""
        form = blank(BranchInput, _typed(await keeping.one(session, branch_id)))
        return await _branch_page(session, form, branch_id)

    @post("/{branch_id:uuid}", access=ACCESS)
    async def change(
        self, request: AnyRequest, session: Session, branch_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change a branch."""
        return await save_form(
            request,
            BranchInput,
            partial(keeping.change, session, branch_id, expected=await seen_version(request)),
            partial(_branch_page, session, branch_id=branch_id),
            f"{PATH}/{branch_id}",
            _("Saved"),
        )

    @post("/{branch_id:uuid}/staff", access=ACCESS)
    async def staff(
        self, request: AnyRequest, session: Session, branch_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Say who works at the branch; whoever works at none sees them all."""
        form = await posted(request, StaffInput)
        try:
            await reach.bind_to(session, branch_id, form.value.user_ids)
        except DomainError as error:
            kept = blank(BranchInput, _typed(await keeping.one(session, branch_id)))
            form.refuse(error)
            return await _branch_page(session, kept, branch_id, error.status, staff=form)
        return SeeOther(f"{PATH}/{branch_id}", flash=_("Saved"))

    @post("/{branch_id:uuid}/days", access=ACCESS, idempotent=True)
    async def add_day(
        self, request: AnyRequest, session: Session, branch_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Keep other hours on a day."""
        form = await posted(request, DayInput)
        try:
            await keeping.add_day(session, branch_id, form.value)
        except DomainError as error:
            kept = blank(BranchInput, _typed(await keeping.one(session, branch_id)))
            return await _branch_page(
                session, kept, branch_id, error.status, day=form.refuse(error)
            )
        return SeeOther(f"{PATH}/{branch_id}", flash=_("Saved"))

    @post("/{branch_id:uuid}/days/{day_id:uuid}/removal", access=ACCESS)
    async def remove_day(
        self, session: Session, branch_id: FromPath[UUID], day_id: FromPath[UUID]
    ) -> SeeOther:
        """The day is like any other again."""
        await keeping.remove_day(session, branch_id, day_id)
        return SeeOther(f"{PATH}/{branch_id}", flash=_("The day has its usual hours again"))


class Places(Controller):
    """Where cars stand."""

    path = FLEET_PATH
    include_in_schema = False

    @post("/{vehicle_id:uuid}/place", access=permission(DESK))
    async def seen(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> SeeOther:
        """Somebody sees the car at a branch."""
        form = await posted(request, PlaceInput)
        await moving.seen_at(session, vehicle_id, form.value.branch_id)
        return SeeOther(f"{FLEET_PATH}/{vehicle_id}", flash=_("Noted where the car stands"))


class Api(Controller):
    """Branches."""

    path = f"{API}/branches"
    tags = ("Car hire",)

    @get(access=public)
    async def listing(self, session: Session) -> Listing[views.BranchView]:
        """Where cars are picked up and brought back; customers see those in use."""
        rows = [each for each in await keeping.every(session) if each.in_use or is_desk()]
        return Listing([_view(each) for each in rows])

    @post(access=ACCESS, idempotent=True)
    async def add(
        self, session: Session, data: JSONBody[BranchInput]
    ) -> Response[views.BranchView]:
        """Add a branch."""
        return versioned(_view(await keeping.add(session, data)), 201)

    @get("/{branch_id:uuid}", access=public)
    async def show(self, session: Session, branch_id: FromPath[UUID]) -> Response[views.BranchView]:
        """One branch."""
        return versioned(_view(await keeping.one(session, branch_id)))

    @put("/{branch_id:uuid}", access=ACCESS)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        branch_id: FromPath[UUID],
        data: JSONBody[BranchInput],
    ) -> Response[views.BranchView]:
        """Change a branch; If-Match guards against overwriting somebody else's change."""
        found = await keeping.change(session, branch_id, data, expected(request))
        return versioned(_view(found))


def _typed(branch: Branch) -> dict[str, Any]:
    plain = (name for name in BranchInput.__struct_fields__ if hasattr(branch, name))
    return {name: getattr(branch, name) for name in plain} | keeping.shown(branch)


def _view(branch: Branch) -> views.BranchView:
    return views.BranchView(id=branch.id, version=branch.version, **_typed(branch))


async def _branch_page(
    session: AsyncSession,
    form: Bound[BranchInput],
    branch_id: UUID | None = None,
    status: int = 200,
    *,
    day: Bound[DayInput] | None = None,
    staff: Bound[StaffInput] | None = None,
) -> Page:
    found = await keeping.one(session, branch_id) if branch_id else None
    bound = [str(each) for each in await reach.bound_to(session, branch_id)] if branch_id else []
    people = await reach.people(session) if branch_id else ()
    return Page(
        "car_hire/desk/branch.html",
        {
            "form": form,
            "found": found,
            "days": await keeping.days_of(session, branch_id) if branch_id else (),
            "told": keeping.told,
            "day_form": replace(day or blank(DayInput), id="day"),
            "staff_form": staff or blank(StaffInput, {"user_ids": bound}),
            "staff_names": {str(each.id): each.name for each in people},
        },
        status=status,
    )


CONTROLLERS = (Branches, Places, Api)

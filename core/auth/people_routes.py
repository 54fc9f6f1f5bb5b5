"""The people of a tenant, for those who may manage them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.auth import people
from core.auth.authority import Authority
from core.auth.forms import ROLE_NAMES, InviteForm, PeopleSearch, PersonForm
from core.auth.models import User
from core.auth.people import PeopleFilter
from core.auth.web import dependencies, refused, searched
from core.errors import DomainError, NotFound
from core.i18n import _
from core.permissions import MANAGE_PEOPLE, Role, permission
from core.scope import Directory, Tenant
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from core.web.slots import PERSON, Slots

PATH = "/settings/people"
_ACCESS = permission(MANAGE_PEOPLE.name)


class People(Controller):
    """``/settings/people``."""

    path = PATH
    dependencies = dependencies
    include_in_schema = False

    @get(access=_ACCESS)
    async def show(
        self, request: AnyRequest, session: Session, cursor: FromQuery[UUID | None] = None
    ) -> Page:
        """Everybody, or those searched for."""
        form = searched(request, PeopleSearch)
        wanted = PeopleFilter()
        if form.ok:
            role = Role(form.value.role) if form.value.role else None
            wanted = PeopleFilter(text=form.value.q or "", role=role)
        found, following = await people.find(session, wanted, cursor)
        context = {"form": form, "people": found, "next": following, "first": cursor is not None}
        return Page("auth/people.html", context | {"roles": ROLE_NAMES}, block="results")

    @get("/invite", access=_ACCESS)
    async def invite_form(self) -> Page:
        """The form for a new colleague."""
        return Page("auth/invite.html", {"form": blank(InviteForm), "roles": _roles()})

    @post("/invite", access=_ACCESS)
    async def invite(
        self, request: AnyRequest, session: Session, tenant: NamedDependency[Tenant]
    ) -> Page:
        """Add them, and show the link by which they choose a password."""
        form = await posted(request, InviteForm)
        try:
            given = form.value
            invited = await people.invite(
                session,
                identities.required(),
                email=given.email,
                name=given.name,
                role=Role(given.role),
            )
        except DomainError as error:
            return refused("auth/invite.html", form, error, roles=_roles())
        return await _link(request, session, tenant, invited)

    @get("/{person_id:uuid}", access=_ACCESS)
    async def person(
        self, session: Session, slots: NamedDependency[Slots], person_id: FromPath[UUID]
    ) -> Page:
        """One person."""
        found = await _person(session, person_id)
        form = blank(PersonForm, {"name": found.name, "role": found.role})
        return Page("auth/person.html", await _person_context(slots, found, form))

    @post("/{person_id:uuid}", access=_ACCESS)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        authority: NamedDependency[Authority],
        slots: NamedDependency[Slots],
        person_id: FromPath[UUID],
    ) -> Page | SeeOther:
        """Correct the name, give another role."""
        form, actor = await posted(request, PersonForm), identities.required()
        try:
            given = form.value
            await people.change_role(session, authority, actor, person_id, Role(given.role))
            await people.rename(session, authority, actor, person_id, given.name)
        except NotFound:
            raise
        except DomainError as error:
            found = await _person(session, person_id)
            context = await _person_context(slots, found, form)
            return refused("auth/person.html", form, error, **context)
        return SeeOther(f"{PATH}/{person_id}", flash=_("The person was changed."))

    @post("/{person_id:uuid}/disable", access=_ACCESS)
    async def disable(
        self, session: Session, authority: NamedDependency[Authority], person_id: FromPath[UUID]
    ) -> SeeOther:
        """Let them in no more."""
        await people.disable(session, authority, identities.required(), person_id)
        return SeeOther(f"{PATH}/{person_id}", flash=_("This person can no longer sign in."))

    @post("/{person_id:uuid}/enable", access=_ACCESS)
    async def enable(self, session: Session, person_id: FromPath[UUID]) -> SeeOther:
        """Let them in again."""
        await people.enable(session, identities.required(), person_id)
        return SeeOther(f"{PATH}/{person_id}", flash=_("This person can sign in again."))

    @post("/{person_id:uuid}/invite", access=_ACCESS)
    async def invite_again(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        person_id: FromPath[UUID],
    ) -> Page:
        """A fresh link for somebody who has no password yet."""
        invited = await people.invite_again(session, identities.required(), person_id)
        return await _link(request, session, tenant, invited)


async def _link(
    request: AnyRequest, session: AsyncSession, tenant: Tenant, invited: people.Invited
) -> Page:
    directory: Directory = request.app.state["directory"]
    path = f"/invitation?token={quote(invited.token)}"
    return Page(
        "auth/invited.html",
        {
            "person": await _person(session, invited.user_id),
            "link": directory.url_of(tenant, path),
        },
    )


async def _person(session: AsyncSession, person_id: UUID) -> User:
    found = await session.get(User, person_id)
    if found is None:
        raise NotFound
    return found


async def _person_context(slots: Slots, person: User, form: Bound[PersonForm]) -> dict[str, Any]:
    return {
        "person": person,
        "form": form,
        "roles": _roles(),
        "role_names": ROLE_NAMES,
        "is_self": person.id == identities.required().user_id,
        "added": await slots.fill(PERSON, person_id=person.id),
    }


def _roles() -> list[tuple[str, Any]]:
    """The roles that the present person may give."""
    mine = identities.required().role
    return [
        (value, name)
        for value, name in ROLE_NAMES.items()
        if value != Role.OWNER.value or mine is Role.OWNER
    ]

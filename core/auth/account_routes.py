"""One's own account: name, language, password, and where one is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.auth import services
from core.auth.authority import Authority
from core.auth.forms import PasswordForm, ProfileForm
from core.auth.identity import Identity
from core.auth.web import dependencies, refused, session_cookie, shell_of
from core.errors import DomainError
from core.i18n import _
from core.permissions import member
from core.web.forms import blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from core.web.slots import ACCOUNT, Slots

PATH = "/account"
_TEMPLATE = "auth/account.html"


class Account(Controller):
    """``/account``."""

    path = PATH
    dependencies = dependencies
    include_in_schema = False

    @get(access=member)
    async def show(self, session: Session, slots: NamedDependency[Slots]) -> Page:
        """Everything about one's account on one page."""
        return Page(_TEMPLATE, await _context(session, slots, identities.required()))

    @post(access=member)
    async def save(
        self,
        request: AnyRequest,
        session: Session,
        authority: NamedDependency[Authority],
        slots: NamedDependency[Slots],
    ) -> Page | SeeOther:
        """Change name and language."""
        identity = identities.required()
        form = await posted(request, ProfileForm)
        try:
            given = form.value
            await services.update_profile(
                session, authority, identity, name=given.name, locale=given.locale
            )
        except DomainError as error:
            context = await _context(session, slots, identity) | {"profile": form}
            return refused(_TEMPLATE, form, error, **context)
        return SeeOther(PATH, flash=_("Your account was changed."))

    @post("/password", access=member)
    async def change_password(
        self,
        request: AnyRequest,
        session: Session,
        authority: NamedDependency[Authority],
        slots: NamedDependency[Slots],
    ) -> Page | SeeOther:
        """Choose another password; every other browser is signed out."""
        identity = identities.required()
        form = await posted(request, PasswordForm)
        form.id = "password"
        try:
            given = form.value
            renewed = await services.change_password(
                session, authority, identity, current=given.current or "", new=given.new
            )
        except DomainError as error:
            context = await _context(session, slots, identity) | {"password": form}
            return refused(_TEMPLATE, form, error, **context)
        return SeeOther(
            PATH,
            flash=_("Your password was changed. Everywhere else you are signed out."),
            cookies=[session_cookie(authority, renewed.token)],
        )

    @post("/sessions/end-others", access=member)
    async def end_others(self, session: Session, authority: NamedDependency[Authority]) -> SeeOther:
        """Sign out everywhere but here."""
        await services.end_other_sessions(session, authority, identities.required())
        return SeeOther(PATH, flash=_("Everywhere else you are signed out."))

    @post("/sessions/{session_id:uuid}/end", access=member)
    async def end_one(
        self, session: Session, authority: NamedDependency[Authority], session_id: FromPath[UUID]
    ) -> SeeOther:
        """Sign one browser or program out."""
        await services.end_session(session, authority, identities.required(), session_id)
        return SeeOther(PATH, flash=_("That session was ended."))


async def _context(session: AsyncSession, slots: Slots, identity: Identity) -> dict[str, Any]:
    person = await services.person(session, identity.user_id)
    password = blank(PasswordForm)
    password.id = "password"
    return {
        "around": shell_of(identity),
        "profile": blank(ProfileForm, {"name": person.name, "locale": person.locale}),
        "password": password,
        "has_password": person.password_hash is not None,
        "email": person.email,
        "is_confirmed": person.email_confirmed_at is not None,
        "sessions": await services.own_sessions(session, identity),
        "here": identity.session_id,
        "added": await slots.fill(ACCOUNT),
    }

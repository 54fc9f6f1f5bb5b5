"""Coming in and going out: sign-in, sign-up, invitations, and the way in from the portal."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from core import terms
from core.auth import entry, people, recovery, services
from core.auth.authority import Authority
from core.auth.forms import EntryForm, InvitationForm, SignInForm, SignUpForm
from core.auth.guard import SIGN_IN, safe_next
from core.auth.identity import Identity
from core.auth.recovery_routes import CONFIRM
from core.auth.web import (
    SECRET_ADDRESS,
    address_of,
    dependencies,
    drop_previous,
    landing,
    let_in,
    refused,
    spent_cookie,
)
from core.errors import DomainError
from core.i18n import _
from core.permissions import public
from core.scope import Tenant
from core.terms.web import onward
from core.web.forms import blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther


class SignIn(Controller):
    """E-mail and password."""

    dependencies = dependencies
    include_in_schema = False

    @get(SIGN_IN, access=public)
    async def show(
        self,
        request: AnyRequest,
        identity: NamedDependency[Identity | None],
        tenant: NamedDependency[Tenant],
        next: FromQuery[str | None] = None,  # noqa: A002  # the parameter's name in addresses
    ) -> Page | SeeOther:
        """The form; whoever is signed in already goes on."""
        if identity is not None:
            return SeeOther(safe_next(next, landing(request, identity)))
        form = blank(SignInForm, {"next": safe_next(next, "")})
        return Page("auth/sign_in.html", _sign_in_context(tenant) | {"form": form})

    @post(SIGN_IN, access=public)
    async def submit(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        authority: NamedDependency[Authority],
    ) -> Page | SeeOther:
        """Begin a session, or say that it cannot be."""
        form = await posted(request, SignInForm)
        try:
            given = form.value
            signed_in = await services.sign_in(
                session, authority, email=given.email, password=given.password
            )
        except DomainError as error:
            return refused("auth/sign_in.html", form, error, **_sign_in_context(tenant))
        await drop_previous(request, session, authority)
        target = await onward(session, signed_in.identity, given.next)
        return let_in(request, authority, signed_in, target)

    @post("/sign-out", access=public)
    async def sign_out(
        self,
        session: Session,
        identity: NamedDependency[Identity | None],
        authority: NamedDependency[Authority],
    ) -> SeeOther:
        """End the session; whoever has none any more gets the same answer."""
        if identity is not None:
            await services.sign_out(session, authority, identity)
        cookies = [spent_cookie(authority)]
        return SeeOther("/", flash=_("You are signed out."), cookies=cookies)


def _sign_in_context(tenant: Tenant) -> dict[str, Any]:
    return {"may_register": not tenant.is_platform}


class SignUp(Controller):
    """Customers of a tenant make their own account; the portal's come from its wizard."""

    path = "/sign-up"
    dependencies = dependencies
    include_in_schema = False

    @get(access=public)
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        identity: NamedDependency[Identity | None],
        next: FromQuery[str | None] = None,  # noqa: A002  # the parameter's name in addresses
    ) -> Page | SeeOther:
        """The form."""
        if identity is not None:
            return SeeOther(safe_next(next, landing(request, identity)))
        form = blank(SignUpForm, {"next": safe_next(next, "")})
        return Page("auth/sign_up.html", {"form": form, "editions": await terms.current(session)})

    @post(access=public)
    async def submit(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        authority: NamedDependency[Authority],
    ) -> Page | SeeOther:
        """Make the account, sign its owner in, and send them a letter to confirm the address."""
        form = await posted(request, SignUpForm)
        editions = await terms.current(session)
        try:
            given = form.value
            terms.insist_accepted(editions, given.terms)
            signed_in = await services.register(
                session, authority, email=given.email, name=given.name, password=given.password
            )
        except DomainError as error:
            return refused("auth/sign_up.html", form, error, editions=editions)
        await terms.accept(session, signed_in.identity.user_id, editions, given.terms)
        link = address_of(request, tenant, CONFIRM)
        await recovery.welcome(session, authority, signed_in.identity.user_id, link)
        await drop_previous(request, session, authority)
        return let_in(request, authority, signed_in, given.next)


class Entry(Controller):
    """One-time tokens in addresses."""

    dependencies = dependencies
    include_in_schema = False

    @get("/enter", access=public, response_headers=SECRET_ADDRESS)
    async def ask(
        self,
        session: Session,
        token: FromQuery[str] = "",
        next: FromQuery[str | None] = None,  # noqa: A002  # the parameter's name in addresses
    ) -> Page:
        """Whom a link would sign in: following one signs nobody in, nor does looking at it."""
        person = await entry.holder(session, token, "enter")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        form = blank(EntryForm, {"token": token, "next": safe_next(next, "")})
        return Page("auth/enter.html", {"form": form, "person": person})

    @post("/enter", access=public, from_portal=True, response_headers=SECRET_ADDRESS)
    async def enter(
        self, request: AnyRequest, session: Session, authority: NamedDependency[Authority]
    ) -> Page | SeeOther:
        """From the portal into this tenant: a fresh session for whoever brings the token."""
        form = await posted(request, EntryForm)
        token = str(form.raw.get("token", ""))
        user_id = await entry.consume(session, token, "enter") if form.ok else None
        if user_id is None:
            return Page("auth/entry_over.html", status=410)
        await drop_previous(request, session, authority)
        signed_in = await services.enter(session, authority, user_id, "core.entered")
        target = await onward(session, signed_in.identity, form.value.next)
        return let_in(request, authority, signed_in, target)

    @get("/invitation", access=public, response_headers=SECRET_ADDRESS)
    async def invitation(self, session: Session, token: FromQuery[str] = "") -> Page:
        """Whom the invitation is for, and a field for their password."""
        person = await entry.holder(session, token, "invite")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        form = blank(InvitationForm, {"token": token})
        return Page("auth/invitation.html", {"form": form, "person": person})

    @post("/invitation", access=public, response_headers=SECRET_ADDRESS)
    async def accept(
        self, request: AnyRequest, session: Session, authority: NamedDependency[Authority]
    ) -> Page | SeeOther:
        """Choose the password and come in."""
        form = await posted(request, InvitationForm)
        person = await entry.holder(session, str(form.raw.get("token", "")), "invite")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        try:
            given = form.value
            signed_in = await people.accept_invitation(
                session, authority, token=given.token, password=given.password
            )
        except DomainError as error:
            return refused("auth/invitation.html", form, error, person=person)
        await drop_previous(request, session, authority)
        target = await onward(session, signed_in.identity, None)
        return let_in(request, authority, signed_in, target)

"""Lost passwords, and addresses to be confirmed: by links that came with the mail."""

from __future__ import annotations

from typing import Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from core.auth import entry, recovery
from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.forms import ConfirmForm, ForgottenForm, ResetForm
from core.auth.identity import Identity
from core.auth.web import SECRET_ADDRESS, address_of, dependencies, drop_previous, let_in, refused
from core.errors import DomainError
from core.i18n import _, fill, locale
from core.permissions import member, public
from core.scope import Tenant
from core.web.forms import blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther

FORGOTTEN: Final = "/password/forgotten"
RESET: Final = "/password/reset"
CONFIRM: Final = "/account/email"


class LostPassword(Controller):
    """From "Forgot your password?" to a new one."""

    dependencies = dependencies
    include_in_schema = False

    @get(FORGOTTEN, access=public)
    async def ask(self) -> Page:
        """For whom?"""
        return Page("auth/forgotten.html", {"form": blank(ForgottenForm)})

    @post(FORGOTTEN, access=public, status_code=200)
    async def send(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        authority: NamedDependency[Authority],
    ) -> Page:
        """Have the letter sent; the answer is the same whether or not there is an account."""
        form = await posted(request, ForgottenForm)
        link = address_of(request, tenant, RESET)
        try:
            email = form.value.email
            await recovery.ask_reset(session, authority, email=email, link=link, locale=locale())
        except DomainError as error:
            return refused("auth/forgotten.html", form, error)
        return Page("auth/letter_sent.html", {"email": email})

    @get(RESET, access=public, response_headers=SECRET_ADDRESS)
    async def choose(self, session: Session, token: FromQuery[str] = "") -> Page:
        """A field for the new password; looking at it uses nothing up."""
        person = await entry.holder(session, token, "reset")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        form = blank(ResetForm, {"token": token})
        return Page("auth/reset.html", {"form": form, "email": person.email})

    @post(RESET, access=public, response_headers=SECRET_ADDRESS)
    async def reset(
        self, request: AnyRequest, session: Session, authority: NamedDependency[Authority]
    ) -> Page | SeeOther:
        """Choose the password and come in."""
        form = await posted(request, ResetForm)
        person = await entry.holder(session, str(form.raw.get("token", "")), "reset")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        email = person.email
        try:
            given = form.value
            signed_in = await recovery.reset(
                session, authority, token=given.token, password=given.password
            )
        except DomainError as error:
            return refused("auth/reset.html", form, error, email=email)
        await drop_previous(request, session, authority)
        return let_in(request, authority, signed_in, None)


class EmailConfirmation(Controller):
    """Whether an address is its owner's."""

    path = CONFIRM
    dependencies = dependencies
    include_in_schema = False

    @get(access=public, response_headers=SECRET_ADDRESS)
    async def ask(self, session: Session, token: FromQuery[str] = "") -> Page:
        """The address and a button: following the link alone confirms nothing."""
        person = await entry.holder(session, token, "confirm")
        if person is None:
            return Page("auth/entry_over.html", status=410)
        form = blank(ConfirmForm, {"token": token})
        return Page("auth/confirm_email.html", {"form": form, "email": person.email})

    @post(access=public, response_headers=SECRET_ADDRESS)
    async def confirm(
        self, request: AnyRequest, session: Session, identity: NamedDependency[Identity | None]
    ) -> Page | SeeOther:
        """It is."""
        form = await posted(request, ConfirmForm)
        try:
            await recovery.confirm(session, str(form.raw.get("token", "")))
        except recovery.LinkOver:
            return Page("auth/entry_over.html", status=410)
        flash = _("Your e-mail address is confirmed.")
        return SeeOther("/account" if identity else "/sign-in", flash=flash)

    @post("/send-again", access=member)
    async def send_again(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        authority: NamedDependency[Authority],
    ) -> SeeOther:
        """Another letter."""
        identity = identities.required()
        link = address_of(request, tenant, CONFIRM)
        await recovery.ask_confirmation_again(session, authority, identity, link)
        sent = fill(_("A letter with a link is on its way to {email}."), email=identity.email)
        return SeeOther("/account", flash=sent)

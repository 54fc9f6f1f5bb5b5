"""What people fill in about themselves and about each other."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from core.i18n import LazyText, _
from core.permissions import Role
from core.terms.fields import Accepted
from core.web.forms import Form, choice, email, password, text

ROLE_NAMES: Final[dict[str, LazyText]] = {
    Role.OWNER.value: _("Owner"),
    Role.ADMIN.value: _("Administrator"),
    Role.STAFF.value: _("Staff"),
    Role.MEMBER.value: _("Customer"),
}
_LANGUAGES: Final = {"en": "English", "pt": "Português"}
_PASSWORD_HINT: Final = _("At least 10 characters. A few words in a row are easy to remember.")

_Email = Annotated[str, email(_("E-mail address"))]
_Name = Annotated[str, text(_("Name"), max=100, autocomplete="name")]
_Role = Annotated[Literal["owner", "admin", "staff", "member"], choice(_("Role"), ROLE_NAMES)]
_NewPassword = Annotated[str, password(_("Password"), new=True, hint=_PASSWORD_HINT)]
_Next = Annotated[str, text(_("Then go to"), max=2000, input="hidden")]


class SignInForm(Form):
    """Who claims to be whom."""

    email: _Email
    password: Annotated[str, password(_("Password"), new=False)]
    next: _Next | None = None


class SignUpForm(Form):
    """A customer's own account."""

    name: _Name
    email: _Email
    password: _NewPassword
    terms: Accepted | None = None
    next: _Next | None = None


class EntryForm(Form):
    """The one-time token of somebody who comes from the portal."""

    token: Annotated[str, text(_("Token"), max=200, input="hidden")]
    next: _Next | None = None


class InvitationForm(Form):
    """The first password of somebody who was invited."""

    token: Annotated[str, text(_("Invitation"), max=200, input="hidden")]
    password: _NewPassword


class ForgottenForm(Form):
    """Whose password is lost."""

    email: _Email


class ResetForm(Form):
    """Another password, by whoever has the letter."""

    token: Annotated[str, text(_("Link"), max=200, input="hidden")]
    password: _NewPassword


class ConfirmForm(Form):
    """The token of a letter that proves an address."""

    token: Annotated[str, text(_("Link"), max=200, input="hidden")]


class ProfileForm(Form):
    """How one is called, and in which language one reads."""

    name: _Name
    locale: Annotated[Literal["en", "pt"], choice(_("Language"), _LANGUAGES)] | None = None


class PasswordForm(Form):
    """Another password, by whoever knows the present one (or never had one)."""

    new: Annotated[str, password(_("New password"), new=True, hint=_PASSWORD_HINT)]
    current: Annotated[str, password(_("Present password"), new=False)] | None = None


class InviteForm(Form):
    """A new colleague."""

    name: _Name
    email: _Email
    role: _Role = "staff"


class PersonForm(Form):
    """What an admin may correct about a person."""

    name: _Name
    role: _Role


class PeopleSearch(Form):
    """Whom to show."""

    q: Annotated[str, text(_("Search"), max=100, input="search")] | None = None
    role: _Role | None = None

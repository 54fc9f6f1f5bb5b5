"""What operators type, and what their programs send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from core.errors import FieldError, Invalid
from core.i18n import _
from core.web.forms import Form, choice, email, long_text, moment, text
from tenants import slugs
from tenants.lifecycle.serving import LONGEST_TEXT
from tenants.operator.services.notes import LONGEST
from tenants.portal.schemas import Currency, Zone

STATUSES = {
    "provisioning": _("Being built"),
    "active": _("Active"),
    "suspended": _("Suspended"),
    "closed": _("Closed"),
    "deleting": _("Being deleted"),
}
HOSTINGS = {"pooled": _("Shared database"), "dedicated": _("Database of its own")}
_SOUGHT_IN = _("Name, address, host or owner")
ACCESSES = {"read": _("Read"), "write": _("Read and write")}

Name = Annotated[str, text(_("Name of the business"), max=120)]
Slug = Annotated[str, text(_("Address"), min=slugs.SHORTEST, max=slugs.LONGEST)]
Plugins = Annotated[list[str], msgspec.Meta(extra={"label": _("Products")}, max_length=50)]
Reason = Annotated[
    str,
    text(_("Reason"), max=LONGEST_TEXT, hint=_("Its owners read this in the portal.")),
]
Message = Annotated[str, text(_("What customers read"), max=LONGEST_TEXT)]
Until = Annotated[datetime, moment(_("Planned end"))]


class TenantSearch(Form):
    """Which tenants to show."""

    q: Annotated[str, text(_("Search"), max=100, input="search", placeholder=_SOUGHT_IN)] | None = (
        None
    )
    status: Annotated[str, choice(_("Status"), STATUSES)] | None = None
    hosting: Annotated[str, choice(_("Hosting"), HOSTINGS)] | None = None
    database: Annotated[str, choice(_("Database"))] | None = None
    product: Annotated[str, choice(_("Product"))] | None = None


class Suspension(Form):
    """Why a tenant is not served any more."""

    reason: Reason | None = None


class MaintenancePlan(Form):
    """What customers read while they wait, and until when, by the tenant's clocks."""

    message: Message | None = None
    until: Until | None = None


class Deletion(Form):
    """That a tenant is to be deleted, said by typing its address."""

    confirm: Annotated[str, text(_("Its address, typed"), max=60)]


class Note(Form):
    """What other operators should know of a tenant."""

    text: Annotated[str, long_text(_("Note"), max=LONGEST)]


class NewToken(Form):
    """A token for a program."""

    name: Annotated[str, text(_("Name"), max=100, hint=_("Which program it is for."))]
    access: Annotated[Literal["read", "write"], choice(_("Access"), ACCESSES)] = "read"
    expires_at: Annotated[datetime, moment(_("Expires"))] | None = None


class NewOwner(Form):
    """Who owns a new tenant; who has no account of the portal gets one, and a letter."""

    email: Annotated[str, email(_("E-mail"))]
    name: Annotated[str, text(_("Name"), max=100)]


class NewTenant(Form):
    """A tenant to be made."""

    slug: Slug
    name: Name
    zone: Zone
    currency: Currency
    owner: NewOwner
    locale: Annotated[Literal["en", "pt"], choice(_("Language"))] = "en"
    country: Annotated[str, text(_("Country"), min=2, max=2, pattern="^[A-Z]{2}$")] | None = None
    plugins: Plugins = []  # noqa: RUF012  # msgspec copies it
    hosting: Annotated[Literal["pooled", "dedicated"], choice(_("Hosting"), HOSTINGS)] = "pooled"
    database: Annotated[str, text(_("Database"), max=60)] | None = None

    def check(self) -> Iterable[FieldError]:
        """The rules of an address, and that hosting and database belong together."""
        try:
            slugs.check(self.slug)
        except Invalid as problem:
            yield from problem.errors
        if self.hosting == "dedicated" and self.database is None:
            yield FieldError("database", _("Name the database that is to be this tenant's own"))


class TenantChanges(Form):
    """What may be changed of a tenant; what is absent stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    hosting: (
        Annotated[Literal["pooled", "dedicated"], choice(_("Hosting"), HOSTINGS)]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    plugins: Plugins | msgspec.UnsetType = msgspec.UNSET

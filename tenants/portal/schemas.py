"""What the portal's forms and API bodies hold, and what is asked of each field."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from core.errors import FieldError, Invalid
from core.i18n import _
from core.web.forms import Form, choice, email, file, moment, password, text
from tenants import slugs
from tenants.portal import choices

Zone = Annotated[
    str,
    text(_("Time zone"), max=64, placeholder=_("Type a city or country, such as Lisbon")),
]
Currency = Annotated[str, choice(_("Currency"))]
Color = Annotated[
    str,
    text(
        _("Brand colour"),
        max=7,
        pattern=r"^#[0-9a-fA-F]{6}$",
        hint=_("A colour such as #206bc4; buttons and links wear it."),
        input="color",
    ),
]


def _zone_errors(zone: str) -> Iterable[FieldError]:
    if zone not in choices.ZONES:
        yield FieldError("zone", _("Choose a time zone from the list, such as Europe/Lisbon."))


class Business(Form):
    """Who signs up, where its clocks stand and what it is paid in."""

    name: Annotated[
        str, text(_("Name of the business"), max=120, autocomplete="organization")
    ]  # fmt: skip
    zone: Zone
    currency: Currency
    country: Annotated[str, choice(_("Country"))] | None = None

    def check(self) -> Iterable[FieldError]:
        """Lists that are too long, or too changing, to be spelt out as a type."""
        yield from _zone_errors(self.zone)
        if self.currency not in choices.currencies():
            yield FieldError("currency", _("Choose a currency from the list."))
        if self.country is not None and self.country not in choices.countries():
            yield FieldError("country", _("Choose a country from the list."))


class Products(Form):
    """What it will work with."""

    products: Annotated[list[str], msgspec.Meta(extra={"label": _("Products")}, max_length=50)] = []  # noqa: RUF012  # msgspec copies it

    def check(self) -> Iterable[FieldError]:
        """A business without a product would have nothing to open."""
        if not self.products:
            yield FieldError("products", _("Choose at least one; you can add others later."))


class Hosting(Form):
    """Where its data lies."""

    hosting: Annotated[Literal["pooled", "dedicated"], choice(_("Hosting"), look="radio")] = (
        "pooled"
    )


class Address(Form):
    """Under which subdomain it is found."""

    slug: Annotated[
        str,
        text(
            _("Address"),
            min=slugs.SHORTEST,
            max=slugs.LONGEST,
            pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
            hint=_("3 to 40 small letters and digits, with single hyphens between them."),
        ),
    ]

    def check(self) -> Iterable[FieldError]:
        """The rules of a label that is not reserved."""
        try:
            slugs.check(self.slug)
        except Invalid as problem:
            yield from problem.errors


class _Person(Form):
    name: Annotated[str, text(_("Your name"), max=120, autocomplete="name")]
    email: Annotated[str, email(_("E-mail"))]


class Owner(_Person):
    """Who will own it: a new account."""

    password: Annotated[
        str,
        password(
            _("Password"), new=True, hint=_("A sentence is easy to remember and hard to guess.")
        ),
    ]


class KeptOwner(_Person):
    """The same, once a password was chosen: only its hash was kept, so it cannot be shown."""

    password: (
        Annotated[
            str,
            password(_("Password"), new=True, hint=_("Leave it empty to keep the one you chose.")),
        ]
        | None
    ) = None


class BusinessSettings(Form):
    """What an owner may change about a business at any time."""

    name: Annotated[str, text(_("Name of the business"), max=120)]
    zone: Zone
    locale: Annotated[
        Literal["en", "pt"],
        choice(_("Language of its site"), {"en": "English", "pt": "Português"}),
    ]

    def check(self) -> Iterable[FieldError]:
        """Time zones come from the machine's own list."""
        yield from _zone_errors(self.zone)


class Branding(Form):
    """How it looks; ``logo`` is a file, read apart."""

    color: Color
    logo: (
        Annotated[
            str,
            file(
                _("Logo"),
                accept="image/png,image/jpeg,image/webp",
                hint=_(
                    "PNG, JPEG or WebP, up to 2 MB; it is kept at most 512 pixels wide and high."
                ),
            ),
        ]
        | None
    ) = None


class NewBusiness(Form):
    """A business as a program orders it, for the account that calls."""

    name: Annotated[str, text(_("Name of the business"), max=120)]
    slug: Annotated[str, text(_("Address"), min=slugs.SHORTEST, max=slugs.LONGEST)]
    zone: Zone
    currency: Currency
    products: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)]
    country: Annotated[str, choice(_("Country"))] | None = None
    hosting: Literal["pooled", "dedicated"] = "pooled"

    def check(self) -> Iterable[FieldError]:
        """The same rules as in the wizard."""
        for part in (
            Business(name=self.name, zone=self.zone, currency=self.currency, country=self.country),
            Address(slug=self.slug),
        ):
            yield from part.check()


class MaintenancePlan(Form):
    """What customers read while they wait."""

    message: (
        Annotated[
            str,
            text(
                _("Message to customers"),
                max=300,
                placeholder=_("We are back soon. Nothing that you saved is lost."),
            ),
        ]
        | None
    ) = None
    until: (
        Annotated[
            datetime,
            moment(
                _("Planned end"),
                hint=_("By the clocks of the business. It only informs: you end it yourself."),
            ),
        ]
        | None
    ) = None


class NewAddress(Address):
    """Another subdomain, and the present one typed as a sign that it is meant."""

    confirm: Annotated[
        str, text(_("Type the present address to confirm"), max=slugs.LONGEST, autocomplete="off")
    ]


class NewDomain(Form):
    """A host name of the business's own."""

    host: Annotated[
        str,
        text(
            _("Domain"),
            max=300,
            placeholder="www.example.com",
            autocomplete="off",
            hint=_("With or without www: each name is added by itself."),
        ),
    ]


class SenderChoice(Form):
    """From which address letters come, under which name, and where answers go."""

    address: Annotated[
        str,
        text(
            _("Address of letters"),
            max=254,
            placeholder="desk@example.com",
            autocomplete="off",
            input="email",
            hint=_("It should have a mailbox: answers and undeliverable letters arrive there."),
        ),
    ]
    name: (
        Annotated[
            str,
            text(
                _("Name shown"),
                max=100,
                autocomplete="off",
                hint=_("Empty: the name of the business."),
            ),
        ]
        | None
    ) = None
    reply_to: (
        Annotated[
            str,
            text(
                _("Answers go to"),
                max=254,
                autocomplete="off",
                input="email",
                hint=_("Empty: to the address above."),
            ),
        ]
        | None
    ) = None


class DomainChange(Form):
    """Whether a domain is the main address."""

    primary: bool


class Confirmed(Form):
    """The address of the business, typed as a sign that something grave is meant."""

    confirm: Annotated[
        str, text(_("Type the address to confirm"), max=slugs.LONGEST, autocomplete="off")
    ]


class Passphrase(Form):
    """What opens the private part of an archive."""

    passphrase: Annotated[
        str,
        password(
            _("Passphrase"),
            new=True,
            hint=_("12 characters or more. We do not keep it: without it nobody opens that part."),
        ),
    ]


class NewCopy(Address):
    """Where a copy lives and what it is called."""

    name: Annotated[str, text(_("Name of the copy"), max=120)]


class ArchiveFile(Form):
    """An archive to be sent; the file is read apart, as it comes."""

    archive: (
        Annotated[
            str,
            file(
                _("Archive"),
                accept=".zip,application/zip",
                hint=_("The zip that an owner got from “Your data as a file”."),
            ),
        ]
        | None
    ) = None


class NewImport(Address):
    """What an archive becomes, and the passphrase that opens its private part."""

    name: Annotated[str, text(_("Name of the business"), max=120)]
    passphrase: Annotated[
        str,
        password(
            _("Passphrase of the archive"),
            new=False,
            hint=_("The one that was chosen when it was written."),
        ),
    ]


class Removal(Passphrase):
    """The archive's passphrase, and the word that it is meant."""

    confirm: Annotated[
        str, text(_("Type the address to confirm"), max=slugs.LONGEST, autocomplete="off")
    ]

"""What is typed or sent about extras, covers and what somebody takes of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, field

from core.errors import FieldError
from core.i18n import _
from core.web.forms.fields import Form, choice, long_text, moment, number, text, tick, whole
from plugins.car_hire.models import COVERS, EXTRA_KINDS, PER, SIDES
from plugins.car_hire.schemas_prices import Named

CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Quantity = Annotated[int, Meta(ge=0, le=99)]
Code = Annotated[str, Meta(max_length=40)]


class ExtraInput(Named, kw_only=True):
    """An extra or a cover with its price; amounts are net of tax, in the tenant's currency."""

    kind: Annotated[
        Literal["extra", "driver", "basic", "cover", "partial"], choice(_("Kind"), EXTRA_KINDS)
    ] = "extra"
    about_en: Annotated[str, long_text(_("Explained in English"), min=0, max=500)] = ""
    about_pt: Annotated[str, long_text(_("Explained in Portuguese"), min=0, max=500)] = ""
    price: Annotated[Decimal, number(_("Price"), min=0, max="9999999999", decimals=4)]
    per: Annotated[Literal["day", "hire"], choice(_("For"), PER)] = "day"
    cap: (
        Annotated[
            Decimal,
            number(
                _("At most"), min=0, max="9999999999", decimals=4, hint=_("For one, in one hire.")
            ),
        ]
        | None
    ) = None
    excess: (
        Annotated[
            Decimal,
            number(
                _("Excess"),
                min=0,
                max="9999999999",
                decimals=4,
                hint=_("What the customer still pays for each damage, at most."),
            ),
        ]
        | None
    ) = None
    effective_from: (
        Annotated[datetime, moment(_("Price counts from"), hint=_("Empty means now"))] | None
    ) = None
    stock: (
        Annotated[int, whole(_("How many there are"), max=9999, hint=_("Empty means any number."))]
        | None
    ) = None
    most: Annotated[int, whole(_("At most in one hire"), min=1, max=20)] = 1
    zones: Annotated[list[str], choice(_("Covers damage to"), SIDES, look="checkboxes")] = field(
        default_factory=list
    )
    class_ids: Annotated[
        list[UUID],
        choice(
            _("Only with these classes"),
            hint=_("None ticked means every class."),
            look="checkboxes",
        ),
    ] = field(default_factory=list)
    on_offer: Annotated[bool, tick(_("Customers may choose it"))] = True

    def check(self) -> Iterable[FieldError]:
        """A cover has an excess and zones, and only extras are counted."""
        yield from super().check()
        if self.kind in COVERS:
            if self.excess is None:
                yield FieldError("excess", _("Say what is left for the customer to pay, even 0"))
            if not self.zones:
                yield FieldError("zones", _("Say which parts of the car it covers"))
        if self.kind == "basic" and self.price:
            yield FieldError("price", _("A cover that is in every hire costs nothing more"))
        if self.kind != "extra" and self.stock is not None:
            yield FieldError("stock", _("Only extras are counted. Leave this empty"))
        if any(each not in SIDES for each in self.zones):
            yield FieldError("zones", _("There is no such part"))

    @property
    def about(self) -> dict[str, str]:
        """The explanation by locale."""
        given = {"en": self.about_en, "pt": self.about_pt}
        return {code: words for code, words in given.items() if words}


class NewExtraInput(ExtraInput, kw_only=True):
    """An extra that is added; its code stays for ever."""

    code: Annotated[
        str,
        text(
            _("Code"),
            max=40,
            pattern=CODE,
            hint=_("Small letters, digits and hyphens, such as child-seat. It never changes."),
        ),
    ]


class ChoicesInput(Form, kw_only=True):
    """What somebody takes with the car, and who drives; codes are those of extras and covers."""

    extras: dict[Code, Quantity] = field(default_factory=dict)
    """How many of each."""
    covers: Annotated[list[Code], choice(_("Cover"), look="checkboxes")] = field(
        default_factory=list
    )
    age: (
        Annotated[
            int,
            whole(
                _("Age of the driver"),
                min=16,
                max=120,
                hint=_("In full years at the pick-up."),
            ),
        ]
        | None
    ) = None
    ages: Annotated[
        list[Annotated[int, Meta(ge=16, le=120)]], choice(_("Ages of additional drivers"))
    ] = field(default_factory=list)
    """Of the additional drivers."""

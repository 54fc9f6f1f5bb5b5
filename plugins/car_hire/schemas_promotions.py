"""What is typed or sent about promotion codes, and what somebody types to pay less."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import field

from core.errors import FieldError
from core.i18n import _
from core.web.forms.fields import Form, choice, day, moment, number, text, tick, whole
from plugins.car_hire.schemas_extras import ChoicesInput
from plugins.car_hire.schemas_prices import Named

STUDENT: Final = "student"
"""What the students' discount goes by; codes that people type have capital letters."""
STUDENT_PROOFS: Final = {"card": _("Student card"), "letter": _("Letter of the school")}
CODE: Final = r"^\s*[A-Za-z0-9]+(-[A-Za-z0-9]+)*\s*$"


def spelt(code: str) -> str:
    """A code as it is kept, however somebody typed it."""
    return code.strip().upper()


class PromotionInput(Named, kw_only=True):
    """What a code takes off and what limits it; the amount is net of tax, in the tenant's
    currency, and percent are of the time charge."""

    percent: (
        Annotated[
            Decimal,
            number(
                _("Percent off"),
                min=0,
                max=100,
                decimals=2,
                unit="%",
                hint=_("Of the time charge, without extras and fees."),
            ),
        ]
        | None
    ) = None
    amount: (
        Annotated[
            Decimal,
            number(
                _("Or an amount off"),
                min=0,
                max="9999999",
                decimals=4,
                hint=_("Of each hire, before tax."),
            ),
        ]
        | None
    ) = None
    booked_from: Annotated[datetime, moment(_("Booked from"))] | None = None
    booked_to: Annotated[datetime, moment(_("Booked until"))] | None = None
    hired_from: (
        Annotated[date, day(_("Hires from"), hint=_("The first day of pick-up."))] | None
    ) = None
    hired_to: Annotated[date, day(_("Hires until"), hint=_("The last day of return."))] | None = (
        None
    )
    days_from: Annotated[int, whole(_("Days at least"), min=1, max=365)] | None = None
    most_uses: (
        Annotated[
            int,
            whole(_("Uses in all"), min=1, max=1_000_000, hint=_("Empty means any number.")),
        ]
        | None
    ) = None
    most_each: (
        Annotated[
            int,
            whole(_("Uses by one customer"), min=1, max=1000, hint=_("Empty means any number.")),
        ]
        | None
    ) = None
    class_ids: Annotated[
        list[UUID],
        choice(
            _("Only with these classes"),
            hint=_("None ticked means every class."),
            look="checkboxes",
        ),
    ] = field(default_factory=list)
    branch_ids: Annotated[
        list[UUID],
        choice(
            _("Only picked up at"), hint=_("None ticked means every branch."), look="checkboxes"
        ),
    ] = field(default_factory=list)
    combines: Annotated[
        bool,
        tick(
            _("Comes on top of the students' discount"),
            hint=_("Otherwise whichever of the two takes off more counts."),
        ),
    ] = False
    active: Annotated[
        bool,
        tick(_("Can be used"), hint=_("Bookings already made keep theirs when it is retired.")),
    ] = True

    def check(self) -> Iterable[FieldError]:
        """It takes off a share or an amount, and its times go forwards."""
        yield from super().check()
        if bool(self.percent) == bool(self.amount):
            yield FieldError("percent", _("Give either percent or an amount, above 0"))
        if self.booked_from and self.booked_to and self.booked_to <= self.booked_from:
            yield FieldError("booked_to", _("This ends before it begins"))
        if self.hired_from and self.hired_to and self.hired_to < self.hired_from:
            yield FieldError("hired_to", _("This ends before it begins"))
        if self.most_uses and self.most_each and self.most_each > self.most_uses:
            yield FieldError("most_each", _("No customer can use it oftener than all together"))


class NewPromotionInput(PromotionInput, kw_only=True):
    """A code that is added; it stays as it is for ever."""

    code: Annotated[
        str,
        text(
            _("Code"),
            min=4,
            max=40,
            pattern=CODE,
            autocomplete="off",
            hint=_("Letters, digits and hyphens, such as SUMMER-27. Hard to guess is better."),
        ),
    ]


class StudentInput(Form, kw_only=True):
    """The desk has seen that a customer is a student."""

    until: Annotated[
        date, day(_("Student until"), hint=_("The last day that the card or letter says."))
    ]
    seen: Annotated[Literal["card", "letter"], choice(_("What you saw"), STUDENT_PROOFS)] = "card"


class PriceChoices(ChoicesInput, kw_only=True):
    """What somebody chooses while a price is made: what goes with the car, and what takes
    something off it."""

    promotion: Annotated[
        str,
        text(_("Promotion code"), min=0, max=40, autocomplete="off"),
    ] = ""
    student: Annotated[
        bool,
        tick(_("I am a student"), hint=_("We look at your card or letter before the first hire.")),
    ] = False

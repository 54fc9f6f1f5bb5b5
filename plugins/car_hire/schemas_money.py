"""What people send us about money besides cards; amounts are in the business's currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from core.i18n import _
from core.payments.services.by_hand import WAYS
from core.web.forms.fields import Form, amount, choice, day, number, text

Method = Annotated[Literal["cash", "terminal", "transfer"], choice(_("How it was paid"), WAYS)]


class MethodInput(Form, kw_only=True):
    """How something was paid."""

    method: Method = "cash"


class ChargeInput(Form, kw_only=True):
    """What was found after the return; the amount is before tax."""

    reason: Annotated[str, text(_("What for"), min=3, max=120, hint=_("It stands on the bill."))]
    amount: Annotated[
        Decimal, number(_("Amount"), min="0.01", max="999999", decimals=2, hint=_("Before tax."))
    ]
    damage_id: Annotated[UUID, choice(_("Shown by the mark"))] | None = None


class ReasonInput(Form, kw_only=True):
    """Why something is done."""

    reason: Annotated[str, text(_("Reason"), min=3, max=200)]


class GivenBackInput(MethodInput, kw_only=True):
    """How something went back, how much of it, and why."""

    amount: (
        Annotated[
            Decimal,
            number(_("Amount"), min="0.01", max="999999", decimals=2, hint=_("Empty means all.")),
        ]
        | None
    ) = None
    reason: Annotated[str, text(_("Reason"), min=3, max=200)]


class DueInput(Form, kw_only=True):
    """Until when a transfer is expected."""

    due_on: Annotated[date, day(_("Expected until"))]


class OpeningInput(Form, kw_only=True):
    """The float of a drawer."""

    opening: Annotated[Decimal, amount(_("Float"), hint=_("What is in the drawer now."))]


class MovementInput(Form, kw_only=True):
    """Cash in or out, for no customer."""

    amount: Annotated[
        Decimal,
        number(
            _("Amount"),
            min="-999999",
            max="999999",
            decimals=2,
            hint=_("Below zero is taken out: -200 to the bank."),
        ),
    ]
    note: Annotated[str, text(_("What for"), min=3, max=120)]


class CountInput(Form, kw_only=True):
    """What is in the drawer when it is closed."""

    counted: Annotated[Decimal, amount(_("Counted"))]
    note: Annotated[
        str, text(_("Note"), min=0, max=200, hint=_("Say why, where it does not come out."))
    ] = ""

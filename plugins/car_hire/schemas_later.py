"""What people send us about fines and tolls; amounts are in the business's currency."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from core.i18n import _
from core.web.forms.fields import Form, choice, moment, number, text, tick
from plugins.car_hire.models import LATER_KINDS


class LaterInput(Form, kw_only=True):
    """What somebody asks of the business for a time when a car was out."""

    kind: Annotated[Literal["fine", "toll", "parking"], choice(_("What it is"), LATER_KINDS)]
    plate: Annotated[str, text(_("Plate"), min=2, max=20)]
    happened_at: Annotated[
        datetime, moment(_("When"), hint=_("Whoever had the car then is found by it."))
    ]
    authority: Annotated[
        str, text(_("Who asks for it"), min=2, max=80, hint=_("A police, a motorway."))
    ]
    reference: Annotated[str, text(_("Their number"), min=2, max=60)]
    amount: Annotated[
        Decimal,
        number(
            _("Amount"), min="0.01", max="99999", decimals=2,
            hint=_("As they ask for it: it is handed on without tax."),
        ),
    ]  # fmt: skip
    with_fee: Annotated[bool, tick(_("Add our fee for the work"))] = True


class ChargingInput(Form, kw_only=True):
    """How it is to be charged."""

    by_link: Annotated[
        bool, tick(_("Send a link to pay, and do not ask the card that was kept"))
    ] = False


class WhyInput(Form, kw_only=True):
    """Why it is contested or waived."""

    why: Annotated[str, text(_("Why"), min=3, max=200)]

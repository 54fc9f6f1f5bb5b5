"""What the owner types on the page of damage prices. Amounts are net of tax."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from core.i18n import _
from core.web.forms.fields import Form, amount, moment, number
from plugins.car_hire.models.zones import CLEANING, KINDS


class PartInput(Form, kw_only=True):
    """What damage of medium severity to one part costs; empty: it has no price here."""

    scratch: Annotated[Decimal, amount(KINDS["scratch"])] | None = None
    dent: Annotated[Decimal, amount(KINDS["dent"])] | None = None
    crack: Annotated[Decimal, amount(KINDS["crack"])] | None = None
    missing: Annotated[Decimal, amount(KINDS["missing"])] | None = None
    stain: Annotated[Decimal, amount(KINDS["stain"])] | None = None


class HouseInput(Form, kw_only=True):
    """What holds for every class, and from when the prices count."""

    light_percent: Annotated[
        Decimal,
        number(
            _("Light damage"), min=0, max=2000, decimals=2, unit="%", hint=_("Of the price below")
        ),
    ] = Decimal(50)
    severe_percent: Annotated[
        Decimal,
        number(
            _("Severe damage"), min=0, max=2000, decimals=2, unit="%", hint=_("Of the price below")
        ),
    ] = Decimal(200)
    cleaning_light: Annotated[Decimal, amount(CLEANING["light"])] | None = None
    cleaning_heavy: Annotated[Decimal, amount(CLEANING["heavy"])] | None = None
    effective_from: (
        Annotated[datetime, moment(_("Counts from"), hint=_("Empty means now"))] | None
    ) = None

"""What the desk types of cars beyond their bookings; forms and the API read the same structs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from core.i18n import _
from core.web.forms.fields import Form, choice, day, long_text, text, tick
from plugins.car_hire.models import DOCUMENT_KINDS


class DocumentInput(Form, kw_only=True):
    """One of a car's papers."""

    kind: Annotated[
        Literal["insurance", "inspection", "road_tax", "registration", "licence", "other"],
        choice(_("Paper"), DOCUMENT_KINDS),
    ]
    number: Annotated[str, text(_("Number"), min=0, max=80)] = ""
    valid_until: (
        Annotated[date, day(_("Good until"), hint=_("The last day; nothing if it never lapses"))]
        | None
    ) = None
    required: Annotated[bool, tick(_("The car may not be on the road without it"))] = False
    notes: Annotated[str, long_text(_("Notes"), min=0, max=1000)] = ""


class RetirementInput(Form, kw_only=True):
    """A car leaves the fleet."""

    reason: Annotated[
        str, text(_("Why"), min=0, max=300, placeholder=_("Sold, 14.200 € to a dealer"))
    ] = ""

"""What the desk types of cars beyond their bookings; forms and the API read the same structs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from core.errors import FieldError
from core.i18n import _
from core.web.forms.fields import Form, choice, day, long_text, text, tick, whole
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


class IntervalInput(Form, kw_only=True):
    """What service cars want, by whichever comes first."""

    name: Annotated[str, text(_("Service"), max=80, placeholder=_("Oil and filters"))]
    class_id: Annotated[UUID, choice(_("Class"))] | None = None
    every_km: Annotated[int, whole(_("Every"), min=1, max=1_000_000, unit="km")] | None = None
    every_days: Annotated[int, whole(_("Every"), min=1, max=3650, unit=_("days"))] | None = None
    every_hires: Annotated[int, whole(_("Every"), min=1, max=10_000, unit=_("hires"))] | None = None
    hours: Annotated[int, whole(_("It takes"), min=1, max=240, unit=_("hours"))] = 4
    in_use: Annotated[bool, tick(_("In use"))] = True

    def check(self) -> Iterable[FieldError]:
        """Something must say how often."""
        if self.every_km is None and self.every_days is None and self.every_hires is None:
            yield FieldError("every_km", _("Say after how many kilometres, days or hires"))


class ServiceInput(Form, kw_only=True):
    """A service that a car had."""

    done_on: Annotated[date, day(_("Done on"))]
    odometer_km: Annotated[int, whole(_("Odometer"), max=9_999_999, unit="km")]
    notes: Annotated[str, long_text(_("Notes"), min=0, max=1000)] = ""


class ImportInput(Form, kw_only=True):
    """Cars as CSV."""

    content: Annotated[str, long_text(_("Content of the file"), min=0, max=400_000)] = ""

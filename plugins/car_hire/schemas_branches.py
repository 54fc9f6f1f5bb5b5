"""What owners type of branches; forms and the API read the same structs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from core.i18n import _
from core.web.forms.fields import Form, choice, day, email, long_text, moment, number, text, tick

_HOURS_HINT = _("9:00-13:00, 14:00-19:00; empty means closed")


class BranchInput(Form, kw_only=True):
    """A branch; hours are the wall clock's. Without any, every time will do."""

    name: Annotated[str, text(_("Name"), max=80, placeholder=_("Porto Airport"))]
    code: Annotated[
        str,
        text(
            _("Code"),
            min=2,
            max=6,
            pattern=r"^[A-Za-z0-9]+$",
            hint=_("Two to six letters or digits, as on key tags"),
        ),
    ]
    street_address: Annotated[
        str, text(_("Address"), min=0, max=300, autocomplete="street-address")
    ] = ""
    desk_phone: Annotated[str, text(_("Phone"), min=0, max=40, input="tel")] = ""
    desk_email: Annotated[str, email(_("E-mail address"))] | None = None
    latitude: Annotated[Decimal, number(_("Latitude"), min=-90, max=90, decimals=6)] | None = None
    longitude: Annotated[Decimal, number(_("Longitude"), min=-180, max=180, decimals=6)] | None = (
        None
    )
    is_airport: Annotated[
        bool, tick(_("At an airport"), hint=_("Pick-ups pay the airport surcharge"))
    ] = False
    serves_out_of_hours: Annotated[
        bool, tick(_("Serves customers out of hours"), hint=_("For the fee of the price list"))
    ] = False
    is_main: Annotated[bool, tick(_("Main branch"), hint=_("It counts where none was chosen"))] = (
        False
    )
    in_use: Annotated[bool, tick(_("In use"), hint=_("It can be chosen"))] = True
    monday: Annotated[str, text(_("Monday"), min=0, max=80)] = ""
    tuesday: Annotated[str, text(_("Tuesday"), min=0, max=80)] = ""
    wednesday: Annotated[str, text(_("Wednesday"), min=0, max=80)] = ""
    thursday: Annotated[str, text(_("Thursday"), min=0, max=80)] = ""
    friday: Annotated[str, text(_("Friday"), min=0, max=80)] = ""
    saturday: Annotated[str, text(_("Saturday"), min=0, max=80)] = ""
    sunday: Annotated[str, text(_("Sunday"), min=0, max=80)] = ""


class StaffInput(Form, kw_only=True):
    """Who works at a branch."""

    user_ids: Annotated[list[UUID], choice(_("Staff"))] = msgspec.field(default_factory=list)


class PlaceInput(Form, kw_only=True):
    """Where a car stands."""

    branch_id: Annotated[UUID, choice(_("Branch"))]


class CarTransferInput(Form, kw_only=True):
    """A car that is brought to another branch; from where, its calendar says."""

    to_branch_id: Annotated[UUID, choice(_("To"))]
    starts_at: Annotated[datetime, moment(_("Leaves"))]
    ends_at: Annotated[datetime, moment(_("Arrives"))]
    driver: Annotated[str, text(_("Driver"), min=0, max=120)] = ""
    notes: Annotated[str, long_text(_("Notes"), min=0, max=1000)] = ""
    move: Annotated[
        bool,
        tick(
            _("Give bookings in the way other cars of their class"),
            hint=_("Also those that would find the car gone"),
        ),
    ] = False


class ReturnBranchInput(Form, kw_only=True):
    """Where a booked car is to come back instead."""

    return_branch_id: Annotated[UUID, choice(_("Return to"))]
    version: int | None = None
    """Of the booking, as the editor saw it."""


class DayInput(Form, kw_only=True):
    """A day with hours of its own."""

    day: Annotated[date, day(_("Day"))]
    name: Annotated[str, text(_("What for"), max=80, placeholder=_("Christmas Day"))]
    hours: Annotated[str, text(_("Open"), min=0, max=80, hint=_HOURS_HINT)] = ""

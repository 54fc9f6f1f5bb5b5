"""What people type of calendars that are read from outside."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import field

from core.i18n import _
from core.web.forms.fields import Form, choice, text
from plugins.car_hire.models.feeds import FEED_SHOWS


class FeedInput(Form, kw_only=True):
    """Which pick-ups and returns a calendar has, and what it tells of them."""

    title: Annotated[str, text(_("What it is called"), max=80)]
    branch_id: Annotated[UUID, choice(_("Branch"))] | None = None
    class_id: Annotated[UUID, choice(_("Class"))] | None = None
    plate: Annotated[
        str, text(_("Plate"), min=0, max=20, hint=_("Empty for every car."), autocomplete="off")
    ] = ""
    shows: Annotated[
        list[Annotated[Literal["plate", "customer", "phone"], choice("", FEED_SHOWS)]],
        choice(
            _("What it tells"),
            FEED_SHOWS,
            hint=_("Whoever has the address reads this. Class, number and branch are always told."),
        ),
    ] = field(default_factory=list)

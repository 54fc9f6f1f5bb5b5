"""What people and programs send us about papers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import field

from core.i18n import LazyText, _
from core.web.forms.fields import Form, choice, day, text
from plugins.car_hire.models import PAPER_KINDS

WAYS_BACK: Final[dict[str, LazyText]] = {
    "card": _("To the card that paid"),
    "none": _("Nothing is given back"),
    "cash": _("In cash, from the drawer"),
    "terminal": _("By the card terminal"),
    "transfer": _("By bank transfer"),
}


class PapersInput(Form, kw_only=True):
    """Which papers are wanted."""

    text: Annotated[str, text(_("Number or name"), min=0, max=80)] = ""
    kind: Annotated[str, choice(_("Kind"), PAPER_KINDS)] = ""
    since: Annotated[date, day(_("From"))] | None = None
    until: Annotated[date, day(_("To"))] | None = None


class CreditInput(Form, kw_only=True):
    """What is taken off an invoice."""

    reason: Annotated[str, text(_("Reason"), min=3, max=200, hint=_("It is printed."))]
    back: Annotated[
        Literal["card", "none", "cash", "terminal", "transfer"], choice(_("The money"), WAYS_BACK)
    ] = "none"


class CreditNoteInput(CreditInput, kw_only=True):
    """The same, for programs: net amounts by line, from 0 on; without any, all that is left."""

    lines: dict[str, str] = field(default_factory=dict)

"""What is typed or sent by who waits for a car."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from core.i18n import _
from core.web.forms.fields import Form, choice, email, moment, text


class WaitInput(Form, kw_only=True):
    """For which class and when somebody waits, and where their letter goes."""

    class_id: Annotated[UUID, choice(_("Class"))]
    starts_at: Annotated[datetime, moment(_("Pick-up"))]
    ends_at: Annotated[datetime, moment(_("Return"))]
    pick_up_branch_id: Annotated[UUID, choice(_("Pick-up at"))] | None = None
    return_branch_id: Annotated[UUID, choice(_("Return to"))] | None = None
    name: Annotated[str, text(_("Name"), max=80, autocomplete="name")]
    email: Annotated[str, email(_("E-mail address"))]

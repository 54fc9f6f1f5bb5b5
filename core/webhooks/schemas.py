"""What is typed or sent about endpoints."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from core.i18n import _
from core.web.forms.fields import Form, choice, text


class EndpointInput(Form):
    """Where to send what."""

    url: Annotated[
        str,
        text(
            _("Address"),
            max=500,
            pattern=r"^https?://[!-~]+$",
            input="url",
            hint=_("Your program's, beginning with https://"),
            autocomplete="off",
        ),
    ]
    description: (
        Annotated[str, text(_("Description"), max=200, hint=_("Such as: our bookkeeping"))] | None
    ) = None
    events: Annotated[list[str], choice(_("Events"), look="checkboxes")] = field(
        default_factory=list
    )

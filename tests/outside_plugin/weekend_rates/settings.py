"""What each business decides."""

from __future__ import annotations

from typing import Annotated

from core.i18n import _
from core.web.forms.fields import Form, whole


class Choices(Form, kw_only=True):
    """How much more a hire costs that begins at a weekend."""

    percent: Annotated[int, whole(_("Added at weekends, in percent"), min=1, max=100)] = 10

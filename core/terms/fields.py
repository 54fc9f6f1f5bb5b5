"""The field of a form that goes with an acceptance."""

from __future__ import annotations

from typing import Annotated

from core.i18n import _
from core.web.forms.fields import text

Accepted = Annotated[str, text(_("I accept the terms"), max=100, input="hidden")]
"""Drawn by ``terms.accept`` of ``macros/terms.html``; it may be left out, so that what is said of
that is ours: ``terms: Accepted | None = None``. Its value names the versions that were shown."""

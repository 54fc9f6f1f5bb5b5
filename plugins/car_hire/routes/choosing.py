"""Forms in which somebody chooses extras and covers, for a quote, a booking or at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.errors import DomainError
from core.i18n import _
from core.web.forms import Bound, bind, blank
from plugins.car_hire.models import Quote
from plugins.car_hire.schemas_extras import ChoicesInput
from plugins.car_hire.services import quotes
from plugins.car_hire.services.extras import choosing

AT: Final = "extras."
CHANGED: Final = _("The price has changed with what you told us. Look at it, then book")
FIELDS: Final = frozenset(ChoicesInput.__struct_fields__)


def gathered(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with the quantities of ``extras.child-seat`` and the like in ``extras``."""
    quantities = {
        key.removeprefix(AT): value
        for key, value in typed.items()
        if key.startswith(AT) and value not in ("", "0")
    }
    rest = {key: value for key, value in typed.items() if not key.startswith(AT)}
    return rest | {"extras": quantities}


def choices_of(typed: Mapping[str, Any]) -> Bound[ChoicesInput]:
    """The choices among what was typed into a form that asks for more."""
    return bind(ChoicesInput, {k: v for k, v in gathered(typed).items() if k in FIELDS})


def others_of(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What else was typed into that form."""
    return {k: v for k, v in gathered(typed).items() if k not in FIELDS}


def refuse(error: DomainError, choices: Bound[ChoicesInput], form: Bound[Any]) -> None:
    """A service's objection, in the form that has the fields it names."""
    named = [each.field.partition(".")[0].partition("[")[0] for each in error.errors]
    (choices if named and FIELDS.issuperset(named) else form).refuse(error)


def kept(quote: Quote) -> Bound[ChoicesInput]:
    """The choices that a quote keeps, as a form shows them."""
    return blank(ChoicesInput, choosing.of(quotes.asked_then(quote)))

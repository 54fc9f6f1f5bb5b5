"""Forms in which somebody chooses extras and covers, or types a code, for a quote, a booking or
at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from core import origin
from core.auth.authority import Authority
from core.errors import DomainError
from core.i18n import _
from core.throttle import Allowance
from core.web.forms import Bound, Form, bind, blank
from core.web.pages import wants_fragment
from plugins.car_hire.models import Quote
from plugins.car_hire.routes.http import AnyRequest
from plugins.car_hire.schemas_promotions import PriceChoices
from plugins.car_hire.services import quotes
from plugins.car_hire.services.extras import choosing
from plugins.car_hire.services.promotions.discounting import UnknownCode

F = TypeVar("F", bound=Form)
AT: Final = "extras."
CHANGED: Final = _("The price has changed with what you told us. Look at it, then book")
FIELDS: Final = frozenset(PriceChoices.__struct_fields__)
CODES: Final = Allowance("car_hire.codes", 20, 10 * 60)
"""Wrong promotion codes from one address: enough for bad handwriting, too few to guess one."""


@asynccontextmanager
async def guess(request: AnyRequest, code: str) -> AsyncIterator[None]:
    """Count a code that nobody keeps against whoever types it; any other is given back.

    Raises:
        TooManyRequests: too many were wrong; with the seconds to wait.
    """
    if not code.strip():
        yield
        return
    authority: Authority = request.app.state["authority"]
    line = origin.line()
    await authority.throttle.take(CODES, line)
    try:
        yield
    except UnknownCode:
        raise
    except BaseException:
        await authority.throttle.give_back(CODES, line)
        raise
    await authority.throttle.give_back(CODES, line)


def gathered(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with the quantities of ``extras.child-seat`` and the like in ``extras``."""
    quantities = {
        key.removeprefix(AT): value
        for key, value in typed.items()
        if key.startswith(AT) and value not in ("", "0")
    }
    rest = {key: value for key, value in typed.items() if not key.startswith(AT)}
    return rest | {"extras": quantities}


def chosen_in(request: AnyRequest) -> dict[str, Any]:
    """What an address says of extras, covers and a code: the glance's link to a new booking."""
    asked = request.query_params
    chosen: dict[str, Any] = {
        key: value
        for key, value in asked.items()
        if (key.startswith(AT) or key == "promotion") and value not in ("", "0")
    }
    covers = [each for each in asked.getall("covers", []) if each]
    return chosen | ({"covers": covers} if covers else {})


def choices_of(typed: Mapping[str, Any]) -> Bound[PriceChoices]:
    """The choices among what was typed into a form that asks for more."""
    return bind(PriceChoices, {k: v for k, v in gathered(typed).items() if k in FIELDS})


def others_of(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What else was typed into that form."""
    return {k: v for k, v in gathered(typed).items() if k not in FIELDS}


def begun(kind: type[F], typed: Mapping[str, Any]) -> Bound[F]:
    """A form that is being filled in: what is still empty is not wrong yet."""
    form = bind(kind, typed)
    form.errors = [each for each in form.errors if typed.get(each.field) not in (None, "")]
    return form


def refuse(error: DomainError, choices: Bound[PriceChoices], form: Bound[Any]) -> None:
    """A service's objection, in the form that has the fields it names."""
    named = [each.field.partition(".")[0].partition("[")[0] for each in error.errors]
    (choices if named and FIELDS.issuperset(named) else form).refuse(error)


def status_of(request: AnyRequest, error: DomainError) -> int:
    """Of a page that says what is wrong; htmx shows none but those that say 422."""
    return 422 if wants_fragment(request) else error.status


def kept(quote: Quote) -> Bound[PriceChoices]:
    """The choices that a quote keeps, as a form that nobody changed."""
    known = choosing.of(quotes.asked_then(quote))
    form = blank(PriceChoices, known)
    form.result = known
    return form

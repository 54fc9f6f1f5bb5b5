"""The values of a notification: kept as JSON, shown as the reader writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.i18n import LazyText, in_every_locale, in_reading
from core.money import Money
from core.notices import Notice
from core.web import formatting

Value = str | int | Decimal | UUID | date | datetime | Money | LazyText


def kept(notice: Notice, values: Mapping[str, Value]) -> dict[str, Any]:
    """``values`` as they are stored.

    Raises:
        ValueError: the text of ``notice`` has a place for something that is not given.
    """
    if missing := notice.asks - values.keys():
        raise ValueError(f"{notice.name} needs {', '.join(sorted(missing))}")
    return {name: _kept(value) for name, value in values.items()}


def _kept(value: Value) -> Any:
    if isinstance(value, Money):
        return {"money": [str(value.amount), value.unit]}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, LazyText):
        return {"texts": in_every_locale(value)}
    return value if isinstance(value, int) else str(value)


_SHOWN: Final = {
    "money": lambda kept: formatting.money(Money.of(*kept)),
    "moment": lambda kept: formatting.moment(datetime.fromisoformat(kept)),
    "day": lambda kept: formatting.day(date.fromisoformat(kept)),
    "texts": in_reading,
}


def said(notice: Notice, given: Mapping[str, Any]) -> str:
    """What the notification says to whoever is reading, on the tenant's clock. A text that has
    come to ask for more than was kept gives way to the title."""
    shown = {name: _shown(value) for name, value in given.items()}
    try:
        return str(notice.text).format(**shown)
    except LookupError:
        return str(notice.title)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        return str(_SHOWN[kind](inner))
    return formatting.number(value) if isinstance(value, int) else str(value)

"""Amounts, dates and numbers as the reader writes them, times on the tenant's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent

from core import clock
from core.i18n import locale
from core.money import Money
from core.scope import current_or_none


def region() -> str:
    """The reader's language as it is written where the tenant is: dates differ between shores."""
    tenant_zone = zone()
    american = tenant_zone.startswith(("America/", "US/", "Pacific/Honolulu"))
    regions = {"en": ("en_GB", "en_US"), "pt": ("pt_PT", "pt_BR")}
    return regions.get(locale(), (locale(), locale()))[american]


_another_clock: ContextVar[str | None] = ContextVar("clock", default=None)

_BYTES: Final = ("B", "kB", "MB", "GB", "TB")


@contextmanager
def on_the_clock_of(zone: str) -> Iterator[None]:
    """Within it, times are read and shown in the IANA ``zone``: where the portal speaks of a
    business, whose clock is not the portal's."""
    token = _another_clock.set(zone)
    try:
        yield
    finally:
        _another_clock.reset(token)


def zone() -> str:
    """The IANA zone of the tenant being served; UTC outside every scope."""
    if (another := _another_clock.get()) is not None:
        return another
    tenant = current_or_none()
    return tenant.zone if tenant else "UTC"


def money(value: Money | None) -> str:
    """``€1,234.50``; a dash for nothing."""
    return "–" if value is None else str(value.rounded())  # noqa: RUF001  # an en dash is meant


def number(value: int | float | Decimal) -> str:
    """``1,234.5``, grouped as the reader groups."""
    return format_decimal(value, locale=locale())


def percent(value: int | float | Decimal, decimals: int = 0) -> str:
    """``23 %`` of a share of one."""
    pattern = "#,##0." + "#" * decimals + "%" if decimals else None
    return format_percent(value, format=pattern, locale=locale())


def size(value: int) -> str:
    """``3.4 MB`` of a number of bytes, in thousands as disks are sold."""
    unit = min(len(_BYTES) - 1, max(0, (len(str(abs(value))) - 1) // 3))
    return f"{format_decimal(value / 1000**unit, '#,##0.#', locale=locale())} {_BYTES[unit]}"


def day(value: date | datetime, style: str = "medium") -> str:
    """A calendar date; a moment's is the one on the tenant's clock."""
    if isinstance(value, datetime):
        value = clock.local(value, zone()).date()
    return format_date(value, style, locale=region())


def moment(value: datetime, style: str = "medium") -> str:
    """Date and time to the minute, on the tenant's clock."""
    local = clock.local(value, zone())
    return f"{format_date(local.date(), style, locale=region())}, {time_of_day(value)}"


def full_moment(value: datetime) -> str:
    """Everything, zone included: for a tooltip."""
    return format_datetime(clock.local(value, zone()), "full", locale=region())


def time_of_day(value: datetime) -> str:
    """``14:30`` on the tenant's clock."""
    return format_time(clock.local(value, zone()), "short", locale=region())


def iso(value: date | datetime) -> str:
    """For the ``datetime`` attribute of ``<time>``."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def ago(value: datetime) -> str:
    """``3 minutes ago`` or ``in 2 days``."""
    return format_timedelta(value - clock.now(), add_direction=True, locale=locale())


def duration(value: timedelta) -> str:
    """``3 days``: the largest unit that fits."""
    return format_timedelta(value, threshold=1.2, locale=locale())


def wall(value: datetime) -> str:
    """What a ``datetime-local`` field holds: the tenant's clock, without a zone."""
    return clock.local(value, zone()).strftime("%Y-%m-%dT%H:%M")


FILTERS = {
    "money": money,
    "number": number,
    "percent": percent,
    "size": size,
    "date": day,
    "datetime": moment,
    "full_datetime": full_moment,
    "time": time_of_day,
    "iso": iso,
    "ago": ago,
    "duration": duration,
}

"""A line of a hire's price. Nothing of car hire is imported: it is asked and answered in Structs
of our own, whose fields Atrium compares with car hire's as it starts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_settings
from core.extension import Extension
from core.i18n import _, in_every_locale
from core.money import round_to
from weekend_rates.settings import Choices

_SATURDAY = 5


class Asked(Struct):
    """What we care for of a hire whose price is asked; times are aware, ``zone`` is IANA's."""

    starts_at: datetime
    zone: str
    days: int
    daily_rate: Decimal


class Line(Struct):
    """A line of money, before tax."""

    rule: str
    texts: dict[str, str]
    unit_price: Decimal
    quantity: Decimal


async def weekend(session: AsyncSession, asked: Asked) -> list[Line]:
    """More for a hire that begins on a Saturday or Sunday, by the business's own clock."""
    if asked.starts_at.astimezone(ZoneInfo(asked.zone)).weekday() < _SATURDAY:
        return []
    chosen = await plugin_settings.read(session, "weekend_rates", Choices)
    more = round_to(asked.daily_rate * chosen.percent / 100, 2)
    return [Line("weekend", in_every_locale(_("Weekend")), more, Decimal(asked.days))]


EXTENDS = (Extension(point="car_hire.rate_rule", version=1, hook=weekend),)

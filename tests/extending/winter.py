"""A plugin that extends car hire and imports nothing of it, as an outsider would write it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.extension import Extension
from core.i18n import in_every_locale
from core.plugin import Slot
from core.web.forms.fields import Form, tick, whole
from core.web.forms.fields import text as line
from tests.extending.ground import declare


class Asked(Struct):
    """What we care for of a price that is asked for."""

    starts_at: datetime
    days: int
    daily_rate: Decimal
    class_name: str


class Line(Struct):
    """A line of money, with the fields that car hire documents."""

    rule: str
    texts: dict[str, str]
    unit_price: Decimal
    quantity: Decimal


class Tyres(Form, kw_only=True):
    """What is looked at before a car goes out in winter."""

    tread_mm: Annotated[int, whole("Tread", max=20, unit="mm")]
    chains: Annotated[bool, tick("Snow chains in the boot")] = False
    remark: Annotated[str, line("Remark", min=0, max=80)] = ""


class Returned(Struct):
    """What we care for of a car that came back."""

    steps: dict[str, dict[str, Any]]


class Step(Struct):
    """What was entered at hand-over."""

    values: dict[str, Any]


mood = {"now": "well"}
"""How the plugin feels; the tests change it."""


async def rate(session: AsyncSession, asked: Asked) -> list[Line]:
    """Two euros and fifty a day for winter tyres, and a discount on Fridays for nobody."""
    match mood["now"]:
        case "raises":
            raise RuntimeError("frozen")
        case "breaks the transaction":
            await session.execute(text("SELECT no_such_column"))
        case "sleeps in the database":
            await session.execute(text("SELECT pg_sleep(60)"))
        case "sleeps":
            await asyncio.sleep(60)
        case "answers nonsense":
            return [{"rule": "tyres"}]  # type: ignore[list-item]  # as strangers do
        case "pays too much":
            return [Line("gift", {"en": "Gift"}, -asked.daily_rate, Decimal(asked.days + 1))]
        case "counts atoms":
            return [Line("tyres", {"en": "Tyres"}, Decimal("0.0000001"), Decimal(1))]
        case "refuses":
            raise Invalid("No car leaves in a blizzard", field="starts_at")
        case "is silent":
            return []
    price = Decimal("2.50")
    return [Line("tyres", in_every_locale("Winter tyres"), price, Decimal(asked.days))]


async def charge(session: AsyncSession, asked: Returned) -> list[dict[str, Any]]:
    """Chains that went along are cleaned."""
    if not asked.steps.get("winter", {}).get("chains"):
        return []
    return [{"rule": "chains", "texts": {"en": "Cleaning", "pt": "Limpeza"}, "unit_price": "7.35"}]


async def check(session: AsyncSession, asked: Step) -> dict[str, str]:
    """Four millimetres at least."""
    if mood["now"] == "raises":
        raise RuntimeError("frozen")
    return {"tread_mm": "These tyres are too worn"} if asked.values["tread_mm"] < 4 else {}


async def beside(session: AsyncSession, booking_id: UUID) -> dict[str, Any]:
    """What the desk sees beside a booking."""
    return {"words": f"Snow is expected for {booking_id}"}


winter = declare(
    "winter",
    title="Winter rates",
    extends=(
        Extension(point="car_hire.rate_rule", version=1, hook=rate),
        Extension(point="car_hire.return_charge", version=1, hook=charge),
        Extension(point="car_hire.checkout_step", version=1, hook=check, title="Tyres", form=Tyres),
    ),
    slots=(Slot(name="car_hire.booking", template="sample/part.html", fill=beside),),
)

"""Promotion codes of the demonstration: one that runs, one for a partner, one that is over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from plugins.car_hire.schemas_promotions import NewPromotionInput
from plugins.car_hire.services.promotions import keeping

PARTNER: Final = "HOTEL-MIRADOURO"
"""Of which bookings of the demonstration are made."""


async def begin(session: AsyncSession) -> None:
    """Codes by today's date, so that they are what they say whenever the seed is laid."""
    tenant: Tenant = session.info["tenant"]
    today, now = clock.today(tenant.zone), clock.now()
    codes: tuple[dict[str, Any], ...] = (
        {
            "code": "ESCAPADA-15", "percent": Decimal(15), "days_from": 3,
            "name_en": "Long weekend", "name_pt": "Escapadinha",
            "hired_from": today, "hired_to": today + timedelta(days=120),
            "most_uses": 200, "most_each": 1,
        },
        {
            "code": PARTNER, "amount": Decimal(10), "combines": True,
            "name_en": "Guests of Hotel Miradouro", "name_pt": "Hóspedes do Hotel Miradouro",
        },
        {
            "code": "BEMVINDO", "percent": Decimal(5), "most_each": 1,
            "name_en": "Welcome", "name_pt": "Boas-vindas", "booked_to": now - timedelta(days=30),
        },
        {
            "code": "PRIMAVERA-20", "percent": Decimal(20), "active": False,
            "name_en": "Spring", "name_pt": "Primavera",
        },
    )  # fmt: skip
    for each in codes:
        await keeping.add(session, NewPromotionInput(**each))

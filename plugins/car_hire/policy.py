"""The rules of the house: what each tenant may set for its car hire."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_settings

PLUGIN: Final = "car_hire"

Minutes = Annotated[int, Meta(ge=0, le=1440)]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Minutes, years, and a fee net of tax in the tenant's currency."""

    grace_minutes: Minutes = 60
    """How late a car may come back before another day, or a late fee, is charged."""
    buffer_minutes: Minutes = 30
    """Time for cleaning between two hires of a car."""
    early_minutes: Minutes = 120
    """How long before the agreed time a car may be handed over."""
    late_fee_per_hour: Decimal = Decimal(15)
    minimum_age: Annotated[int, Meta(ge=16, le=99)] = 21
    """Proposed for new classes; each class has its own."""
    hold_minutes: Annotated[int, Meta(ge=5, le=1440)] = 20
    """How long a car is kept for a booking that is not paid."""
    quote_minutes: Annotated[int, Meta(ge=5, le=10080)] = 60
    """How long a quoted price is good for."""


async def read(session: AsyncSession) -> Policy:
    """The tenant's rules."""
    return await plugin_settings.read(session, PLUGIN, Policy)

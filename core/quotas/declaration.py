"""What a part limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText, _

ROOM: Final = _("Make room, or ask us for more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Something of which a tenant may have, or do in a calendar month, only so much."""

    name: str
    """Such as ``car_hire.vehicles``; it begins with the plugin's name."""
    title: LazyText | str
    """What it is, where an owner reads how much is used."""
    allowed: int | None
    """How many, unless the operator grants a tenant another number; None: any."""
    count: Callable[[AsyncSession], Awaitable[int]] | None = None
    """``async def count(session)``: how many there are now, by SQL. It begins the counter and
    mends it every night. None: what is counted is done, not there, and each calendar month on the
    tenant's clock begins at nothing."""
    remedy: LazyText | str | None = None
    """What to do about it, for whoever is refused; None: to make room, or to ask us."""

    @property
    def advice(self) -> LazyText | str:
        """The remedy, in words."""
        return self.remedy or ROOM

    @property
    def is_rate(self) -> bool:
        """Whether it is how much may be done in a month, rather than how many there may be."""
        return self.count is None

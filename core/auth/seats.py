"""How many people may work at a tenant: whoever is no customer and may sign in has a seat."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.i18n import _
from core.permissions import Role
from core.quotas import Limit, give_back, take


async def taken(session: AsyncSession) -> int:
    """How many people work there and may sign in."""
    working = select(func.count()).where(User.role != Role.MEMBER.value, User.disabled_at.is_(None))
    return await session.scalar(working) or 0


PEOPLE: Final = Limit(
    name="core.people",
    title=_("People who work there"),
    allowed=500,
    count=taken,
    remedy=_("Disable somebody who has left, or ask us for more seats."),
)


async def change(session: AsyncSession, *, sits: bool, is_to: bool) -> None:
    """Take or free a seat, where somebody who ``sits`` or not is to sit or not from now on.

    Raises:
        QuotaExceeded: no seat is free.
    """
    if is_to and not sits:
        await take(session, PEOPLE)
    elif sits and not is_to:
        await give_back(session, PEOPLE)

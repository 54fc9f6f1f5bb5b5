"""The way of somebody who has just come in, over terms that they must accept."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.identity import Identity
from core.permissions import Role
from core.terms.services import due

ACCEPTANCE: Final = "/terms/acceptance"


async def onward(session: AsyncSession, person: Identity, target: str | None) -> str | None:
    """Where somebody goes who has just come in: to ``target``, over terms that they must accept."""
    if person.role is not Role.MEMBER:
        return target
    if not (await due(session, person.user_id)).editions:
        return target
    return f"{ACCEPTANCE}?next={quote(target or '/', safe='/')}"

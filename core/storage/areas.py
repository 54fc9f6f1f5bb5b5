"""Who may read which files: each plugin says so of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import Access


async def _nobody(_session: AsyncSession, _file_id: UUID, _user_id: UUID) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileArea:
    """Files of one kind, such as ``car_hire.documents``."""

    name: str
    """The plugin's name, a point, and a word in lower_snake_case."""
    access: Access
    """Who may read all of them: ``public``, ``member`` or a permission."""
    belongs: Callable[[AsyncSession, UUID, UUID], Awaitable[bool]] = _nobody
    """``async def belongs(session, file_id, user_id)``: whether a person may read this one though
    they lack that, because it is theirs."""

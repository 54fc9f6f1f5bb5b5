"""What is kept of a person: told to them in one file, and forgotten on request.

Every part says which of its tables hold something of people, and how to read and forget it
(``Plugin.personal``). A business may have switched a plugin off and still keep its tables, so all
that are installed are asked, as far as their tables are there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.i18n import LazyText

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """Something that a part keeps of people."""

    name: str
    """What it is called in the file that a person gets, such as ``car_hire.customers``."""
    title: LazyText | str
    """What it is, in words."""
    tables: tuple[str, ...]
    """The tables that it lies in; a test fails for one with personal data that nobody lists."""
    export: Callable[[AsyncSession, UUID], Awaitable[Rows]]
    """``async def export(session, user_id)``: what is kept of whoever signs in by that id, in
    values that become JSON; without secrets."""
    erase: Callable[[AsyncSession, UUID], Awaitable[None]] | None = None
    """``async def erase(session, user_id)``: forgets it. What the law wants kept stays without what
    tells who it was; a ``Conflict`` says what must end first. None: it is kept as it is."""


async def told(
    session: AsyncSession, kept: Iterable[PersonalData], user_id: UUID
) -> dict[str, Rows]:
    """Everything that is kept of a person, by name."""
    return {
        each.name: await each.export(session, user_id)
        for each in kept
        if await _is_here(session, each)
    }


async def forget(session: AsyncSession, kept: Iterable[PersonalData], user_id: UUID) -> None:
    """Forget a person wherever it may be, all or nothing.

    Raises:
        Conflict: something of theirs must end first.
    """
    for each in kept:
        if each.erase is not None and await _is_here(session, each):
            await each.erase(session, user_id)
    await audit.record(session, "core.person_erased", "user", user_id)


async def _is_here(session: AsyncSession, kept: PersonalData) -> bool:
    """Whether the tenant ever had the plugin, and has its tables."""
    return await session.scalar(select(func.to_regclass(kept.tables[0]))) is not None

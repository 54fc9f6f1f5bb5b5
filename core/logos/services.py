"""Keeping a logo in the scope of the business that shows it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.errors import NotFound
from core.logos.models import Logo
from core.logos.pictures import Picture

ADDRESS: Final = "/brand/logo/"
"""Where a logo is found at the business's own host, by its name."""
KEPT: Final = 6
"""How many are kept beside those in use: somebody else may be about to show a new one."""


async def keep(session: AsyncSession, picture: Picture, in_use: Collection[str]) -> str:
    """Keep ``picture`` and give its address; old ones go, save those ``in_use`` (addresses)."""
    found = {"media_type": picture.media_type, "body": picture.body, "kept_at": now()}
    wanted = insert(Logo).values(name=picture.name, **found)
    await session.execute(wanted.on_conflict_do_update(index_elements=[Logo.name], set_=found))
    newest = select(Logo.name).order_by(Logo.kept_at.desc()).limit(KEPT)
    shown = [address.removeprefix(ADDRESS) for address in in_use]
    await session.execute(
        delete(Logo).where(Logo.name.not_in(newest), Logo.name.not_in(shown)),
        execution_options={"synchronize_session": False},
    )
    return ADDRESS + picture.name


async def one(session: AsyncSession, name: str) -> Logo:
    """The logo of this name.

    Raises:
        NotFound: there is none, or none any more.
    """
    if found := await session.get(Logo, name):
        return found
    raise NotFound

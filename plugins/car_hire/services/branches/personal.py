"""What is kept of staff: the branches to which they are bound."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import _
from core.personal import PersonalData, Rows
from plugins.car_hire.models import Branch, BranchStaff


async def export(session: AsyncSession, user_id: UUID) -> Rows:
    """The names of the branches where somebody works."""
    theirs = select(BranchStaff.branch_id).where(BranchStaff.user_id == user_id)
    names = await session.scalars(select(Branch.name).where(Branch.id.in_(theirs)))
    return [{"branch": name} for name in names]


async def erase(session: AsyncSession, user_id: UUID) -> None:
    """Forget where somebody worked."""
    await session.execute(delete(BranchStaff).where(BranchStaff.user_id == user_id))


STAFF: Final = PersonalData(
    name="car_hire.staff",
    title=_("Branches where you work"),
    tables=("car_hire_branch_staff",),
    export=export,
    erase=erase,
)

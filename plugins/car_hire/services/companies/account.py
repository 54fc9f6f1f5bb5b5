"""What a company owes by papers: each stands on its account once, until a statement takes it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import AccountEntry, Paper


async def enter(session: AsyncSession, company_id: UUID, paper: Paper) -> None:
    """A paper goes on the account; once, however often this runs."""
    await session.execute(
        insert(AccountEntry)
        .values(
            paper_id=paper.id, company_id=company_id, issued_on=paper.issued_on, amount=paper.gross
        )
        .on_conflict_do_nothing(index_elements=[AccountEntry.paper_id])
    )

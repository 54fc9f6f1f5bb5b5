"""What a company owes by papers: each stands on its account once, until a statement takes it.

Invoices are above zero there, credit notes below; so is a statement that came to less than
nothing, until the next one takes it into account.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import AccountEntry, Paper


async def enter(
    session: AsyncSession, company_id: UUID, paper: Paper, amount: Decimal | None = None
) -> None:
    """A paper goes on the account, with what it comes to or ``amount``; once, however often this
    runs."""
    values = {
        "paper_id": paper.id,
        "company_id": company_id,
        "issued_on": paper.issued_on,
        "amount": paper.gross if amount is None else amount,
    }
    await session.execute(
        insert(AccountEntry)
        .values(values)
        .on_conflict_do_nothing(index_elements=[AccountEntry.paper_id])
    )


async def of_paper(session: AsyncSession, paper_id: UUID) -> UUID | None:
    """The company on whose account a paper stands, or stood before it was stated."""
    query = select(AccountEntry.company_id).where(AccountEntry.paper_id == paper_id)
    found: UUID | None = await session.scalar(query)
    return found

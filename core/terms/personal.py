"""What is kept of people here: which terms they accepted."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import _
from core.personal import PersonalData, Rows
from core.terms.models import TermsAcceptance


async def acceptances(session: AsyncSession, user_id: UUID) -> Rows:
    """Which versions they accepted, in which language and with which digest."""
    query = select(TermsAcceptance).where(TermsAcceptance.user_id == user_id)
    return [
        {
            "document": each.kind,
            "version": each.number,
            "language": each.locale,
            "sha256": each.digest,
            "accepted_at": each.accepted_at,
            "from": each.address,
        }
        for each in await session.scalars(query.order_by(TermsAcceptance.accepted_at))
    ]


async def forget_where(session: AsyncSession, user_id: UUID) -> None:
    """From where it was. That somebody accepted stays as evidence, by an id that names nobody."""
    mine = update(TermsAcceptance).where(TermsAcceptance.user_id == user_id)
    await session.execute(mine.values(address=None))


ACCEPTANCES: Final = PersonalData(
    name="terms",
    title=_("Terms that were accepted"),
    tables=("terms_acceptances",),
    export=acceptances,
    erase=forget_where,
)

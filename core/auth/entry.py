"""One-time tokens: from the portal into a tenant within a minute, invitations, and links by mail.

A token exists in the scope of the tenant it opens, and only as its hash. Whoever deletes its
row has used it; PostgreSQL lets one of any number do that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import OneTimeToken, User
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.ids import new_id

ENTER_WITHIN: Final = timedelta(seconds=60)
ACCEPT_WITHIN: Final = timedelta(days=7)
RESET_WITHIN: Final = timedelta(minutes=30)
CONFIRM_WITHIN: Final = timedelta(days=7)


async def issue(session: AsyncSession, user_id: UUID) -> str:
    """A token that lets a person of the ``session``'s tenant in at ``/enter``, once, within 60
    seconds of the database's clock."""
    return await _issue(session, user_id, "enter", ENTER_WITHIN)


async def issue_invitation(session: AsyncSession, user_id: UUID) -> str:
    """A token with which a person chooses a password within a week; earlier ones end."""
    await _revoke(session, user_id, "invite")
    return await _issue(session, user_id, "invite", ACCEPT_WITHIN)


async def issue_reset(session: AsyncSession, user_id: UUID) -> str:
    """A token with which a person chooses another password soon; earlier ones end."""
    await _revoke(session, user_id, "reset")
    return await _issue(session, user_id, "reset", RESET_WITHIN)


async def issue_confirmation(session: AsyncSession, user_id: UUID) -> str:
    """A token that proves, within a week, that a person reads their mail; earlier ones end."""
    await _revoke(session, user_id, "confirm")
    return await _issue(session, user_id, "confirm", CONFIRM_WITHIN)


async def end_choosing(session: AsyncSession, user_id: UUID) -> None:
    """End every link by which a person could choose a password: they have chosen one.

    Invitations too: whoever passed one on still knows it, and it would do for days.
    """
    await _revoke(session, user_id, "invite", "reset")


async def _revoke(session: AsyncSession, user_id: UUID, *purposes: str) -> None:
    await session.execute(
        delete(OneTimeToken).where(
            OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes)
        )
    )


async def _issue(session: AsyncSession, user_id: UUID, purpose: str, within: timedelta) -> str:
    token = fresh_token()
    await session.execute(
        insert(OneTimeToken).values(
            id=new_id(),
            user_id=user_id,
            purpose=purpose,
            token_hash=digest(token),
            expires_at=func.now() + within,
        )
    )
    return token


async def consume(session: AsyncSession, token: str, purpose: str) -> UUID | None:
    """Whose token it was; None if it was used, has expired, or the person is disabled."""
    if not token or len(token) > MAX_LENGTH:
        return None
    return await session.scalar(
        delete(OneTimeToken)
        .where(
            OneTimeToken.token_hash == digest(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.expires_at > func.now(),
            OneTimeToken.user_id.in_(select(User.id).where(User.disabled_at.is_(None))),
        )
        .returning(OneTimeToken.user_id)
    )


async def holder(session: AsyncSession, token: str, purpose: str) -> User | None:
    """Whom a token is for, without using it: mail scanners open links too."""
    if not token or len(token) > MAX_LENGTH:
        return None
    query = (
        select(User)
        .join(OneTimeToken, OneTimeToken.user_id == User.id)
        .where(
            OneTimeToken.token_hash == digest(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.expires_at > func.now(),
            User.disabled_at.is_(None),
        )
    )
    return (await session.scalars(query)).one_or_none()

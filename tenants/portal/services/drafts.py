"""Sign-ups in the making: what was typed is kept, so that nobody types it twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.tokens import MAX_LENGTH, digest
from core.clock import now
from tenants.portal.models import SignUpDraft

KEPT_FOR: Final = timedelta(days=14)
LONGEST: Final = 2_000
MOST_VALUES: Final = 100
_AT_ONCE: Final = 50


async def find(session: AsyncSession, token: str, *, lock: bool = False) -> SignUpDraft | None:
    """The draft of the browser that holds ``token``; locked, nobody else can submit it."""
    if not token or len(token) > MAX_LENGTH:
        return None
    return await session.get(SignUpDraft, digest(token), with_for_update=lock or None)


async def keep(session: AsyncSession, token: str, step: str, typed: Mapping[str, Any]) -> None:
    """Remember what was typed in ``step``, in place of what was typed there before.

    A draft that has become a business is left alone.
    """
    await _forget_old(session)
    wanted = insert(SignUpDraft).values(token_hash=digest(token), data={step: storable(typed)})
    await session.execute(
        wanted.on_conflict_do_update(
            index_elements=[SignUpDraft.token_hash],
            set_={
                "data": SignUpDraft.data.op("||")(wanted.excluded.data),
                "changed_at": now(),
            },
            where=SignUpDraft.tenant_id.is_(None),
        )
    )


async def keep_password(session: AsyncSession, token: str, password_hash: str) -> None:
    """Remember the password that was chosen: its hash."""
    await session.execute(
        update(SignUpDraft)
        .where(SignUpDraft.token_hash == digest(token), SignUpDraft.tenant_id.is_(None))
        .values(password_hash=password_hash, changed_at=now())
    )


async def close(
    session: AsyncSession, draft: SignUpDraft, tenant_id: UUID, new_account_id: UUID | None
) -> None:
    """The draft has become a tenant: keep which, and forget what was typed."""
    draft.tenant_id = tenant_id
    draft.new_account_id = new_account_id
    draft.data = {}
    draft.password_hash = None
    draft.changed_at = now()
    await session.flush()


def storable(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as far as PostgreSQL can keep it: no NUL, no lone surrogates, not endless."""
    return {
        _plain(key): [_plain(each) for each in value[:MOST_VALUES]]
        if isinstance(value, list)
        else _plain(value)
        for key, value in list(typed.items())[:MOST_VALUES]
    }


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    return text[:LONGEST].replace("\0", "").encode("utf-8", "ignore").decode()


async def _forget_old(session: AsyncSession) -> None:
    """Sweep up a few abandoned drafts: they hold names and addresses of people who left."""
    old = (
        select(SignUpDraft.token_hash)
        .where(SignUpDraft.changed_at < now() - KEPT_FOR)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(SignUpDraft).where(SignUpDraft.token_hash.in_(old)))

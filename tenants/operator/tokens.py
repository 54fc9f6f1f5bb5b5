"""Tokens with which programs (a deployment tool, a monitor) use the control-plane API.

A token is shown once, when it is made; the database keeps its hash. It is looked up at every
request, so that revoking one takes effect at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth import identity as identities
from core.auth.identity import Identity
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.clock import now
from core.errors import Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant
from tenants.operator.models import OperatorToken
from tenants.operator.permissions import ACT, LOOK

PREFIX: Final = "atop_"
"""Begins every token, so that one that strayed into a repository is found by a search."""
NOTE_USED_EVERY: Final = timedelta(minutes=1)
HOLDS: Final = {
    "read": frozenset({LOOK.name}),
    "write": frozenset({LOOK.name, ACT.name}),
}
"""What each kind of access may do."""


async def make(
    session: AsyncSession, name: str, access: str, expires_at: datetime | None = None
) -> tuple[OperatorToken, str]:
    """A new token and its secret, which nobody can be shown again. ``expires_at`` is aware.

    Raises:
        Invalid: naming the field ``name``, ``access`` or ``expires_at``.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Invalid(_("Give the token a name of up to 100 characters"), field="name")
    if access not in HOLDS:
        raise Invalid(_("Choose read or write"), field="access")
    if expires_at is not None and expires_at <= now():
        raise Invalid(_("Choose a moment that is still to come"), field="expires_at")
    secret = PREFIX + fresh_token()
    person = identities.current()
    token = OperatorToken(
        id=new_id(),
        name=name,
        access=access,
        token_hash=digest(secret),
        created_by=person.name if person else audit.SYSTEM,
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    detail = {"name": name, "access": access, "expires_at": expires_at}
    await audit.record(session, "operator.token_made", "operator_token", token.id, detail)
    return token, secret


async def every(session: AsyncSession) -> Sequence[OperatorToken]:
    """All tokens, the newest first, those that count no more included."""
    return (await session.scalars(select(OperatorToken).order_by(OperatorToken.id.desc()))).all()


def state_of(token: OperatorToken) -> str:
    """``counts``, ``expired`` or ``revoked``."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now() else "counts"


async def revoke(session: AsyncSession, token_id: UUID) -> None:
    """Let a token in no more.

    Raises:
        NotFound: there is none.
    """
    token = await session.get(OperatorToken, token_id, with_for_update=True)
    if token is None:
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = now()
        await session.flush()
        detail = {"name": token.name}
        await audit.record(session, "operator.token_revoked", "operator_token", token.id, detail)


class OperatorTokens:
    """The ``core.auth.authority.Machines`` of this software."""

    prefix = PREFIX

    async def find(self, session: AsyncSession, tenant: Tenant, token: str) -> Identity | None:
        """The program whose ``token`` it is, at the portal's host alone."""
        if not tenant.is_platform or len(token) > MAX_LENGTH:
            return None
        counts = OperatorToken.revoked_at.is_(None) & or_(
            OperatorToken.expires_at.is_(None), OperatorToken.expires_at > now()
        )
        known = select(OperatorToken).where(OperatorToken.token_hash == digest(token), counts)
        found = await session.scalar(known)
        if found is None:
            return None
        if found.last_used_at is None or now() - found.last_used_at > NOTE_USED_EVERY:
            await _note_used(session, found.id)
        return Identity(
            user_id=found.id,
            name=found.name,
            email="",
            role=Role.STAFF,
            permissions=HOLDS[found.access],
            session_id=found.id,
            machine=True,
        )


async def _note_used(session: AsyncSession, token_id: UUID) -> None:
    # Requests with one token must not wait for each other: whoever comes second leaves it.
    free = select(OperatorToken.id).where(OperatorToken.id == token_id)
    await session.execute(
        update(OperatorToken)
        .where(OperatorToken.id.in_(free.with_for_update(skip_locked=True)))
        .values(last_used_at=now())
        .execution_options(synchronize_session=False)
    )

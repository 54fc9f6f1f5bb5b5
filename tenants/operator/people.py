"""Operators are people of tenant zero in the role ``staff``; the command line makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth import entry
from core.auth.models import User
from core.auth.sessions import Sessions
from core.errors import Conflict, NotFound
from core.i18n import _
from core.permissions import Role

WORKING = (Role.OWNER.value, Role.ADMIN.value, Role.STAFF.value)


@dataclass(frozen=True, slots=True)
class Granted:
    """Who is an operator now; ``invitation`` lets somebody new choose a password, once."""

    user_id: UUID
    invitation: str | None


async def grant(session: AsyncSession, sessions: Sessions, email: str, name: str = "") -> Granted:
    """Make an operator of a portal account; one is made where there is none.

    Raises:
        Conflict: somebody chose a password for this address and never proved that it is theirs.
    """
    user = await _account(session, email)
    invitation: str | None = None
    if user is None:
        user = User(email=email.lower(), name=name or email.partition("@")[0], role="member")
        session.add(user)
        await session.flush()
        invitation = await entry.issue_invitation(session, user.id)
    elif user.role not in WORKING and user.password_hash and not user.email_confirmed_at:
        raise Conflict(_("This account has not confirmed its e-mail address yet"))
    if user.role not in WORKING:
        await _change(session, sessions, user, Role.STAFF, "operator.granted")
    return Granted(user.id, invitation)


async def withdraw(session: AsyncSession, sessions: Sessions, email: str) -> None:
    """Make an operator a portal account like any other; their sessions end.

    Raises:
        NotFound: this is no operator.
    """
    user = await _account(session, email)
    if user is None or user.role not in WORKING:
        raise NotFound(_("There is no such operator"))
    await _change(session, sessions, user, Role.MEMBER, "operator.withdrawn")


async def every(session: AsyncSession) -> Sequence[User]:
    """Everybody who may use the console."""
    query = select(User).where(User.role.in_(WORKING)).order_by(User.email)
    return (await session.scalars(query)).all()


async def _account(session: AsyncSession, email: str) -> User | None:
    found: User | None = await session.scalar(
        select(User).where(User.email == email.lower()).with_for_update()
    )
    return found


async def _change(
    session: AsyncSession, sessions: Sessions, user: User, role: Role, act: str
) -> None:
    before, user.role = user.role, role.value
    await session.flush()
    await sessions.end_all(session, user.id)
    detail = {"from": before, "to": role.value}
    await audit.record(session, act, "user", user.id, detail)

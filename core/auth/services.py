"""What people do about their own account: register, sign in and out, change it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import origin
from core.audit import services as audit
from core.auth import entry, seats
from core.auth import identity as identities
from core.auth.allowances import PER_ACCOUNT, PER_SOURCE, SIGN_UPS_PER_SOURCE
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.auth.models import User, UserSession
from core.auth.names import clean_email, clean_locale, clean_name
from core.auth.passwords import check_rules
from core.db import outside
from core.errors import Conflict, Invalid, NotFound, Unauthenticated
from core.i18n import _
from core.ids import new_id
from core.permissions import Role

log = structlog.get_logger(__name__)


class WrongCredentials(Invalid):
    """The e-mail and password do not belong together; which of them is wrong is not said."""

    status = 401
    code = "wrong_credentials"
    title = _("The e-mail or the password is not right.")


class EmailTaken(Conflict):
    """Somebody here has this e-mail address already."""

    code = "email_taken"
    title = _("There is an account with this e-mail address already. Please sign in.")


class SignedIn(NamedTuple):
    """A fresh session: ``token`` is the browser's or the program's secret, shown once."""

    token: str
    identity: Identity


async def create_person(
    session: AsyncSession,
    *,
    email: str,
    name: str,
    role: Role,
    password_hash: str | None = None,
    locale: str | None = None,
) -> UUID:
    """Add a person to the tenant.

    Raises:
        EmailTaken: the e-mail is another person's.
        QuotaExceeded: it is one who works there, and no seat is free.
        Invalid: the e-mail or the name cannot be one.
    """
    await seats.change(session, sits=False, is_to=role is not Role.MEMBER)
    person = insert(User).values(
        id=new_id(),
        email=clean_email(email),
        name=clean_name(name),
        role=role.value,
        password_hash=password_hash,
        locale=clean_locale(locale),
    )
    made: UUID | None = await session.scalar(
        person.on_conflict_do_nothing(index_elements=["email"]).returning(User.id)
    )
    if made is None:
        raise EmailTaken(field="email")
    return made


async def register(
    session: AsyncSession, authority: Authority, *, email: str, name: str, password: str
) -> SignedIn:
    """A customer makes an account and is signed in.

    Raises:
        Invalid: naming the field.
        EmailTaken: they have one.
        TooManyRequests: too many accounts from one source.
    """
    email, name = clean_email(email), clean_name(name)
    check_rules(password, email=email, name=name)
    await authority.throttle.take(SIGN_UPS_PER_SOURCE, origin.line())
    hashed = await outside(session, lambda: authority.passwords.hash(password))
    person = await create_person(
        session, email=email, name=name, role=Role.MEMBER, password_hash=hashed
    )
    return await enter(session, authority, person, "core.registered")


async def sign_in(
    session: AsyncSession,
    authority: Authority,
    *,
    email: str,
    password: str,
    kind: str = "page",
) -> SignedIn:
    """Begin a session for whoever knows the password of ``email``.

    Raises:
        WrongCredentials: nobody does, or the account is disabled.
        TooManyRequests: too many attempts on the account or from this source.
        Unavailable: too many sign-ins at this moment.
    """
    account, source = _searchable(email.strip().lower()), origin.line()
    await authority.throttle.take(PER_SOURCE, source)
    await authority.throttle.take(PER_ACCOUNT, account)
    query = select(User.id, User.password_hash).where(
        User.email == account, User.disabled_at.is_(None)
    )
    found = (await session.execute(query)).one_or_none()
    kept = found.password_hash if found else None
    if not await outside(session, lambda: authority.passwords.matches(password, kept)):
        log.info("auth.sign_in_refused", user=str(found.id) if found else None)
        raise WrongCredentials
    assert found is not None
    await authority.throttle.give_back(PER_SOURCE, source)
    await authority.throttle.clear(PER_ACCOUNT, account)
    if authority.passwords.outdated(kept or ""):
        renewed = await outside(session, lambda: authority.passwords.hash(password))
        # Only if nobody chose another password meanwhile.
        unchanged = (User.id == found.id, User.password_hash == kept)
        await session.execute(update(User).where(*unchanged).values(password_hash=renewed))
    return await enter(session, authority, found.id, "core.signed_in", kind)


async def enter(
    session: AsyncSession, authority: Authority, user_id: UUID, action: str, kind: str = "page"
) -> SignedIn:
    """Begin a session for a person who has proven who they are, and note it as ``action``."""
    token = await authority.sessions.begin(session, user_id, kind)
    identity = await authority.sessions.look_up(session, token, kind)
    if identity is None:  # disabled in this very moment
        raise WrongCredentials
    identities.become(identity)
    await audit.record(session, action, "user", user_id, {"kind": kind})
    return SignedIn(token, identity)


async def sign_out(session: AsyncSession, authority: Authority, identity: Identity) -> None:
    """End the session that asks."""
    await authority.sessions.end(session, identity.user_id, identity.session_id)
    await audit.record(session, "core.signed_out", "user", identity.user_id)


async def change_password(
    session: AsyncSession, authority: Authority, identity: Identity, *, current: str, new: str
) -> SignedIn:
    """Choose another password: every session ends, and a new one begins for who asked.

    Raises:
        Invalid: the current password is not right, or the new one breaks a rule.
    """
    check_rules(new, email=identity.email, name=identity.name, field="new")
    await authority.throttle.take(PER_ACCOUNT, identity.email)
    kept = await session.scalar(select(User.password_hash).where(User.id == identity.user_id))
    if kept is not None and not await outside(
        session, lambda: authority.passwords.matches(current, kept)
    ):
        raise Invalid(_("This is not your present password."), field="current")
    await authority.throttle.clear(PER_ACCOUNT, identity.email)
    hashed = await outside(session, lambda: authority.passwords.hash(new))
    await session.execute(
        update(User).where(User.id == identity.user_id).values(password_hash=hashed)
    )
    await authority.sessions.end_all(session, identity.user_id)
    await entry.end_choosing(session, identity.user_id)
    return await enter(session, authority, identity.user_id, "core.password_changed")


async def update_profile(
    session: AsyncSession,
    authority: Authority,
    identity: Identity,
    *,
    name: str,
    locale: str | None,
) -> None:
    """Change the name people see and the language one reads.

    Raises:
        Invalid: naming the field.
    """
    values = {"name": clean_name(name), "locale": clean_locale(locale)}
    await session.execute(update(User).where(User.id == identity.user_id).values(**values))
    authority.sessions.forget_after(session, identity.user_id)
    await audit.record(session, "core.profile_changed", "user", identity.user_id)


async def own_sessions(session: AsyncSession, identity: Identity) -> list[UserSession]:
    """Where a person is signed in, the latest first."""
    query = (
        select(UserSession)
        .where(UserSession.user_id == identity.user_id)
        .order_by(UserSession.last_seen_at.desc())
    )
    return list((await session.scalars(query)).all())


async def end_session(
    session: AsyncSession, authority: Authority, identity: Identity, session_id: UUID
) -> None:
    """Sign one of the person's own sessions out.

    Raises:
        NotFound: they have no such session.
    """
    if not await authority.sessions.end(session, identity.user_id, session_id):
        raise NotFound
    await audit.record(session, "core.session_ended", "session", session_id)


async def end_other_sessions(
    session: AsyncSession, authority: Authority, identity: Identity
) -> None:
    """Sign out everywhere but here."""
    await authority.sessions.end_all(session, identity.user_id, but=identity.session_id)
    await audit.record(session, "core.other_sessions_ended", "user", identity.user_id)


async def person(session: AsyncSession, user_id: UUID) -> User:
    """One person of the tenant.

    Raises:
        Unauthenticated: there is no such person.
    """
    found = await session.get(User, user_id)
    if found is None:
        raise Unauthenticated
    return found


def _searchable(text: str) -> str:
    """What PostgreSQL accepts as a parameter; such an account cannot exist, and is not found."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")

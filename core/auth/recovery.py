"""Links by mail: to choose another password, and to confirm that an address is one's own."""

from __future__ import annotations

from typing import ClassVar, Final
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail, origin
from core.audit import services as audit
from core.auth import entry
from core.auth.allowances import (
    LETTERS_PER_ACCOUNT,
    LETTERS_PER_SOURCE,
    PER_ACCOUNT,
    WELCOMES_PER_ADDRESS,
    WELCOMES_PER_NETWORK,
)
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.auth.models import User
from core.auth.names import clean_email
from core.auth.passwords import check_rules
from core.auth.services import SignedIn, enter
from core.db import outside
from core.errors import NotFound, TooManyRequests
from core.events import Event, emit
from core.i18n import _
from core.jobs import put

log = structlog.get_logger(__name__)

SEND_RESET: Final = "core.send_reset"


class PasswordReset(Event, frozen=True, kw_only=True):
    """Somebody chose another password by a letter: whoever knew the old one is to be out."""

    name: ClassVar[str] = "core.password_reset"
    user_id: UUID


class LinkOver(NotFound):
    """The link was used, has expired, or never was."""

    code = "link_over"
    title = _("This link is used up")


async def ask_reset(
    session: AsyncSession, authority: Authority, *, email: str, link: str, locale: str
) -> None:
    """Have a letter sent to whoever has the account ``email``; ``link`` takes ``?token=``.

    Whether there is one is looked up by a job, so that neither the answer nor the time it takes
    tells a stranger.

    Raises:
        Invalid: this cannot be an e-mail address.
        TooManyRequests: too many letters to the address or from this source.
    """
    email = clean_email(email)
    await authority.throttle.take(LETTERS_PER_SOURCE, origin.line())
    await authority.throttle.take(LETTERS_PER_ACCOUNT, email)
    await put(session, SEND_RESET, {"email": email, "link": link, "locale": locale})


async def send_reset(session: AsyncSession, email: str, link: str, locale: str) -> None:
    """Write the letter, if there is such an account and it may sign in."""
    question = select(User).where(User.email == email, User.disabled_at.is_(None))
    person = (await session.scalars(question)).one_or_none()
    if person is None:
        return
    token = await entry.issue_reset(session, person.id)
    said = {"name": person.name, "link": f"{link}?token={token}"}
    await mail.send(session, "auth/mail/reset", email, said, locale=person.locale or locale)
    await audit.record(session, "core.password_reset_asked", "user", person.id)


async def reset(
    session: AsyncSession, authority: Authority, *, token: str, password: str
) -> SignedIn:
    """Choose another password by the token of a letter: every session ends, a new one begins.

    Raises:
        LinkOver: the token does not count any more.
        Invalid: the password breaks a rule.
    """
    person = await entry.holder(session, token, "reset")
    if person is None:
        raise LinkOver
    check_rules(password, email=person.email, name=person.name)
    user_id, email = person.id, person.email
    hashed = await outside(session, lambda: authority.passwords.hash(password))
    if await entry.consume(session, token, "reset") is None:  # somebody was faster
        raise LinkOver
    await session.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=hashed, email_confirmed_at=_first_confirmed())
    )
    await entry.end_choosing(session, user_id)
    await authority.sessions.end_all(session, user_id)
    await emit(session, PasswordReset(user_id=user_id))
    await authority.throttle.clear(PER_ACCOUNT, email)
    return await enter(session, authority, user_id, "core.password_reset")


async def welcome(session: AsyncSession, authority: Authority, user_id: UUID, link: str) -> None:
    """Have somebody who has just signed up confirm their address, unless that address, or the
    network that asks, was sent many such letters: then it is the next page that offers one.

    Nobody's mailbox is to be filled by typing their address at one business after the other.
    """
    person = await session.get_one(User, user_id)
    network = origin.neighbourhood() or origin.UNKNOWN
    try:
        await authority.throttle.take(WELCOMES_PER_NETWORK, network)
        await authority.throttle.take(WELCOMES_PER_ADDRESS, person.email)
    except TooManyRequests:
        log.warning("welcome.held_back", network=network)
        return
    await _ask_confirmation(session, user_id, link)


async def _ask_confirmation(session: AsyncSession, user_id: UUID, link: str) -> None:
    """Send a person a letter whose link (``link`` with ``?token=``) confirms their address."""
    person = await session.get_one(User, user_id)
    token = await entry.issue_confirmation(session, user_id)
    said = {"name": person.name, "link": f"{link}?token={token}"}
    await mail.send(session, "auth/mail/confirm", person.email, said, locale=person.locale)


async def ask_confirmation_again(
    session: AsyncSession, authority: Authority, identity: Identity, link: str
) -> None:
    """The letter once more; the link of the one before ends.

    Raises:
        TooManyRequests: it was asked for often enough.
    """
    await authority.throttle.take(LETTERS_PER_ACCOUNT, identity.email)
    await authority.throttle.take(WELCOMES_PER_ADDRESS, identity.email)
    await _ask_confirmation(session, identity.user_id, link)


async def confirm(session: AsyncSession, token: str) -> None:
    """Note that the address is its owner's.

    Raises:
        LinkOver: the token does not count any more.
    """
    user_id = await entry.consume(session, token, "confirm")
    if user_id is None:
        raise LinkOver
    await session.execute(
        update(User).where(User.id == user_id).values(email_confirmed_at=_first_confirmed())
    )
    await audit.record(session, "core.email_confirmed", "user", user_id)


def _first_confirmed() -> object:
    return func.coalesce(User.email_confirmed_at, func.now())

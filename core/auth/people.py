"""What admins do about the people of their tenant: find, invite, change roles, disable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import entry, seats
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.auth.models import User
from core.auth.names import clean_name
from core.auth.passwords import check_rules
from core.auth.services import SignedIn, create_person, enter
from core.db import outside
from core.errors import Conflict, Forbidden, NotFound
from core.i18n import _
from core.permissions import Role

PAGE_SIZE: Final = 50


class InvitationOver(NotFound):
    """The invitation was used, has expired, or never was."""

    code = "invitation_over"
    title = _("This invitation is no longer valid. Please ask for a new one.")


class Invited(NamedTuple):
    """A person who may come in by the one-time ``token``."""

    user_id: UUID
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Whom to show; empty fields ask for everyone."""

    text: str = ""
    role: Role | None = None


async def find(
    session: AsyncSession, wanted: PeopleFilter, after: UUID | None = None
) -> tuple[Sequence[User], UUID | None]:
    """A page of people, the newest first, and the id that asks for the next page."""
    query = select(User).order_by(User.id.desc())
    if wanted.text:
        folded = wanted.text.casefold()
        query = query.where(
            or_(
                func.lower(User.name).contains(folded, autoescape=True),
                User.email.contains(folded, autoescape=True),
            )
        )
    if wanted.role is not None:
        query = query.where(User.role == wanted.role.value)
    if after is not None:
        query = query.where(User.id < after)
    found = (await session.scalars(query.limit(PAGE_SIZE + 1))).all()
    page = found[:PAGE_SIZE]
    return page, page[-1].id if len(found) > PAGE_SIZE else None


async def invite(
    session: AsyncSession, actor: Identity, *, email: str, name: str, role: Role
) -> Invited:
    """Add a person who chooses a password by the link that holds the token.

    Raises:
        EmailTaken: they are here already.
        Forbidden: ``actor`` may not give that role.
    """
    _insist_may_give(actor, role)
    user_id = await create_person(session, email=email, name=name, role=role)
    await audit.record(session, "core.person_invited", "user", user_id, {"role": role.value})
    return Invited(user_id, await entry.issue_invitation(session, user_id))


async def invite_again(session: AsyncSession, actor: Identity, user_id: UUID) -> Invited:
    """A fresh link for somebody who has no password yet; earlier links stop working.

    Raises:
        Conflict: they have chosen one already.
    """
    target = await _other(session, actor, user_id)
    if target.password_hash is not None:
        raise Conflict(_("This person has chosen a password already."))
    await audit.record(session, "core.person_invited", "user", user_id, {"again": True})
    return Invited(user_id, await entry.issue_invitation(session, user_id))


async def accept_invitation(
    session: AsyncSession, authority: Authority, *, token: str, password: str
) -> SignedIn:
    """Choose the first password and come in.

    Raises:
        InvitationOver: the link does not count any more.
        Invalid: the password breaks a rule.
    """
    target = await entry.holder(session, token, "invite")
    if target is None:
        raise InvitationOver
    check_rules(password, email=target.email, name=target.name)
    hashed = await outside(session, lambda: authority.passwords.hash(password))
    if await entry.consume(session, token, "invite") is None:  # somebody was faster
        raise InvitationOver
    fresh = await session.get_one(User, target.id, populate_existing=True)
    fresh.password_hash = hashed
    await session.flush()
    await entry.end_choosing(session, fresh.id)
    return await enter(session, authority, fresh.id, "core.invitation_accepted")


async def change_role(
    session: AsyncSession, authority: Authority, actor: Identity, user_id: UUID, role: Role
) -> None:
    """Give a person another role; their sessions end, so that nothing of the old one lives on.

    Raises:
        Forbidden: ``actor`` may not, or it is their own.
        QuotaExceeded: no seat is free.
    """
    target = await _other(session, actor, user_id)
    _insist_may_give(actor, role)
    if target.role == role.value:
        return
    enabled, customer = target.disabled_at is None, Role.MEMBER.value
    await seats.change(
        session, sits=enabled and target.role != customer, is_to=enabled and role != customer
    )
    before, target.role = target.role, role.value
    await session.flush()
    await authority.sessions.end_all(session, user_id)
    detail = {"from": before, "to": role.value}
    await audit.record(session, "core.role_changed", "user", user_id, detail)


async def disable(
    session: AsyncSession, authority: Authority, actor: Identity, user_id: UUID
) -> None:
    """Let a person in no more; what they did stays.

    Raises:
        Forbidden: ``actor`` may not, or it is themselves.
    """
    target = await _other(session, actor, user_id)
    sits = target.disabled_at is None and target.role != Role.MEMBER.value
    await seats.change(session, sits=sits, is_to=False)
    target.disabled_at = target.disabled_at or clock.now()
    await session.flush()
    await authority.sessions.end_all(session, user_id)
    await audit.record(session, "core.person_disabled", "user", user_id)


async def enable(session: AsyncSession, actor: Identity, user_id: UUID) -> None:
    """Let a disabled person in again.

    Raises:
        Forbidden: ``actor`` may not.
        QuotaExceeded: no seat is free.
    """
    target = await _other(session, actor, user_id)
    works = target.role != Role.MEMBER.value
    await seats.change(session, sits=works and target.disabled_at is None, is_to=works)
    target.disabled_at = None
    await session.flush()
    await audit.record(session, "core.person_enabled", "user", user_id)


async def rename(
    session: AsyncSession, authority: Authority, actor: Identity, user_id: UUID, name: str
) -> None:
    """Correct a person's name."""
    target = await _other(session, actor, user_id)
    target.name = clean_name(name)
    await session.flush()
    authority.sessions.forget_after(session, user_id)
    await audit.record(session, "core.person_renamed", "user", user_id)


async def _other(session: AsyncSession, actor: Identity, user_id: UUID) -> User:
    """Somebody else whom ``actor`` may change, locked.

    The owners are locked first, all of them in one order: two who demote each other at once
    would otherwise leave none.
    """
    owners = select(User.id, User.disabled_at).where(User.role == Role.OWNER.value)
    rows = (await session.execute(owners.order_by(User.id).with_for_update())).all()
    target = await session.get(User, user_id, with_for_update=True, populate_existing=True)
    if target is None:
        raise NotFound
    if target.id == actor.user_id:
        raise Forbidden(_("You cannot do this to yourself. Ask another owner or admin."))
    if target.role == Role.OWNER.value:
        _insist(actor.user_id in {row.id for row in rows if row.disabled_at is None})
    return target


def _insist_may_give(actor: Identity, role: Role) -> None:
    _insist(role is not Role.OWNER or actor.role is Role.OWNER)


def _insist(allowed: bool) -> None:
    if not allowed:
        raise Forbidden(_("Only an owner can do this."))

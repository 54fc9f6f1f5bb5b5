"""Sessions on the server: begun, found again, ended. The browser holds nothing but a secret.

Finding one costs no query most of the time: who it is stays in this process for seconds, and
a signal ends that everywhere when a session ends or a person changes. Without signals (Redis
is away) an entry lives so briefly that a session ended elsewhere is gone soon all the same.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, origin
from core.auth.identity import Identity
from core.auth.models import OneTimeToken, User, UserSession
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.db import after_commit
from core.ids import new_id
from core.permissions import Role
from core.reads import Read
from core.scope import Tenant
from core.signals import Signals

IDLE: Final = timedelta(days=7)
ABSOLUTE: Final = timedelta(days=30)
NOTE_SEEN_EVERY: Final = timedelta(minutes=5)
CACHED_FOR: Final = 10.0
"""Seconds that an identity is believed while signals reach us."""
CACHED_UNHEARD_FOR: Final = 1.0
"""Seconds while they do not."""
CHANNEL: Final = "auth.sessions"


_SESSIONS: Final = UserSession.__table__.c
_USERS: Final = User.__table__.c
_FOUND: Final = Read(
    select(
        _SESSIONS.id,
        _SESSIONS.last_seen_at,
        _SESSIONS.expires_at,
        _USERS.id.label("user_id"),
        _USERS.name,
        _USERS.email,
        _USERS.role,
        _USERS.locale,
    )
    .join_from(UserSession.__table__, User.__table__, _USERS.id == _SESSIONS.user_id)
    .where(
        _SESSIONS.token_hash == bindparam("token_hash"),
        _SESSIONS.kind == bindparam("kind"),
        _USERS.disabled_at.is_(None),
    )
)


class Known(NamedTuple):
    """What the database said of a session, and when (monotonic seconds); ``seen_at`` is when its
    person last did something, as far as that was noted."""

    identity: Identity
    read_at: float
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Which secret, used how, at whose host."""

    tenant_id: UUID
    token_hash: bytes
    kind: str


class SessionCache:
    """Who the sessions are that this process met in the last seconds."""

    def __init__(self, signals: Signals | None = None, *, size: int = 50_000) -> None:
        self._signals = signals
        self._size = size
        self._known: OrderedDict[SessionKey, Known] = OrderedDict()
        self.epoch = 0
        """Grows with every invalidation: what was read before one must not be kept after it."""
        if signals is not None:
            signals.subscribe(CHANNEL, self._heard)

    def get(self, key: SessionKey) -> Known | None:
        """What is known of a session, if it was read moments ago."""
        known = self._known.get(key)
        if known is None:
            return None
        heard = self._signals is not None and self._signals.connected.is_set()
        if time.monotonic() - known.read_at > (CACHED_FOR if heard else CACHED_UNHEARD_FOR):
            del self._known[key]
            return None
        return known

    def put(self, key: SessionKey, known: Known, epoch: int) -> None:
        """Keep what was read while ``epoch`` was the present one."""
        if epoch != self.epoch:
            return
        # Some grow old sooner than others: what came at once must not all be asked for at once.
        early = random.random() * CACHED_FOR / 2  # noqa: S311  # spreads load, guards nothing
        self._known[key] = known._replace(read_at=known.read_at - early)
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    def note_seen(self, key: SessionKey, moment: datetime) -> None:
        """Remember that the person of a session did something."""
        if (known := self._known.get(key)) is not None:
            self._known[key] = known._replace(seen_at=moment)

    def forget(self, tenant_id: UUID, user_id: UUID) -> None:
        """Forget a person's sessions in this process."""
        self.epoch += 1
        gone = [
            key
            for key, known in self._known.items()
            if key.tenant_id == tenant_id and known.identity.user_id == user_id
        ]
        for key in gone:
            del self._known[key]

    async def forget_everywhere(self, tenant_id: UUID, user_id: UUID) -> None:
        """Forget a person's sessions in every process."""
        self.forget(tenant_id, user_id)
        if self._signals is not None:
            await self._signals.publish(CHANNEL, f"{tenant_id} {user_id}")

    def _heard(self, key: str | None) -> None:
        if key is None:  # anything may have changed while nothing was heard
            self.epoch += 1
            self._known.clear()
        else:
            tenant_id, _, user_id = key.partition(" ")
            self.forget(UUID(tenant_id), UUID(user_id))


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of every tenant; ``permissions`` says what a role may do at one."""

    cache: SessionCache
    permissions: Callable[[Tenant, Role], frozenset[str]]

    async def begin(self, session: AsyncSession, user_id: UUID, kind: str = "page") -> str:
        """Sign a person in and give the secret that proves it from now on."""
        token, moment = fresh_token(), clock.now()
        source = origin.current()
        await session.execute(
            insert(UserSession).values(
                id=new_id(),
                user_id=user_id,
                kind=kind,
                token_hash=digest(token),
                address=source.address if source else origin.UNKNOWN,
                agent=source.agent[:300] if source else "",
                created_at=moment,
                last_seen_at=moment,
                expires_at=moment + ABSOLUTE,
            )
        )
        return token

    async def find(
        self, session: AsyncSession, tenant: Tenant, token: str, kind: str
    ) -> Identity | None:
        """Who does something by the secret ``token``, or None when their session is over or never
        was."""
        known, moment = await self._known(session, tenant, token, kind), clock.now()
        if known is None:
            return None
        if moment - known.seen_at > NOTE_SEEN_EVERY:
            await _note_seen(session, known.identity.session_id)
            self.cache.note_seen(SessionKey(tenant.id, digest(token), kind), moment)
        return known.identity

    async def look_on(
        self, session: AsyncSession, tenant: Tenant, token: str, kind: str
    ) -> Identity | None:
        """Whose secret ``token`` is, for what goes on by itself, as a stream does: nobody has done
        anything, so a session that is idle ends in spite of it."""
        known = await self._known(session, tenant, token, kind)
        return known.identity if known is not None else None

    async def look_up(self, session: AsyncSession, token: str, kind: str) -> Identity | None:
        """Whose secret ``token`` is, asked of the database and not remembered."""
        tenant: Tenant = session.info["tenant"]
        known = await self._read(session, tenant, SessionKey(tenant.id, digest(token), kind))
        return known.identity if known is not None else None

    async def _known(
        self, session: AsyncSession, tenant: Tenant, token: str, kind: str
    ) -> Known | None:
        if not token or len(token) > MAX_LENGTH:
            return None
        key = SessionKey(tenant.id, digest(token), kind)
        if (known := self.cache.get(key)) is not None:
            return known
        epoch = self.cache.epoch
        read = await self._read(session, tenant, key)
        if read is not None:
            self.cache.put(key, read, epoch)
        return read

    async def _read(self, session: AsyncSession, tenant: Tenant, key: SessionKey) -> Known | None:
        row = await _FOUND.one_or_none(session, token_hash=key.token_hash, kind=key.kind)
        if row is None or clock.now() >= min(row["expires_at"], row["last_seen_at"] + IDLE):
            return None
        role = Role(row["role"])
        identity = Identity(
            user_id=row["user_id"],
            name=row["name"],
            email=row["email"],
            role=role,
            permissions=self.permissions(tenant, role),
            session_id=row["id"],
            locale=row["locale"],
        )
        return Known(identity, time.monotonic(), row["last_seen_at"])

    async def end(self, session: AsyncSession, user_id: UUID, session_id: UUID) -> bool:
        """End one session of a person; False if they have no such session."""
        ended = await session.scalar(
            delete(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == user_id)
            .returning(UserSession.id)
        )
        self.forget_after(session, user_id)
        return ended is not None

    async def end_all(
        self, session: AsyncSession, user_id: UUID, *, but: UUID | None = None
    ) -> None:
        """End every session of a person, save one if it is named."""
        query = delete(UserSession).where(UserSession.user_id == user_id)
        if but is not None:
            query = query.where(UserSession.id != but)
        await session.execute(query)
        self.forget_after(session, user_id)

    async def end_entered(self, session: AsyncSession, user_id: UUID) -> None:
        """End every session of a person, and what would let them in from the portal."""
        mine = OneTimeToken.user_id == user_id, OneTimeToken.purpose == "enter"
        await session.execute(delete(OneTimeToken).where(*mine))
        await self.end_all(session, user_id)

    async def end_by_token(self, session: AsyncSession, token: str) -> None:
        """End the session with this secret, if there is one: nobody signs in on top of another."""
        user_id = await session.scalar(
            delete(UserSession)
            .where(UserSession.token_hash == digest(token))
            .returning(UserSession.user_id)
        )
        if user_id is not None:
            self.forget_after(session, user_id)

    def forget_after(self, session: AsyncSession, user_id: UUID) -> None:
        """Once this transaction has committed, have every process look the person up anew."""
        tenant: Tenant = session.info["tenant"]
        after_commit(session, lambda: self.cache.forget_everywhere(tenant.id, user_id))


async def _note_seen(session: AsyncSession, session_id: UUID) -> None:
    # Requests of one session must not wait for each other: whoever comes second leaves it.
    free = select(UserSession.id).where(UserSession.id == session_id)
    await session.execute(
        update(UserSession)
        .where(UserSession.id.in_(free.with_for_update(skip_locked=True)))
        .values(last_seen_at=clock.now())
        .execution_options(synchronize_session=False)
    )


async def sweep(session: AsyncSession) -> None:
    """Delete the tenant's sessions and one-time tokens whose time is over."""
    moment = clock.now()
    over = or_(UserSession.expires_at < moment, UserSession.last_seen_at < moment - IDLE)
    await session.execute(delete(UserSession).where(over))
    await session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < moment))

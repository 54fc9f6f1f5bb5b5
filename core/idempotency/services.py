"""Reserve a key, keep the answer, give it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, DomainError
from core.i18n import _
from core.idempotency.models import KeptAnswer
from core.scope import current

KEPT: Final = timedelta(days=30)
_LOCK_TIMED_OUT: Final = "55P03"
PATIENCE: Final = timedelta(minutes=5)
"""No request is worked on for longer; a reservation older than this was interrupted."""
TURN_MS: Final = 10_000
"""How long the second click of a button waits for the answer to the first."""


class InProgress(Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency_in_progress"
    title = _("The first request with this key is still being worked on; ask again in a moment.")


class Interrupted(Conflict):
    """The first request broke off midway; whether it took effect has to be looked up."""

    code = "idempotency_interrupted"
    title = _(
        "The first request with this key was interrupted. Look whether it took effect before"
        " you try again with a new key."
    )


class KeyReused(DomainError):
    """The same key came with another request."""

    status = 422
    code = "idempotency_key_reused"
    title = _("This key was used for a different request; use a new one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Whose key it is, for which route, and what was asked (a digest)."""

    owner: str
    route: str
    key: str
    request: bytes

    def matches(self) -> tuple[ColumnElement[bool], ...]:
        """The row of this reservation."""
        return (
            KeptAnswer.owner == self.owner,
            KeptAnswer.route == self.route,
            KeptAnswer.key == self.key,
        )


async def reserve(session: AsyncSession, wanted: Reservation) -> KeptAnswer | None:
    """The answer that was given before, or None when this request is the first.

    The reservation lies in the request's own transaction: if that is undone, so is it. A
    request that commits midway (``core.db.outside``) makes it durable with its intent, and a
    second one then finds it unanswered.

    Raises:
        InProgress: another request with this key is being worked on.
        Interrupted: it broke off after it had committed something.
        KeyReused: the key belongs to a different request.
    """
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(_lock(wanted)))):
        raise InProgress
    return await _first_or_kept(session, wanted)


async def reserve_in_turn(session: AsyncSession, wanted: Reservation) -> KeptAnswer | None:
    """As ``reserve``, but while another request is being worked on wait for its answer: a
    person whose click came twice sees the page that belongs to the second one.

    Raises:
        InProgress: it took longer than ``TURN_MS``, or committed midway and goes on.
        Interrupted: it broke off after it had committed something.
        KeyReused: the key belongs to a different request.
    """
    turn = select(
        func.set_config("lock_timeout", str(TURN_MS), True),
        func.pg_advisory_xact_lock(_lock(wanted)),
        func.set_config("lock_timeout", "0", True),
    )
    try:
        await session.execute(turn)
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", "") != _LOCK_TIMED_OUT:
            raise
        raise InProgress from problem
    return await _first_or_kept(session, wanted)


def _lock(wanted: Reservation) -> ColumnElement[int]:
    name = "\n".join((current().scope.name, wanted.owner, wanted.route, wanted.key))
    return func.hashtextextended(name, 0)


async def _first_or_kept(session: AsyncSession, wanted: Reservation) -> KeptAnswer | None:
    row = {"owner": wanted.owner, "route": wanted.route, "key": wanted.key}
    first = insert(KeptAnswer).values(**row, request=wanted.request).on_conflict_do_nothing()
    if await session.scalar(first.returning(KeptAnswer.key)) is not None:
        return None
    kept = (await session.scalars(select(KeptAnswer).where(*wanted.matches()))).one()
    if kept.request != wanted.request:
        raise KeyReused
    if kept.status is None:
        raise InProgress if clock.now() - kept.created_at < PATIENCE else Interrupted
    return kept


async def keep(session: AsyncSession, made: Reservation, **answer: Any) -> None:
    """Keep what was answered: ``status``, ``media_type``, ``location`` and ``body``."""
    await session.execute(
        update(KeptAnswer)
        .where(*made.matches(), KeptAnswer.status.is_(None))
        .values(**answer)
        .execution_options(synchronize_session=False)
    )


async def tidy(session: AsyncSession) -> None:
    """Forget answers that are older than ``KEPT``."""
    await session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < clock.now() - KEPT))

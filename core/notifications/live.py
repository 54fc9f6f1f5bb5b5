"""What the bell hears: how much is unread, and what has just happened."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from litestar.response import ServerSentEventMessage

from core.auth.sessions import Sessions
from core.db import Databases, is_away
from core.i18n import reading_in
from core.notifications import reading
from core.notifications.reading import Reader, Standing
from core.scope import Directory, Tenant
from core.web.ears import Ears

log = structlog.get_logger(__name__)

BEAT: Final = 15.0
"""Seconds between two signs of life; then it looks even if nobody has woken it."""
LONGEST: Final = 1800.0
"""Seconds after which a stream ends by itself; whoever still reads asks for it again."""
COME_BACK_AFTER: Final = 3000
"""Milliseconds after which a browser asks again for a stream that ended."""


@dataclass(frozen=True, slots=True)
class Line:
    """Whose stream it is; who they are is looked up anew at every look."""

    databases: Databases
    directory: Directory
    sessions: Sessions
    tenant: Tenant
    token: str
    language: str

    async def look(self) -> Standing | None:
        """What the bell should show now, to whom they are now; None when they are signed out."""
        tenant = await self.directory.by_id(self.tenant.id) or self.tenant
        async with self.databases.transaction(tenant) as session:
            identity = await self.sessions.look_on(session, tenant, self.token, "page")
            if identity is None:
                return None
            with reading_in(self.language):
                return await reading.standing(session, Reader.of(tenant, identity))


async def told(
    line: Line, ears: Ears, user_id: UUID, since: UUID | None
) -> AsyncIterator[ServerSentEventMessage]:
    """The stream: ``standing`` whenever it changes, with what is newer than ``since``, the last
    that the browser had heard of; ``over`` when another of the same person has taken its place.

    Who is signed out, or whose tenant rests, is cut off by ``core.web.streams``.
    """
    ends_at = time.monotonic() + LONGEST
    heard = _Heard(since)
    with ears.listening(line.tenant.id, user_id) as ear:
        try:
            while (standing := await line.look()) is not None and time.monotonic() < ends_at:
                if (message := heard.news(standing)) is not None:
                    yield message
                await ear.wait(min(BEAT, ends_at - time.monotonic()))
                if ear.is_over:
                    yield ServerSentEventMessage(event="over", data="{}")
                    return
                yield ServerSentEventMessage(comment="", data=None)
        except Exception as problem:
            if not is_away(problem):
                raise
            log.info("bell.away", error=type(problem).__name__)  # the browser comes back


class _Heard:
    """What the browser knows already. Ids come in the order in which they were made, not in that
    in which they were committed: so they are remembered, as far as the newest go."""

    def __init__(self, since: UUID | None) -> None:
        self._since = since
        self._ids: set[UUID] = set()
        self._unread: int | None = None

    def news(self, standing: Standing) -> ServerSentEventMessage | None:
        """The message that says what has changed, if anything has."""
        is_first = self._unread is None
        if is_first and self._since is None:
            fresh = []
        else:
            fresh = [
                each
                for each in standing.newest
                if not each.is_read
                and each.id not in self._ids
                and (self._since is None or each.id > self._since)
            ]
        self._ids = {each.id for each in standing.newest}
        if not fresh and standing.unread == self._unread:
            return None
        self._unread = standing.unread
        said: dict[str, Any] = {
            "unread": standing.unread,
            "quiet": standing.quiet,
            "news": [{"id": each.id, "text": each.text} for each in reversed(fresh)],
        }
        newest = standing.newest[0].id if standing.newest else None
        return ServerSentEventMessage(
            event="standing",
            id=str(newest) if newest else None,
            data=msgspec.json.encode(said).decode(),
            retry=COME_BACK_AFTER,
        )

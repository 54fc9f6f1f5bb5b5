"""Fair shares for requests: how many of each tenant's are worked on at once in this process.

What is beyond its share waits in the tenant's own line, briefly, and takes nobody else's place;
unless there is hardly anything to do: then everybody is let in. Where many are present a share is
one place, and a second one while something slow holds the first. A request holds its place until
its answer begins, and not while it waits for the outside world or for what the client sends: then
it keeps nobody from anything.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from core.errors import TooManyRequests
from core.i18n import _
from core.shares import Shares

PATIENCE: Final = 5.0
"""Seconds that a request waits at most for its tenant's share to have room."""
LONGEST_LINE: Final = 256
"""Requests of one tenant that wait at most."""
SLOW: Final = 0.1
"""Seconds after which a line that stood still lets one more in ..."""
BESIDE_SLOW: Final = 2
"""... so that its tenant has this many places: a slow report keeps nobody of its business out."""


class Crowded(TooManyRequests):
    """The tenant asks for more at once than its share, and has done so for a while."""

    code = "crowded"
    title = _("Many people are asking for this business right now")

    def __init__(self) -> None:
        super().__init__(_("Please try again in a moment."), retry_after=1)


class Turn:
    """One request's place, from its admission until its answer begins."""

    __slots__ = ("_admission", "_over", "_tenant")

    def __init__(self, admission: Admission, tenant: UUID) -> None:
        self._admission = admission
        self._tenant = tenant
        self._over = False

    def end(self) -> None:
        """Give the place up; once is enough, more does no harm."""
        if not self._over:
            self._over = True
            self._admission.leave(self._tenant)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Within it others may have the place; coming back waits for nobody."""
        if self._over:
            yield
            return
        self._admission.leave(self._tenant)
        try:
            yield
        finally:
            self._admission.come_back(self._tenant)


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def stepped_aside() -> Iterator[None]:
    """Within it the request being served holds no place; nothing to do outside a request."""
    turn = _turn.get()
    if turn is None:
        yield
    else:
        with turn.aside():
            yield


class Admission:
    """Lets each tenant's requests in by its share; one serves a whole process."""

    def __init__(
        self, shares: Shares, *, patience: float = PATIENCE, longest_line: int = LONGEST_LINE
    ) -> None:
        self._shares = shares
        self._beside_slow = min(BESIDE_SLOW, shares.among(1))
        self._patience = patience
        self._longest_line = longest_line
        self._in_use = 0
        self._working: Counter[UUID] = Counter()
        self._taken_at: dict[UUID, float] = {}
        self._lines: dict[UUID, deque[asyncio.Future[None]]] = {}
        self._watched: set[UUID] = set()

    async def enter(self, tenant: UUID) -> Turn:
        """A turn for a request of ``tenant``, at once or after a brief wait.

        Raises:
            Crowded: its line is full, or did not move in time.
        """
        self._shares.note(tenant)
        if tenant not in self._lines and self._has_room(tenant):
            self._take(tenant)
        else:
            await self._wait(tenant)
        turn = Turn(self, tenant)
        _turn.set(turn)
        return turn

    def leave(self, tenant: UUID) -> None:
        """A request of ``tenant`` has given its place up: call in whoever waits for it."""
        self._in_use -= 1
        self._working[tenant] -= 1
        if not self._working[tenant]:
            del self._working[tenant], self._taken_at[tenant]
        self._call_in(tenant)
        if self._in_use < self._shares.spare:
            for other in tuple(self._lines):
                self._call_in(other)

    def come_back(self, tenant: UUID) -> None:
        """A request that had stepped aside goes on."""
        self._take(tenant)

    def _take(self, tenant: UUID) -> None:
        self._in_use += 1
        self._working[tenant] += 1
        self._taken_at[tenant] = time.monotonic()

    def _has_room(self, tenant: UUID) -> bool:
        working = self._working[tenant]
        return (
            working < self._shares.each
            or self._in_use < self._shares.spare
            or (working < self._beside_slow and self._stands_still(tenant))
        )

    def _stands_still(self, tenant: UUID) -> bool:
        return time.monotonic() - self._taken_at.get(tenant, 0.0) >= SLOW

    def _watch(self, tenant: UUID) -> None:
        """Look after the line of ``tenant`` until there is none: nobody leaves what is slow."""
        self._call_in(tenant)
        if tenant in self._lines:
            asyncio.get_running_loop().call_later(SLOW, self._watch, tenant)
        else:
            self._watched.discard(tenant)

    def _call_in(self, tenant: UUID) -> None:
        line = self._lines.get(tenant, ())
        while line and self._has_room(tenant):
            next_one = line.popleft()
            if not next_one.done():
                self._take(tenant)
                next_one.set_result(None)
        if not line:
            self._lines.pop(tenant, None)

    async def _wait(self, tenant: UUID) -> None:
        """A line exists only while somebody works, whose leaving moves it; or else the watch."""
        line = self._lines.setdefault(tenant, deque())
        if len(line) >= self._longest_line:
            raise Crowded
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        if tenant not in self._watched:
            self._watched.add(tenant)
            asyncio.get_running_loop().call_later(SLOW, self._watch, tenant)
        try:
            async with asyncio.timeout(self._patience):
                await place
        except BaseException as problem:
            if place.done() and not place.cancelled():
                self.leave(tenant)  # it was called in at the very moment it gave up
            elif place in line:
                line.remove(place)
                if not line:
                    self._lines.pop(tenant, None)
            if isinstance(problem, TimeoutError):
                raise Crowded from None
            raise

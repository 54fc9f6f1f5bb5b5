"""One line at the bottom of a terminal that says how a run goes, while it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final, Self, TextIO
from uuid import UUID

from tenants.migration.replay import Outcome, Target

EVERY: Final = 0.1
"""Seconds between two drawings."""
_ERASE: Final = "\r\x1b[K"


@dataclass(slots=True)
class LiveLine:
    """An ``Audience`` that draws on ``screen``, if that is a terminal; else it is silent."""

    screen: TextIO
    scopes: int = 0
    running: set[UUID] = field(default_factory=set)
    done: set[UUID] = field(default_factory=set)
    failed: set[UUID] = field(default_factory=set)
    _begun: float = field(default_factory=time.monotonic)
    _drawn: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.screen.isatty():
            self.screen.write(_ERASE)
            self.screen.flush()

    def expect(self, scopes: int) -> None:
        """So many have something to do."""
        self.scopes = scopes
        self._draw()

    def begun(self, target: Target) -> None:
        """Counted as running until its first line has ended."""
        self.running.add(target.tenant_id)
        self._draw()

    def ended(self, outcome: Outcome) -> None:
        """Counted as done, or as failed."""
        self.running.discard(outcome.tenant_id)
        (self.failed if outcome.error else self.done).add(outcome.tenant_id)
        self._draw()

    def __str__(self) -> str:
        ended = len(self.done | self.failed)
        seconds = max(time.monotonic() - self._begun, 0.001)
        return (
            f"{ended} of {self.scopes} scopes, {len(self.failed)} failed,"
            f" {len(self.running)} at work or busy, {ended / seconds:.0f} a second"
        )

    def _draw(self) -> None:
        if self.screen.isatty() and time.monotonic() - self._drawn >= EVERY:
            self._drawn = time.monotonic()
            self.screen.write(f"{_ERASE}{self}")
            self.screen.flush()

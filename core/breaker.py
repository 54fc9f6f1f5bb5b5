"""A circuit breaker: after a run of failures, calls are refused at once for a while.

It spares a vendor that is down, and spares us requests that hang until they time out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class CircuitOpen(Exception):
    """The last calls failed; this one was not made."""


@dataclass
class Breaker:
    """Opens after ``failures`` in a row and lets one call try again every ``pause`` seconds."""

    failures: int = 5
    pause: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _run: int = field(default=0, init=False)
    _try_at: float = field(default=0.0, init=False)

    @property
    def state(self) -> str:
        """``closed`` while calls are made, ``open`` while the vendor is left alone."""
        return "closed" if self._run < self.failures else "open"

    def enter(self) -> None:
        """Before a call.

        Raises:
            CircuitOpen: do not make it.
        """
        if self._run < self.failures:
            return
        if self.clock() < self._try_at:
            raise CircuitOpen
        # This one tries; the others wait for what it meets.
        self._try_at = self.clock() + self.pause

    def succeeded(self) -> None:
        """The vendor answered, be it with a refusal."""
        self._run = 0

    def failed(self) -> None:
        """The vendor did not answer, or fell over."""
        self._run += 1
        self._try_at = self.clock() + self.pause

"""How long to wait before a failed job is tried again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: anything from nothing to ``first`` doubled at each failure, up to ``longest``.

    Jobs that failed together, because a vendor was away, so come back spread over the whole
    pause (Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """

    first: timedelta = timedelta(seconds=4)
    longest: timedelta = timedelta(minutes=15)

    def limit(self, attempt: int) -> timedelta:
        """The longest pause after failure number ``attempt``, which counts from 1."""
        return min(self.first * (1 << min(attempt - 1, 30)), self.longest)

    def pause(self, attempt: int) -> timedelta:
        """A pause after failure number ``attempt``."""
        return self.limit(attempt) * _random.random()

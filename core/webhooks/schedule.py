"""When a message is tried again, and when an endpoint has failed for too long."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one attempt and the next, as Standard Webhooks suggests: some 76 hours in all."""
ATTEMPTS: Final = len(PAUSES) + 1

TIRED_AFTER: Final = 5
"""Failures in a row, of whichever messages, after which an endpoint is let rest."""
_FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=1)
OFF_AFTER: Final = timedelta(days=3)
"""Of failing, without one good answer, after which it is switched off."""
PUT_OFF_FOR: Final = timedelta(days=4)
"""A delivery older than that is given up, however little it was tried: its endpoint rested."""
KEPT: Final = timedelta(days=30)
"""For which the log tells what was sent."""

_random = secrets.SystemRandom()


def pause(attempts: int) -> timedelta:
    """After that many failed attempts of one message; a tenth more or less, so that what failed
    together does not come together again."""
    return PAUSES[min(attempts, len(PAUSES)) - 1] * _random.uniform(0.9, 1.1)


def rest(failures: int) -> timedelta | None:
    """For how long an endpoint that failed so often in a row is asked nothing; None: not at all."""
    if failures < TIRED_AFTER:
        return None
    return min(_FIRST_REST * (1 << min(failures - TIRED_AFTER, 10)), LONGEST_REST)

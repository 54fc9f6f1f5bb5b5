"""The same read over 1,000 tenants at random: requests per second against django-tenants.

Each backend meets a tenant that it has not served for a while at nearly every request, and is
replaced when it has served enough of them; see ``bench.reading`` and ``core.connections``.
"""

from __future__ import annotations

import random
from typing import Final

from bench.reading import Comparison, Reader, compare
from bench.result import Result

TURNS: Final = 20_000


async def run() -> Result:
    """Measure both in turn."""
    return await compare(
        Comparison(bench="tenant_read_1000", tenants=1000, spread=_at_random, ratio=1.8, warm_up=40)
    )


def _at_random(readers: list[Reader]) -> list[Reader]:
    return random.Random(1000).choices(readers, k=TURNS)

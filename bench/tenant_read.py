"""One signed-in read of one vehicle, over 200 tenants: requests per second against django-tenants.

The connections go round all tenants; see ``bench.reading``.
"""

from __future__ import annotations

from bench.reading import Comparison, compare
from bench.result import Result


async def run() -> Result:
    """Measure both in turn."""
    return await compare(Comparison(bench="tenant_read", tenants=200, ratio=2.0, p99_ms=60))

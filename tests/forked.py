"""Processes forked off one that has imported everything, so that each starts in milliseconds."""

from __future__ import annotations

import multiprocessing
from typing import Final

FORKED: Final = multiprocessing.get_context("forkserver")
"""Every process of it begins where the server of forks stands: with these modules imported."""
FORKED.set_forkserver_preload(
    ["tests.workers.processes", "tests.tenants.commanding", "tests.tenants.killable"]
)

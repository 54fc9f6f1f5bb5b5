"""From `atrium plugins new` to the passing tests of what it made, in seconds.

The clock runs as an author would see it: the files are written, the wheel is built and
installed, and pytest starts servers of its own, runs the plugin's tests and every conformance
check, those in Chromium included.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Final

from atrium.scaffold.making import make
from atrium.testing.distributions import install
from atrium.testing.distributions import run as run_python
from atrium.testing.servers import POSTGRES, REDIS
from bench.result import Result

TARGET_SECONDS: Final = 60.0


async def run() -> Result:
    """Once, in a folder of its own, on servers that the tests start themselves."""
    for name in (POSTGRES, REDIS):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="atrium-scaffold-") as name:
        folder = Path(name)
        begun = time.perf_counter()
        source = await asyncio.to_thread(make, "wish_list", folder)
        await asyncio.to_thread(install, folder / "installed", source)
        installed = time.perf_counter() - begun
        ended = await asyncio.to_thread(
            run_python, folder / "installed", "-m", "pytest", "-q", folder=source
        )
        took = time.perf_counter() - begun
    passed = re.search(r"(\d+) passed", ended.said)
    assert ended.code == 0, ended.said[-5000:]
    assert passed is not None
    return Result(
        bench="scaffold",
        value=round(took, 1),
        unit="s, until its tests have passed",
        target=f"<= {TARGET_SECONDS:g} s",
        met=took <= TARGET_SECONDS,
        detail={"tests": int(passed[1]), "installed_s": round(installed, 1)},
    )

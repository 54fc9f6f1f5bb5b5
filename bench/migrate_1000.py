"""One additive migration over 1,000 tenants by ``atrium migrate``, in seconds.

The command runs as an operator runs it, in a process of its own, whose largest memory is taken.
Then it runs again with nothing to do. Then a second migration is killed (-9) at random moments
until it is done, and every scope is looked at.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

from atrium.testing.world import World
from bench.fleet import AT_ONCE, TENANTS, fleet
from bench.result import Result
from bench.stage import ROOT, environment, stage

TARGET_SECONDS: Final = 30.0
NOTHING_SECONDS: Final = 2.0
MEMORY_MB: Final = 300
KILLS_AT_MOST: Final = 10

# The command, with one more revision of core than the checkout has, put at its line's end.
_COMMAND: Final = """
import resource, sys
from dataclasses import replace
from tenants.migration import lines, command
more = [lines.Revision(f"core_bench_{n}", (f"ALTER TABLE users ADD COLUMN bench_{n} text",
        f"CREATE INDEX ix_users_bench_{n} ON users (bench_{n})"))
        for n in range(1, int(sys.argv.pop(1)) + 1)]
compiled = lines.compile_lines
def longer(plugins):
    found = compiled(plugins)
    core = found.by_name["core"]
    core = replace(core, revisions=(*core.revisions, *more))
    return lines.Lines({**found.by_name, "core": core})
command.compile_lines = longer
try:
    command.migrate_command.main(sys.argv[1:], "atrium migrate", standalone_mode=False)
finally:
    print("MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


async def run() -> Result:
    """Measure on servers of this benchmark's own."""
    async with stage() as world:
        _, made = await fleet(world)
        return await measure(world, made)


async def measure(world: World, made: float) -> Result:
    """Migrate the fleet, which took ``made`` seconds to make."""
    with TemporaryDirectory() as folder:
        script = Path(folder) / "migrate.py"
        script.write_text(_COMMAND)
        variables = environment(world.settings, log_format="console")
        took, memory = await _migrate(script, variables, 1)
        nothing, _ = await _migrate(script, variables, 1)
        kills = await _killed_at_random(script, variables, took)
    whole = await _are_whole(world, 2)
    return Result(
        bench="migrate_1000",
        value=round(took, 2),
        unit=f"s for {TENANTS} tenants",
        target=f"<= {TARGET_SECONDS:g} s, nothing to do <= {NOTHING_SECONDS:g} s,"
        f" < {MEMORY_MB} MB, whole after kill -9",
        met=took <= TARGET_SECONDS
        and nothing <= NOTHING_SECONDS
        and memory < MEMORY_MB
        and kills > 0
        and whole,
        detail={
            "nothing_to_do_s": round(nothing, 2),
            "largest_memory_mb": memory,
            "kills_before_it_was_done": kills,
            "all_whole_after_kills": whole,
            "making_the_fleet_s": round(made, 1),
        },
    )


async def _start(
    script: Path, variables: Mapping[str, str], revisions: int
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(revisions),
        "--jobs",
        str(AT_ONCE),
        env={**variables, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _migrate(script: Path, variables: Mapping[str, str], revisions: int) -> tuple[float, int]:
    """Seconds from start to end of the command, and its largest memory in MB."""
    begun = time.perf_counter()
    process = await _start(script, variables, revisions)
    said, _ = await process.communicate()
    took = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(said.decode())
    return took, int(said.decode().rpartition("MB")[2])


async def _killed_at_random(script: Path, variables: Mapping[str, str], took: float) -> int:
    """Start and kill until a run comes to its end, as a whole one ``took`` so many seconds;
    how many were killed."""
    chance = random.Random(1000)
    for kills in range(KILLS_AT_MOST):
        process = await _start(script, variables, 2)
        try:
            await asyncio.wait_for(process.communicate(), took * chance.uniform(0.2, 0.8))
        except TimeoutError:
            os.kill(process.pid, 9)
            await process.wait()
        else:
            return kills
    process = await _start(script, variables, 2)
    await process.communicate()
    return KILLS_AT_MOST


async def _are_whole(world: World, revision: int) -> bool:
    """Every scope says that it has the revision, and has exactly what it brings."""
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    try:
        scopes: int = await connection.fetchval(
            "SELECT count(*) FROM migrations.applied WHERE line = 'core' AND revision = $1",
            f"core_bench_{revision}",
        )
        everybody: int = await connection.fetchval(
            "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(t_|platform$)'"
        )
        columns, indexes = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
            "   WHERE attname = $1 AND relkind = 'r'),"
            " (SELECT count(*) FROM pg_class WHERE relname = $2)",
            f"bench_{revision}",
            f"ix_users_bench_{revision}",
        )
    finally:
        await connection.close()
    # Beside the fleet there are tenant zero and the world's own tenants, and nobody else.
    return everybody == scopes == indexes >= TENANTS and columns == scopes

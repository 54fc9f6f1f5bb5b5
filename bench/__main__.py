"""``python -m bench [NAME …]`` runs benchmarks; ``--list`` names them.

Each runs in a process of its own, on servers of its own, and ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import bench

SUPPORT = {
    "filled_desk",
    "fleet",
    "load",
    "noisy_queue",
    "peers",
    "reading",
    "result",
    "stage",
    "trouble",
}


def names() -> list[str]:
    """The benchmarks there are: modules of this folder that define ``run``."""
    found = (each.name for each in pkgutil.iter_modules(bench.__path__))
    return sorted(name for name in found if name not in SUPPORT and not name.startswith("_"))


def run_here(name: str) -> int:
    """Run one benchmark in this process; 0 if its target was met."""
    module = importlib.import_module(f"bench.{name}")
    result = asyncio.run(module.run())
    print(result.line(), flush=True)
    return 0 if result.met else 1


def main() -> int:
    """Run what the command line names; 0 if every target was met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help="which to run; all by default")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    arguments = parser.parse_args()
    known = names()
    if arguments.list:
        for name in known:
            summary = (importlib.import_module(f"bench.{name}").__doc__ or "").splitlines()[0]
            print(f"{name:24} {summary}")
        return 0
    if unknown := set(arguments.name) - set(known):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if len(arguments.name) == 1:
        return run_here(arguments.name[0])
    wanted = arguments.name or known
    root = Path(__file__).parent.parent
    codes = [
        subprocess.run([sys.executable, "-m", "bench", name], cwd=root, check=False).returncode
        for name in wanted
    ]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())

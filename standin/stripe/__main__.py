"""`python -m standin.stripe --port P --state-dir D`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from standin.stripe.app import serve


def main() -> int:
    """Run until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="A stand-in for Stripe, for development.")
    parser.add_argument("--port", type=int, default=8420)
    parser.add_argument("--state-dir", type=Path, required=True)
    options = parser.parse_args()
    options.state_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return asyncio.run(_run(options.port, options.state_dir))


async def _run(port: int, state_dir: Path) -> int:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    return await serve(port, state_dir, until)


if __name__ == "__main__":
    sys.exit(main())

"""The localstripe process: started, awaited, ended."""

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path

from aiohttp import ClientError, ClientSession

_CONFINE = Path(__file__).parent / "confine"
_READY_WITHIN = 15.0


class LocalStripe:
    """A `python -m localstripe` child that keeps its state in `state_dir` and dies with us."""

    def __init__(self, state_dir: Path) -> None:
        self._state_file = state_dir / "localstripe.pickle"
        self._log_file = state_dir / "localstripe.log"
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def base(self) -> str:
        """Its address, without a trailing slash."""
        return f"http://[::1]:{self.port}"

    async def start(self) -> None:
        """Start the child and wait until it answers; unreadable kept state is set aside."""
        try:
            await self._spawn()
        except RuntimeError:
            if not self._state_file.exists():
                raise
            # A kill in the middle of a dump leaves half a pickle.
            self._state_file.replace(self._state_file.with_suffix(".broken"))
            await self._spawn()

    async def _spawn(self) -> None:
        self.port = _free_port()
        env = os.environ | {
            "PYTHONPATH": str(_CONFINE),
            "STANDIN_STATE_FILE": str(self._state_file),
        }
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "localstripe", "--port", str(self.port)),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=env,
            )
        await self._wait_until_ready(self._process)

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        deadline = asyncio.get_running_loop().time() + _READY_WITHIN
        async with ClientSession() as http:
            while asyncio.get_running_loop().time() < deadline:
                if process.returncode is not None:
                    break
                with contextlib.suppress(ClientError, OSError):
                    async with http.get(f"{self.base}/js.stripe.com/v3/") as reply:
                        if reply.status == 200:
                            return
                await asyncio.sleep(0.05)
        await self.stop()
        raise RuntimeError(f"localstripe did not start; see {self._log_file}")

    async def wait(self) -> int:
        """Wait for the child to end; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the child, politely first."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 3)
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        port: int = probe.getsockname()[1]
        return port

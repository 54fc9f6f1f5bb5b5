"""One stand-in for the tests of a process, each test with an account of its own."""

import asyncio
import contextlib
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stripe

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class StandIn:
    """A running stand-in."""

    base: str
    process: subprocess.Popen[bytes]
    opened: list[stripe.HTTPXClient] = field(default_factory=list)

    def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A request to /_control."""
        request = urllib.request.Request(
            f"{self.base}/_control{path}", json.dumps(body or {}).encode(), method=method
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer

    def fault(self, kind: str, path: str, **more: object) -> None:
        """Order a fault for the next request to a path."""
        self.control("POST", "/faults", {"kind": kind, "path": path, **more})

    def good_weather(self) -> None:
        """End every trouble that a test ordered."""
        self.control("DELETE", "/faults")
        self.control("POST", "/webhooks", {})
        self.control("DELETE", "/requests")

    def client(self, key: str, *, timeout: float = 10) -> stripe.StripeClient:
        """The official SDK, without retries of its own."""
        self.opened.append(stripe.HTTPXClient(timeout=timeout, allow_sync_methods=True))
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.base},
            max_network_retries=0,
            http_client=self.opened[-1],
        )

    async def close_clients(self) -> None:
        """Close the connections that tests opened."""
        while self.opened:
            client: Any = self.opened.pop()
            client.close()
            await client.close_async()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(state_dir: Path, port: int) -> StandIn:
    """Start a stand-in and wait for it."""
    state_dir.mkdir(exist_ok=True)
    with (state_dir / "log").open("ab") as log:  # a pipe nobody reads would stop it when full
        process = subprocess.Popen(
            [sys.executable, "-m", "standin.stripe", "--port", str(port), "--state-dir", state_dir],
            cwd=ROOT,
            stderr=log,
        )
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://localhost:{port}/health", timeout=5).close()
            return StandIn(f"http://localhost:{port}", process)
        assert process.poll() is None, (state_dir / "log").read_text()
        time.sleep(0.05)
    raise AssertionError("the stand-in did not start")


def stop(standin: StandIn) -> None:
    """End it and see it leave properly."""
    standin.process.terminate()
    assert standin.process.wait(10) == 0


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = start(tmp_path_factory.mktemp("standin"), free_port())
    yield running
    stop(running)


@pytest.fixture
async def standin(_running: StandIn) -> AsyncIterator[StandIn]:
    """The stand-in in good weather."""
    yield _running
    await _running.close_clients()
    _running.good_weather()


@pytest.fixture
def key() -> str:
    """The secret key of a new account."""
    return f"sk_test_{secrets.token_hex(8)}"


@pytest.fixture
def client(standin: StandIn, key: str) -> stripe.StripeClient:
    """The SDK with that account's key."""
    return standin.client(key)


@dataclass
class Receiver:
    """A webhook endpoint that notes what comes; refuses the first `refuse` deliveries."""

    url: str = ""
    refuse: int = 0
    got: list[tuple[bytes, str]] = field(default_factory=list)

    async def wait_for(self, count: int, within: float = 10) -> None:
        """Wait until so many deliveries have come."""
        async with asyncio.timeout(within):
            while len(self.got) < count:  # noqa: ASYNC110  # the number waited for varies
                await asyncio.sleep(0.02)

    def names(self) -> list[str]:
        """The types of the events received, in order."""
        return [json.loads(body)["type"] for body, _ in self.got]

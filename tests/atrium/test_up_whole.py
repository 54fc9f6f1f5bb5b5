"""The whole of `make up`, started as a newcomer does, killed as life does."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from atrium.up.account import Account
from atrium.up.process import free_port
from atrium.up.servers import ROOT
from atrium.up.state import servers_folder

pytestmark = pytest.mark.long


class Up:
    """`make up` with its state in ``folder``; its lines, and all processes that belong to it."""

    def __init__(self, folder: Path, port: int, **options: int) -> None:
        self.folder = folder
        self.port = port
        self.lines: list[str] = []
        self._queue: Queue[str] = Queue()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ATRIUM_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "atrium.up", f"--port={port}", f"--state-dir={folder}"],
            cwd=ROOT,
            env=environment | {"HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,  # type: ignore[call-overload]  # user and group
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, pattern: str, seconds: float = 240) -> str:
        """The next line that matches."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                said = "\n".join(self.lines[-60:])
                pytest.fail(f"{pattern!r} was not said within {seconds} s but:\n{said}")
            if re.search(pattern, line):
                return line
            if not line:
                pytest.fail(f"it ended without saying {pattern!r}:\n" + "\n".join(self.lines))

    def processes(self) -> dict[int, str]:
        """Every living process that this run is the origin of."""
        return processes_of(self.folder)

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=60)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip())
                self._queue.put(line)
        self._queue.put("")  # which no line is: each has its newline


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder that the tests share: setting up takes its time, once."""
    folder = tmp_path_factory.mktemp("up")
    yield folder
    clean = [sys.executable, "-m", "atrium.up", f"--state-dir={folder}", "--clean"]
    subprocess.run(clean, cwd=ROOT, check=True)


@pytest.fixture
def folder(place: Path) -> Iterator[Path]:
    yield place
    for pid, command in processes_of(place).items():
        if "-m atrium.up " in command:
            os.kill(pid, signal.SIGKILL)  # a test failed; the guard ends the rest
    eventually(lambda: processes_of(place) == {}, 10)


def test_a_second_one_is_told_that_one_is_running(folder: Path) -> None:
    """It names the process and the address, and does no harm."""
    up = Up(folder, free_port())
    up.until("Atrium is ready")
    second = Up(folder, up.port)
    second.until(rf"already running here: process {up.process.pid}, at http://localhost:{up.port}")
    assert second.ended() == 0
    assert ready(up.port)
    assert stop(up) == 0


def test_a_killed_child_comes_back(folder: Path) -> None:
    """Web, worker and PostgreSQL, killed -9, are named and serve again."""
    up = Up(folder, free_port())
    up.until("Atrium is ready")
    for child in ("web", "worker", "postgresql"):
        os.kill(leader(up, child), signal.SIGKILL)
        up.until(f"{child} was killed by SIGKILL; starting it again")
        eventually(lambda: ready(up.port), 60)
    assert stop(up) == 0


def test_ctrl_c_leaves_no_process(folder: Path) -> None:
    """After Ctrl-C everything stops, in order."""
    up = Up(folder, free_port())
    up.until("Atrium is ready")
    assert len(up.processes()) > 5
    assert stop(up) == 0
    assert up.processes() == {}


def test_killed_and_started_again_at_once(folder: Path) -> None:
    """kill -9 leaves no harm: the next start waits for the guard, and has nothing to set up."""
    up = Up(folder, free_port())
    up.until("Atrium is ready")
    up.process.kill()
    up.process.wait()
    again = Up(folder, up.port)
    again.until("Atrium is ready")
    assert not [line for line in again.lines if "bootstrap ..." in line]
    assert stop(again) == 0
    up.ended()


def test_the_guard_clears_up_when_nobody_starts_again(folder: Path) -> None:
    """kill -9 of the supervisor: within seconds not one of its processes is left."""
    up = Up(folder, free_port())
    up.until("Atrium is ready")
    up.process.kill()
    up.ended()
    eventually(lambda: up.processes() == {}, 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="all other tests here run as an ordinary user")
def test_an_ordinary_user() -> None:
    """Another user than root runs everything as itself, with the data in its own folder."""
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid)
    if not account.can_reach(Path(sys.executable).resolve()):
        pytest.skip("an ordinary user cannot reach this Python: it lies in root's own folder")
    own = Path("/var/tmp") / f"atrium-own-{os.getpid()}"
    own.mkdir()
    shutil.chown(own, nobody.pw_uid, nobody.pw_gid)
    try:
        up = Up(own, free_port(), user=nobody.pw_uid, group=nobody.pw_gid)
        up.until("Atrium is ready")
        assert (own / "postgresql/data/PG_VERSION").exists()
        assert stop(up) == 0
        assert up.processes() == {}
    finally:
        shutil.rmtree(own)


def processes_of(folder: Path) -> dict[int, str]:
    """Every living process whose arguments, environment or working folder name ``folder``."""
    names = [str(folder).encode(), str(servers_folder(folder, Account.for_servers(ROOT))).encode()]
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            known = command + (entry / "environ").read_bytes() + os.readlink(entry / "cwd").encode()
        except OSError:
            continue
        if any(name in known for name in names):
            found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found


def stop(up: Up) -> int:
    """Press Ctrl-C and wait; the exit code."""
    up.process.send_signal(signal.SIGINT)
    return up.ended()


def leader(up: Up, name: str) -> int:
    """The process that the supervisor itself started as ``name``."""
    words = {"postgresql": "bin/postgres -D"}.get(name, f"-m atrium {name}")
    leaders = [
        pid
        for pid, command in up.processes().items()
        if words in command and os.getpgid(pid) == pid
    ]
    assert len(leaders) == 1, (name, up.processes())
    return leaders[0]


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as reply:
            return json.load(reply)["status"] == "ok"
    except OSError:
        return False


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)

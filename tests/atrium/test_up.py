"""What `make up` promises of its children, on real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atrium.up import watch
from atrium.up.account import Account, folder_for
from atrium.up.guard import Guard, stop_groups
from atrium.up.process import Command, free_port
from atrium.up.servers import ROOT, PostgreSQL, postgresql_binaries
from atrium.up.state import AlreadyRunning, Lock, State
from atrium.up.supervisor import Supervisor

FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(sys.argv[1] + ".new", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("born", flush=True)
time.sleep(60)
"""
"""A process with a child of its own; it writes both their numbers to a file."""


class Run:
    """A supervisor under test, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.pids = folder / "pids"
        self.guard = Guard()
        self.supervisor = Supervisor(folder, self._say, self.guard)

    def family(self, *words: str) -> Command:
        argv = (sys.executable, "-c", FAMILY, str(self.pids), *words)
        return Command(name="family", argv=argv)

    async def born(self) -> list[int]:
        await until(lambda: self.pids.exists() and "family: born" in self.said)
        numbers = [int(word) for word in self.pids.read_text().split()]
        self.pids.unlink()
        self.said.clear()
        return numbers

    def _say(self, name: str, line: str) -> None:
        self.said.append(f"{name}: {line}")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.guard.close()


async def test_a_child_that_dies_is_named_and_started_again(run: Run) -> None:
    """kill -9 of a child ends its own children too; its successor comes within a second."""
    run.supervisor.start([run.family()])
    first, grandchild = await run.born()
    os.kill(first, signal.SIGKILL)
    await until(lambda: bool(run.said))
    assert run.said[0] == "up: family was killed by SIGKILL; starting it again in 0.25 s"
    second, _ = await run.born()
    assert second != first
    assert not alive(grandchild)
    await run.supervisor.stop(asyncio.Event())


async def test_stopping_leaves_no_process(run: Run) -> None:
    """A stop takes the children's own children along, and is not mistaken for a death."""
    run.supervisor.start([run.family()])
    family = await run.born()
    await run.supervisor.stop(asyncio.Event())
    assert [pid for pid in family if alive(pid)] == []
    assert run.said == []


async def test_a_child_that_does_not_listen_is_killed_in_a_hurry(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second Ctrl-C does not wait for a child that ignores SIGTERM."""
    monkeypatch.setattr("atrium.up.supervisor._PATIENCE", 600.0)
    run.supervisor.start([run.family("deaf")])
    family = await run.born()
    hurry = asyncio.Event()
    hurry.set()
    async with asyncio.timeout(60):
        await run.supervisor.stop(hurry)
    assert [pid for pid in family if alive(pid)] == []
    assert run.said == ["family: does not stop; killed"]


async def test_a_step_that_fails_is_named(run: Run) -> None:
    """What a failing step of setting up said is shown, and its exit code raised."""
    argv = (sys.executable, "-c", "import sys; print('one'); sys.exit('two')")
    with pytest.raises(RuntimeError, match="step ended with exit code 1"):
        await run.supervisor.run(Command(name="step", argv=argv))
    assert sorted(run.said) == ["step: one", "step: two"]


async def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """The guard ends every group left behind, and holds the lock until it has."""
    pids, base = tmp_path / "pids", tmp_path / "base"
    base.mkdir()
    script = f"""
import signal, subprocess, sys, time
from pathlib import Path
from atrium.up.guard import Guard
from atrium.up.state import Lock
lock = Lock.take(Path({str(base)!r}))
guard = Guard(holding=[lock.file.fileno()])
child = subprocess.Popen([sys.executable, "-c", {FAMILY!r}, {str(pids)!r}, "deaf"],
    start_new_session=True, stdout=subprocess.DEVNULL)
guard.started(child.pid, signal.SIGTERM)
time.sleep(60)
"""
    supervisor = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", script], cwd=ROOT)
    await until(pids.exists)
    family = [int(word) for word in pids.read_text().split()]
    supervisor.kill()
    supervisor.wait()
    with pytest.raises(AlreadyRunning, match=f"process {supervisor.pid}, starting"):
        Lock.take(base)
    await until(lambda: lock_is_free(base), seconds=10)
    assert [pid for pid in family if alive(pid)] == []


def test_a_kind_signal_comes_before_sigkill() -> None:
    """A group that ends by its own signal is given the time to."""
    script = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
        "print('ready', flush=True); signal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    stop_groups({process.pid: signal.SIGTERM}, patience=1)
    process.stdout.close()
    assert process.wait() == 7


def test_secrets_are_private_and_kept(tmp_path: Path) -> None:
    """Passwords and the master key are made once, and nobody else may read them."""
    tmp_path.chmod(0o711)
    first = State.open(tmp_path)
    assert len(set(first.secrets.values())) == 5
    for name in ("secrets", "master.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    key = (tmp_path / "master.key").read_text()
    second = State.open(tmp_path)
    assert (second.secrets, second.ports) == (first.secrets, first.ports)
    assert (tmp_path / "master.key").read_text() == key


def test_a_port_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    """Whoever listens on a port that was ours keeps it."""
    first = State.open(tmp_path)
    with socket.create_server(("127.0.0.1", first.ports["redis"])):
        assert State.open(tmp_path).ports["redis"] != first.ports["redis"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has anything to hand over")
def test_an_account_gets_a_folder_that_it_can_reach(tmp_path: Path) -> None:
    """A folder below one closed to the account lies under /var/tmp instead, private to it."""
    account = Account(65534, 65534)
    tmp_path.chmod(0o700)
    folder = folder_for(account, tmp_path / "postgresql")
    try:
        status = folder.stat()
        assert folder.parent == Path("/var/tmp")
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (65534, 0o700)
        assert folder_for(account, tmp_path / "postgresql") == folder
    finally:
        folder.rmdir()


def test_a_cluster_left_half_made_is_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    """initdb killed half way leaves nothing that is taken for a cluster."""
    account = Account.for_servers(ROOT)
    folder = folder_for(account, tmp_path_factory.mktemp("half") / "postgresql")
    (folder / "unfinished").mkdir()
    (folder / "unfinished/PG_VERSION").write_text("18\n")
    server = PostgreSQL(
        binaries=postgresql_binaries(),
        folder=folder,
        port=free_port(),
        password="secret",
        account=account,
    )
    server.prepare()
    assert (server.data / "global/pg_control").exists()
    assert not (folder / "password").exists()
    (server.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(RuntimeError, match=r"made by PostgreSQL 14, but 18 is installed"):
        server.prepare()
    subprocess.run(["rm", "-rf", folder], check=True)


def lock_is_free(folder: Path) -> bool:
    try:
        Lock.take(folder).file.close()
    except AlreadyRunning:
        return False
    return True


def alive(pid: int) -> bool:
    """Whether a process exists and is more than a zombie that nobody has collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until(holds: Callable[[], bool], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # processes of the system do not tell us
            await asyncio.sleep(0.02)


async def test_a_child_is_started_anew_at_once_when_its_code_has_changed(run: Run) -> None:
    """Also while it pauses because it died; it is not counted as a death."""
    run.supervisor.start([run.family()])
    first, _ = await run.born()
    for _again in range(3):
        run.supervisor.renew()
        second, _ = await run.born()
        assert second != first
        first = second
    assert not [line for line in run.said if "starting it again in" in line]


async def test_a_change_of_a_source_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that changes, one that appears; what is no source is passed over."""
    monkeypatch.setattr(watch, "EVERY", 0.01)
    source = tmp_path / "module.py"
    source.write_text("1")
    waiting = asyncio.create_task(watch.changes({tmp_path}))
    await asyncio.sleep(0.1)
    (tmp_path / "module.pyc").write_text("x")
    await asyncio.sleep(0.1)
    assert not waiting.done()
    source.write_text("12")
    assert await asyncio.wait_for(waiting, 5) == {source}


def test_sources_of_installed_plugins_are_watched() -> None:
    """Without importing them."""
    assert ROOT / "plugins" in watch.folders()

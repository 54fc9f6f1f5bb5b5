"""`make up` and ``atrium up``: start everything, say where it is, stop it all at Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import click

from atrium.up.guard import Guard
from atrium.up.machine import Machine
from atrium.up.process import is_free
from atrium.up.servers import ROOT
from atrium.up.state import AlreadyRunning, Lock, State, holder_is_alive, remove
from atrium.up.supervisor import Supervisor

_COLORS = {"up": "bright_white", "web": "green", "worker": "magenta", "relay": "cyan"}


@click.command()
@click.option("--port", envvar="ATRIUM_PORT", default=8000, show_default=True, help="The portal's.")
@click.option(
    "--state-dir",
    envvar="ATRIUM_STATE_DIR",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=ROOT / ".atrium",
    help="Where data, secrets and logs are kept.",
)
@click.option("--clean", is_flag=True, help="Delete all data of an earlier run, and end.")
@click.option("--reload", is_flag=True, help="Start anew whenever a source file changes.")
def main(port: int, state_dir: Path, clean: bool, reload: bool) -> None:
    """Run everything on this machine."""
    try:
        if clean:
            remove(state_dir)
            return
        state_dir.mkdir(mode=0o711, exist_ok=True)  # PostgreSQL's account passes through
        lock = _take(state_dir)
    except AlreadyRunning as holder:
        click.echo(f"Atrium is already running here: {holder}.")
        sys.exit(1 if clean else 0)
    if not is_free(port):
        raise click.ClickException(
            f"port {port} is taken by another program; choose one: ATRIUM_PORT={port + 1} make up"
        )
    sys.exit(asyncio.run(_run(lock, State.open(state_dir), port, reload=reload)))


def _take(folder: Path) -> Lock:
    """The lock; when its holder was killed, as soon as the guard has cleared up after it."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return Lock.take(folder)
        except AlreadyRunning as holder:
            if holder_is_alive(str(holder)) or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


async def _run(lock: Lock, state: State, port: int, *, reload: bool) -> int:
    stop, hurry = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: (hurry if stop.is_set() else stop).set()
        )
    guard = Guard(holding=[lock.file.fileno()])
    _rotate(state.folder / "logs")
    supervisor = Supervisor(state.folder / "logs", _say, guard)
    machine = Machine(state, port, supervisor, _say)
    starting = asyncio.create_task(_start(machine, lock))
    reloading = asyncio.create_task(_reload(machine, starting)) if reload else None
    starting.add_done_callback(lambda task: None if _went_well(task) else stop.set())
    try:
        await stop.wait()
    finally:
        _say("up", "stopping ...")
        lock.say("stopping")
        tasks = {task for task in (starting, reloading) if task is not None}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await supervisor.stop(hurry)
        guard.close()
    _say("up", "everything has stopped")
    return 0 if starting.cancelled() or _went_well(starting) else 1


def _went_well(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is None


async def _reload(machine: Machine, starting: asyncio.Task[None]) -> None:
    """Reload from when everything has started."""
    await starting
    await machine.reload()


async def _start(machine: Machine, lock: Lock) -> None:
    began = time.monotonic()
    try:
        await machine.start()
    except (OSError, RuntimeError, TimeoutError) as error:
        _say("up", str(error))
        raise
    except Exception:
        _say("up", traceback.format_exc())
        raise
    portal = f"http://localhost:{machine.port}"
    lock.say(f"at {portal}")
    lines = [
        f"Atrium is ready after {time.monotonic() - began:.1f} s.",
        "",
        *(machine.welcome or f"Portal            {portal}/").splitlines(),
        f"Caught mail       {portal}/dev/mail, and /dev/mail at each tenant",
        "",
        "Ctrl-C stops everything.",
    ]
    click.echo("\n  " + "\n  ".join(lines) + "\n")


def _rotate(logs: Path) -> None:
    for log in logs.glob("*.log"):
        os.replace(log, log.with_suffix(".log.1"))


def _say(name: str, line: str) -> None:
    click.echo(f"{click.style(f'{name:>10}', fg=_COLORS.get(name))} | {line}")


if __name__ == "__main__":
    main()

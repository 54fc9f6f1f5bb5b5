"""How a command runs: it logs, ends what it opened, and says in words what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click

from core import crypto
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.errors import DomainError
from core.settings import Settings
from core.signals import Signals
from core.telemetry.setup import set_up, shut_down


def run(work: Callable[[Settings], Awaitable[None]]) -> None:
    """Do ``work`` by the settings of this process's environment.

    Raises:
        ClickException: it was refused; the message names the fields.
    """
    settings = Settings.from_environment()
    set_up(settings, "command")

    async def to_the_end() -> None:
        await work(settings)

    try:
        asyncio.run(to_the_end())
    except DomainError as problem:
        raise click.ClickException(_in_words(problem)) from problem
    finally:
        shut_down()


@asynccontextmanager
async def reaching(settings: Settings) -> AsyncIterator[tuple[Databases, Signals]]:
    """The databases, with the keys to what is sealed there, and other processes' ears."""
    crypto.install(KeyRing(MasterKeys.load(settings.master_key_file)))
    databases, signals = Databases(pool_size=4), Signals(settings.redis_url)
    try:
        async with signals.listening():
            yield databases, signals
    finally:
        await databases.dispose()


def _in_words(problem: DomainError) -> str:
    fields = [f"{error.field}: {error.message}" for error in problem.errors]
    return "; ".join(fields) or str(problem)

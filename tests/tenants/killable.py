"""Work in a process of its own, to be killed without mercy."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from uuid import UUID

from core.settings import Settings
from tenants.deletion import Deleter
from tenants.migration.command import migrate_command
from tenants.workshop import workshop
from tests.forked import FORKED
from tests.tenants.installation import environment_of


def provisioning(settings: Settings, run_id: UUID) -> BaseProcess:
    """A started process that works a run off."""
    process = FORKED.Process(target=_provision, args=(settings, run_id))
    process.start()
    return process


def _provision(settings: Settings, run_id: UUID) -> None:
    async def work() -> None:
        async with workshop(settings) as shop:
            await shop.provisioner.run(run_id)

    asyncio.run(work())


def deleting(settings: Settings, run_id: UUID) -> BaseProcess:
    """A started process that works a deletion off."""
    process = FORKED.Process(target=_delete, args=(settings, run_id))
    process.start()
    return process


def _delete(settings: Settings, run_id: UUID) -> None:
    async def work() -> None:
        async with workshop(settings) as shop:
            await Deleter(shop.provisioner.means).run(run_id)

    asyncio.run(work())


def migrating(settings: Settings, *arguments: str) -> BaseProcess:
    """A started process that runs the command ``atrium migrate``."""
    given = (environment_of(settings), ("--jobs", "2", *arguments))
    process = FORKED.Process(target=_migrate, args=given)
    process.start()
    return process


def _migrate(variables: Mapping[str, str], arguments: Sequence[str]) -> None:
    os.environ.update(variables)
    migrate_command.main([*arguments], "atrium migrate")

"""Work in a process of its own, to be killed without mercy.

A fork server imports the software once, so that each process starts in milliseconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.process import BaseProcess
from uuid import UUID

from core.settings import Settings
from tenants.workshop import workshop

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.tenants.killable"])


def provisioning(settings: Settings, run_id: UUID) -> BaseProcess:
    """A started process that works a run off."""
    process = _CONTEXT.Process(target=_provision, args=(settings, run_id))
    process.start()
    return process


def _provision(settings: Settings, run_id: UUID) -> None:
    async def work() -> None:
        async with workshop(settings) as shop:
            await shop.provisioner.run(run_id)

    asyncio.run(work())

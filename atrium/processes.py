"""The processes beside the web server: ``atrium worker``, ``relay`` and ``scheduler``."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import click

from atrium.composition import load_texts, make_services, running
from core.part import core
from core.plugin import Plugins
from core.pooler import refuse_deaf
from core.scope import Database
from core.settings import Settings
from core.telemetry.setup import set_up, shut_down
from core.web.app import Services
from tenants.changes import CHANNEL
from tenants.domains import resolver
from tenants.domains.checking import Inspector
from tenants.domains.part import domains
from tenants.entrances.part import entrances
from tenants.entrances.shutting import Entrances
from tenants.installed import installed
from tenants.migration.lines import compile_lines
from tenants.operator.plugin import plugin as operator
from tenants.part import tenancy
from tenants.portal.plugin import plugin as portal
from tenants.provisioning import Provisioner
from tenants.roster import Roster, Served
from tenants.senders.checking import SenderInspector
from tenants.senders.part import senders
from workers import worker as dramatiq_worker
from workers.broker import make_broker
from workers.registry import Registry
from workers.relay import Relay, shares_of
from workers.runtime import Runtime
from workers.scheduler import Scheduler


@click.command()
@click.option("--threads", default=8, show_default=True, help="Jobs at the same time.")
def worker(threads: int) -> None:
    """Work on the jobs that the relay rings for."""
    services, registry = _start("worker")

    @asynccontextmanager
    async def open_runtime() -> AsyncIterator[Runtime]:
        async with running(services, "worker"):
            yield Runtime(
                databases=services.databases, directory=services.directory, registry=registry
            )

    dramatiq_worker.run(services.settings.redis_url, registry.queues, open_runtime, threads)
    shut_down()


@click.command()
def relay() -> None:
    """Ring for what waits in the outboxes, until it is finished."""
    services, registry = _start("relay")
    relay = Relay(
        databases=Roster(services.settings, services.databases),
        directory=services.directory,
        registry=registry,
        broker=make_broker(services.settings.redis_url),
        shares=shares_of(services.settings.jobs_in_flight),
    )
    services.signals.subscribe(CHANNEL, relay.changed)
    _until_told(services, "relay", _relaying(services, relay))


async def _relaying(services: Services, relay: Relay) -> None:
    await refuse_deaf(Database("relay", services.settings.relay_url))
    await relay.run()


@click.command()
def scheduler() -> None:
    """Ask for every tenant's periodic jobs when their turn comes."""
    services, registry = _start("scheduler")
    scheduler = Scheduler(
        tenants=Served(services.settings, services.databases, compile_lines(services.products)),
        databases=services.databases,
        registry=registry,
    )
    _until_told(services, "scheduler", scheduler.run())


def _start(process: str) -> tuple[Services, Registry]:
    settings = Settings.from_environment()
    set_up(settings, process)
    products = installed()
    load_texts(products)
    services = make_services(settings, products)
    return services, _registry(services, products)


def _registry(services: Services, products: Plugins) -> Registry:
    """Every job, ready to be done."""
    provisioner = Provisioner(
        services.settings,
        services.databases,
        products,
        compile_lines(products),
        services.signals,
    )
    inspector = Inspector(
        settings=services.settings, signals=services.signals, resolver=resolver.installed()
    )
    sender_inspector = SenderInspector(
        settings=services.settings, signals=services.signals, resolver=resolver.installed()
    )
    ways = Entrances(
        databases=services.databases,
        directory=services.directory,
        sessions=services.authority.sessions,
    )
    platform = (
        portal,
        operator,
        tenancy(provisioner),
        domains(inspector),
        senders(sender_inspector),
        entrances(ways),
    )
    return Registry.of(products, core=(core,), platform=platform)


def _until_told(services: Services, process: str, work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` until SIGTERM or SIGINT."""

    async def run() -> None:
        working = asyncio.ensure_future(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        async with running(services, process):
            with suppress(asyncio.CancelledError):
                await working

    asyncio.run(run())
    shut_down()

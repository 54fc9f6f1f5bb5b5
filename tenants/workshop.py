"""What the commands work with: one process's engines, keys, plugins and provisioner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core import mail
from core.db import Databases
from core.flags import resolution
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from core.signals import Signals
from core.storage import store
from core.storage.opening import store_of
from tenants.databases import platform
from tenants.flags.services import declared
from tenants.installed import installed
from tenants.migration.lines import Lines, compile_lines
from tenants.portal.plugin import plugin as portal
from tenants.provisioning import Provisioner
from tenants.running import reaching


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """The parts, made from the settings."""

    settings: Settings
    databases: Databases
    plugins: Plugins
    lines: Lines
    signals: Signals
    provisioner: Provisioner
    platform: Tenant


@asynccontextmanager
async def workshop(settings: Settings) -> AsyncIterator[Workshop]:
    """Open for a command, and close everything after it."""
    plugins = installed()
    mail.install(settings, [part.folder / "templates" for part in (portal, *plugins)])
    resolution.install(declared(plugins))
    store.install(store_of(settings))
    lines = compile_lines(plugins)
    async with reaching(settings) as (databases, signals):
        yield Workshop(
            settings=settings,
            databases=databases,
            plugins=plugins,
            lines=lines,
            signals=signals,
            provisioner=Provisioner(settings, databases, plugins, lines, signals),
            platform=platform(settings),
        )

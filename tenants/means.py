"""What long work on tenants is done with: one process's engines, plugins and lines."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Databases
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from core.signals import Signals
from core.storage.opening import store_of
from core.storage.store import Store
from tenants.databases import platform
from tenants.migration.lines import Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The parts; their makers close them."""

    settings: Settings
    databases: Databases
    plugins: Plugins
    lines: Lines
    signals: Signals

    @property
    def platform(self) -> Tenant:
        """Tenant zero."""
        return platform(self.settings)

    @property
    def store(self) -> Store:
        """Where tenants' files are."""
        return store_of(self.settings)

    def of_the_platform(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction of tenant zero."""
        return self.databases.transaction(self.platform)

"""The job that tells an event to whoever listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.events import FAN_OUT
from core.jobs import Actor, actor
from core.plugin import Plugins
from core.scope import Tenant, current


def fan_out(plugins: Plugins) -> Actor:
    """The actor that turns an event into one message for each listener of the tenant."""

    @actor(FAN_OUT)
    async def tell(session: AsyncSession, event: str, body: dict[str, Any]) -> None:
        for listener in listeners(plugins, current(), event):
            await listener.enqueue(session, event=body)

    return tell


def listeners(plugins: Plugins, tenant: Tenant, event: str) -> Iterator[Actor]:
    """Who listens to the event of that name, among the plugins that the tenant has enabled."""
    for plugin in plugins.enabled(tenant.plugins):
        for kind, actors in plugin.listeners.items():
            if kind.name == event:
                yield from actors

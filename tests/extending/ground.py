"""A tenant with plugins of a test's own beside the installed ones, and its site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from atrium.asgi import compose
from atrium.testing.site import Site, lifespan_of
from atrium.testing.world import World, order
from core.plugin import Plugin, Plugins
from core.scope import Tenant
from tenants.provisioning import Provisioner


def declare(name: str = "sample", **fields: Any) -> Plugin:
    """A plugin that is right, but for ``fields``; its files lie beside this module."""
    return Plugin(
        **{
            "name": name,
            "title": name.capitalize(),
            "summary": "A sample",
            "version": "1.0",
            "core_versions": ">=0.1",
            "package": "tests.extending",
            **fields,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``tenant`` has every plugin of ``plugins``, the test's own included."""

    site: Site
    plugins: Plugins
    tenant: Tenant


@asynccontextmanager
async def ground_of(world: World, *own: Plugin) -> AsyncIterator[Ground]:
    """A site that serves ``own`` plugins too, and a tenant that has them all."""
    plugins = Plugins({**world.plugins.working, **{each.name: each for each in own}})
    provisioner = Provisioner(world.settings, world.databases, plugins, world.lines, world.signals)
    edge = compose(world.settings, plugins)
    async with lifespan_of(edge):
        site = Site(edge, world, edge.tenants.state["authority"].sessions)
        tenant = await provisioner.provision_now(order(plugins))
        yield Ground(site=site, plugins=plugins, tenant=tenant)

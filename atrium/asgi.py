"""The web process: both applications behind the edge."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from atrium.composition import (
    OF_THE_PLATFORM,
    load_texts,
    make_services,
    running,
    together,
)
from core.admission import Admission
from core.origin import networks
from core.part import OF_EVERY_TENANT
from core.plugin import Plugins
from core.scope import TENANT_ZERO
from core.settings import Settings
from core.shares import Shares
from core.telemetry.setup import set_up, shut_down
from core.web.app import Services, build
from core.web.edge import Edge
from core.web.home import home
from tenants.installed import installed


def create_app() -> Edge:
    """The ASGI application of a web process; settings come from the environment."""
    settings = Settings.from_environment()
    set_up(settings, "web")
    return compose(settings, installed())


def compose(settings: Settings, products: Plugins) -> Edge:
    """Both applications and their edge, with ``products`` for the tenants.

    Raises:
        UndeclaredAccess: a route does not say who may call it.
    """
    services = make_services(settings, products)
    load_texts(products)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        # What was built by now lives as long as the process: the collector need not look at it
        # again, which takes a tenth of a second each time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)  # requests leave few cycles: look for them less often
        async with running(services, "web"):
            yield
        shut_down()

    return Edge(
        platform=build(services, together(OF_THE_PLATFORM), title="Atrium portal"),
        tenants=build(
            services, together(OF_EVERY_TENANT, products), title="Atrium", handlers=(home,)
        ),
        directory=services.directory,
        databases=services.databases,
        gates={product.prefix: product.name for product in products},
        checks={
            "postgresql": lambda: _ask_postgresql(services),
            "redis": lambda: _ask_redis(services),
        },
        admission=Admission(Shares(settings.pool_size)),
        lifespan=lifespan,
        trusted=networks(settings.trusted_proxies),
        access_log=settings.access_log,
    )


async def _ask_postgresql(services: Services) -> None:
    platform = await services.directory.by_id(TENANT_ZERO)
    assert platform is not None
    async with services.databases.transaction(platform) as session:
        await session.execute(text("SELECT 1"))


async def _ask_redis(services: Services) -> None:
    await services.redis.ping()

"""What an installation of Atrium consists of: the parts, and the services they stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from core import crypto, extension, i18n, mail, presence
from core.agreement import fillings
from core.auth.authority import Authority
from core.connections import Lifetime
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.flags import resolution
from core.mail.office import office
from core.notifications import centre as notifications
from core.notifications.centre import Centre
from core.origin import networks
from core.part import core
from core.payments import gateway
from core.payments.stripe_gateway import StripeGateway
from core.plugin import Plugin, Plugins
from core.quotas import tasks as quotas
from core.settings import Settings
from core.signals import Signals
from core.storage import store
from core.storage.opening import store_of
from core.storage.s3 import S3Store
from core.web.app import Services
from core.webhooks import reaching
from core.webhooks.reaching import Reach
from tenants.catalogue import Catalogue
from tenants.databases import platform
from tenants.domains import resolver
from tenants.domains.resolver import PublicDns
from tenants.flags.services import declared
from tenants.migration.lines import compile_lines
from tenants.operator.plugin import plugin as operator
from tenants.operator.tokens import OperatorTokens
from tenants.portal.plugin import plugin as portal

OF_THE_PLATFORM: Final[tuple[Plugin, ...]] = (core, portal, operator)
"""The parts of the application that serves the portal's host."""


def together(always: Iterable[Plugin], products: Iterable[Plugin] = ()) -> Plugins:
    """The plugins of one application: parts that everybody has, and products to choose from."""
    fixed = tuple(always)
    return Plugins(
        working={part.name: part for part in (*fixed, *products)},
        always=frozenset(part.name for part in fixed),
    )


def make_services(settings: Settings, products: Plugins) -> Services:
    """Whatever a process opens once. Nothing connects before it is used."""
    crypto.install(KeyRing(MasterKeys.load(settings.master_key_file)))
    mail.install(settings, [part.folder / "templates" for part in (*OF_THE_PLATFORM, *products)])
    extension.install(fillings(products))
    quotas.install({part.name: part.limits for part in (*OF_THE_PLATFORM, *products)})
    resolution.install(declared(products))
    signals = Signals(settings.redis_url)
    databases = Databases(
        pool_size=settings.pool_size,
        lifetime=Lifetime(schemas=settings.pool_max_schemas, seconds=settings.pool_max_age),
        statement_cache=settings.statement_cache,
    )
    directory = Catalogue(settings, databases, compile_lines(products))
    directory.listen(signals)
    gateway.install(
        StripeGateway(
            api_base=settings.stripe_api_base,
            script_url=settings.stripe_js_url,
            public_url=settings.webhook_url or settings.public_url,
        )
    )
    notifications.install(
        Centre(
            platform=OF_THE_PLATFORM, products=products, url_of=directory.url_of, signals=signals
        )
    )
    store.install(store_of(settings))
    reaching.install(Reach(networks(settings.webhooks_may_reach)))
    resolver.install(PublicDns(resolver.servers(settings.dns_servers)))
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    everything = Plugins({part.name: part for part in (*OF_THE_PLATFORM, *products)})
    authority = Authority.of(
        settings, everything, redis=redis, signals=signals, machines=OperatorTokens()
    )
    return Services(
        settings=settings,
        databases=databases,
        directory=directory,
        redis=redis,
        signals=signals,
        authority=authority,
        products=products,
    )


def load_texts(products: Plugins) -> None:
    """Read what translators made of every part's texts."""
    i18n.load(*(part.folder / "locale" for part in (*OF_THE_PLATFORM, *products)))


def _breakers() -> dict[str, str]:
    """How this process gets on with whom it calls."""
    vendor = gateway.installed()
    stripe = {"stripe": vendor.breaker.state} if isinstance(vendor, StripeGateway) else {}
    files = store.installed()
    bucket = {"s3": files.breaker.state} if isinstance(files, S3Store) else {}
    return stripe | bucket | {"smtp": office().breaker.state}


@asynccontextmanager
async def running(services: Services, process: str) -> AsyncIterator[Services]:
    """Listen to other processes while within, and let be known that this ``process`` (web,
    worker, …) lives; then close every connection.

    Raises:
        UnsafePooler: what lies before the main database would break what we rely on.
    """
    await services.databases.refuse_unsafe(platform(services.settings).scope.database)
    async with (
        services.signals.listening(),
        presence.shown(services.redis, process, _breakers),
    ):
        yield services
    await gateway.installed().close()
    await services.redis.aclose()
    await services.databases.dispose()

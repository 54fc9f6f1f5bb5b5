"""A Litestar application: the platform's, or the one that serves every tenant.

Both are made here from the parts they consist of, so that whatever must hold for every route
(declared access, sign-in, own-site checks, error pages, security headers) is said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from core.admission import Crowded
from core.at_rest import resting
from core.auth import guard, sessions
from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.guard import DeclaredAccess, access_guard
from core.auth.identity import Identity
from core.db import Databases
from core.errors import NotFound
from core.notifications import centre as notifications
from core.permissions import public
from core.plugin import Plugins
from core.plugin_settings import routes as plugin_settings
from core.scope import Directory, Tenant, current
from core.settings import Settings
from core.signals import Signals
from core.terms.guard import not_overdue
from core.web import allowances, csrf, headers, idempotency, openapi, problems, queries, revalidate
from core.web.bodies import StructBodies
from core.web.ears import Ears
from core.web.edge import INTERNAL, INTERNAL_API
from core.web.locales import localised
from core.web.pages import Page
from core.web.parts import DEVELOPMENT_HANDLERS
from core.web.render import Renderer
from core.web.slots import Slots
from core.web.static import Static

LARGEST_BODY: Final = 1_000_000
"""Bytes; forms and JSON are small, files come by other ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a process opens once and every request uses."""

    settings: Settings
    databases: Databases
    directory: Directory
    redis: Redis
    signals: Signals
    authority: Authority
    products: Plugins


@get(f"{INTERNAL}unknown-host", access=public, include_in_schema=False)
async def unknown_host(request: Request[Any, Any, Any]) -> Page:
    """No business lives at this address: say so, and where to look."""
    settings: Settings = request.app.state.settings
    host = request.headers.get("host", "")[:100]
    return Page("core/unknown_host.html", {"host": host, "portal": settings.public_url}, status=404)


@get([f"{INTERNAL_API}unknown-host", f"{INTERNAL}nowhere", f"{INTERNAL_API}nowhere"],
     access=public, include_in_schema=False)  # fmt: skip
async def nowhere() -> None:
    """Whatever was asked for does not exist for this tenant."""
    raise NotFound


@get([f"{INTERNAL}at-rest", f"{INTERNAL_API}at-rest"], access=public, include_in_schema=False)
async def at_rest() -> None:
    """The tenant is suspended, closed or still being prepared."""
    raise resting(current())


@get([f"{INTERNAL}crowded", f"{INTERNAL_API}crowded"], access=public, include_in_schema=False)
async def crowded() -> None:
    """The tenant has used up its share for now; see ``core.admission``."""
    raise Crowded


def _session(request: Request[Any, Any, Any]) -> AsyncSession:
    session: AsyncSession = request.scope["state"]["session"]
    return session


def _tenant(request: Request[Any, Any, Any]) -> Tenant:
    tenant: Tenant = request.scope["state"]["tenant"]
    return tenant


def _identity() -> Identity | None:
    return identities.current()


def _slots(request: Request[Any, Any, Any]) -> Slots:
    return Slots(_session(request), request.app.state["plugins"], identities.current())


def build(
    services: Services,
    plugins: Plugins,
    *,
    title: str,
    handlers: Sequence[ControllerRouterHandler] = (),
) -> Litestar:
    """The application that consists of ``plugins``: core's own, then the portal or the products.

    Raises:
        UndeclaredAccess: naming the first route that does not say who may call it.
    """
    # The portal shows pictures of every product.
    assets = Static({**services.products.working, **plugins.working}.values())
    return Litestar(
        route_handlers=[
            *(controller for part in plugins for controller in part.controllers),
            *plugin_settings.controllers_of(plugins),
            unknown_host,
            nowhere,
            at_rest,
            crowded,
            openapi.document,
            *handlers,
            *(DEVELOPMENT_HANDLERS if services.settings.development else ()),
        ],
        dependencies={
            "session": Provide(_session, sync_to_thread=False),
            "tenant": Provide(_tenant, sync_to_thread=False),
            "identity": Provide(_identity, sync_to_thread=False),
            "slots": Provide(_slots, sync_to_thread=False),
        },
        guards=[
            csrf.same_origin,
            access_guard,
            not_overdue,
            allowances.within_allowance,
            queries.readable,
        ],
        middleware=[localised, idempotency.recorded, revalidate.revalidated],
        before_request=idempotency.reserve,
        exception_handlers={**problems.exception_handlers, **guard.exception_handlers},
        before_send=[headers.secure],
        openapi_config=openapi.config(title),
        logging_config=None,  # core.telemetry.setup has set it up for the whole process
        plugins=[DeclaredAccess(), StructBodies()],
        request_max_body_size=LARGEST_BODY,
        state=State(
            {
                "settings": services.settings,
                "databases": services.databases,
                "directory": services.directory,
                "redis": services.redis,
                "plugins": plugins,
                "static": assets,
                "renderer": Renderer(services.settings, plugins, assets),
                "authority": services.authority,
                "signals": services.signals,
                "products": services.products,
                "ears": Ears(services.signals, notifications.CHANNEL, sessions.CHANNEL),
            }
        ),
    )

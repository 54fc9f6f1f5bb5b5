"""What the portal's routes take from the application and the request."""

from __future__ import annotations

from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.db import Databases
from core.plugin import Plugins
from core.scope import Directory
from core.settings import Settings
from core.signals import Signals
from core.web.http import AnyRequest
from tenants.portal.crossing import Crossing
from tenants.portal.services.businesses import Business


def products(request: AnyRequest) -> Plugins:
    """What a business can choose from: the installed products that work."""
    found: Plugins = request.app.state["products"]
    return found


def url_of(request: AnyRequest, business: Business) -> str:
    """Where a business is found, without a trailing slash."""
    return settings(request).tenant_url(business.slug, "", host=business.host)


def authority(request: AnyRequest) -> Authority:
    """Passwords, sessions and throttles."""
    found: Authority = request.app.state["authority"]
    return found


def signals(request: AnyRequest) -> Signals:
    """The broadcast to every process."""
    found: Signals = request.app.state["signals"]
    return found


def settings(request: AnyRequest) -> Settings:
    """The software's settings."""
    found: Settings = request.app.state["settings"]
    return found


def directory(request: AnyRequest) -> Directory:
    """Who the tenants are."""
    found: Directory = request.app.state["directory"]
    return found


def databases(request: AnyRequest) -> Databases:
    """The engines of this process."""
    found: Databases = request.app.state["databases"]
    return found


def crossing(request: AnyRequest) -> Crossing:
    """The door into the tenants' own scopes."""
    return Crossing(databases(request), directory(request))


def member() -> Identity:
    """Whoever is signed in, on a route that only they can call."""
    return identities.required()


def identity() -> Identity | None:
    """Whoever is signed in, or None."""
    return identities.current()

"""Navigation: what the enabled plugins add to every page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from core.auth.identity import Identity
from core.flags.resolution import on_here
from core.i18n import _, fill
from core.permissions import MANAGE_SETTINGS
from core.plugin import BUSINESS, NavItem, Plugin, Plugins
from core.scope import current_or_none
from core.web.shell import AsgiScope, Link

STANDS_BELOW: Final = "stands_below"
"""What a route declares whose address does not lie below that of its entry: that address."""


def place_of(scope: AsgiScope) -> str:
    """The path by which the entry of the page being shown is found."""
    handler = scope.get("route_handler")
    declared: str | None = handler.opt.get(STANDS_BELOW) if handler is not None else None
    return declared or str(scope.get("path", "/"))


def served(plugins: Plugins) -> list[Plugin]:
    """The parts that the tenant being served has: everybody's, and its own products."""
    tenant = current_or_none()
    return plugins.enabled(tenant.plugins) if tenant else []


def links(plugins: Plugins, viewer: Identity | None, path: str) -> dict[str, list[Link]]:
    """The navigation by area, in order, as far as ``viewer`` may go; where ``path`` is, marked."""
    items = [item for plugin in served(plugins) for item in _items(plugin)]
    items = sorted((item for item in items if _visible(item, viewer)), key=lambda item: item.order)
    here = _nearest(items, path)
    found: dict[str, list[Link]] = {}
    for item in items:
        link = Link(item.title, item.path, item.icon, item.path == here, item.group)
        found.setdefault(item.area, []).append(link)
    return found


def _items(plugin: Plugin) -> Iterator[NavItem]:
    yield from plugin.navigation
    if plugin.settings is not None:
        yield NavItem(
            title=fill(_("{name} settings"), name=plugin.title),
            path=plugin.settings_path,
            icon="settings",
            permission=MANAGE_SETTINGS.name,
            order=890,
            group=BUSINESS,
        )


def _visible(item: NavItem, viewer: Identity | None) -> bool:
    if item.flag is not None and not on_here(item.flag):
        return False
    return item.permission is None or (viewer is not None and viewer.may(item.permission))


def _nearest(items: Iterable[NavItem], path: str) -> str | None:
    above = [
        item.path
        for item in items
        if path == item.path or path.startswith(item.path.rstrip("/") + "/")
    ]
    return max(above, key=len, default=None)


def desk_of(plugins: Plugins, viewer: Identity | None) -> str | None:
    """The page where ``viewer`` works, if they are staff of this tenant."""
    if viewer is None or not viewer.is_staff:
        return None
    return next((plugin.desk for plugin in served(plugins) if plugin.desk), None)

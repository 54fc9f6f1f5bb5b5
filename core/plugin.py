"""The plugin contract: a product is a declaration, found by its entry point.

Core's own parts, the portal and the operator console use the same declaration; whatever
Atrium can be taught, it is taught through these fields.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from litestar.types import ControllerRouterHandler
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from sqlalchemy.ext.asyncio import AsyncSession

from core.events import Event
from core.extension import Extension, ExtensionPoint
from core.i18n import LazyText
from core.jobs import Actor, Schedule
from core.permissions import Permission

ENTRY_POINT_GROUP: Final = "atrium.plugins"
CORE: Final = "core"
"""The name of core's own part, whose places bear the names of pages."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

log = structlog.get_logger(__name__)


class PluginContradiction(ValueError):
    """A declaration that cannot be true; the message says which field and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """An entry of the navigation, shown to holders of ``permission`` (None: everyone).

    ``icon`` is the name of a Tabler icon; ``area`` is ``desk`` (staff) or ``site`` (customers).
    """

    title: LazyText | str
    path: str
    icon: str
    permission: str | None = None
    area: str = "desk"
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a page where other plugins may put parts: ``name`` such as ``account``.

    ``page`` says to plugin authors which page it is in, and who sees it; ``context`` are the
    keyword arguments that a slot's ``fill`` is called with beside the session, and their types.
    """

    name: str
    page: str
    context: Mapping[str, type] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A part that this plugin puts into the ``Place`` called ``name``, such as ``tenant.home``.

    ``fill`` reads what the part shows, or answers None where there is nothing to show;
    ``template`` is rendered with what it read. A part that fails is left out of the page.
    """

    name: str
    template: str
    fill: Callable[..., Awaitable[dict[str, Any] | None]]
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A quantity that is counted for billing, such as ``car_hire.hires_started``."""

    name: str
    title: LazyText | str
    unit: str


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Everything a product adds. Templates, static files, locale and migrations are found in
    folders of those names beside the module ``package``.

    ``prefix`` is the first path segment of its pages; its API lies at ``/api/v1/<prefix>``.
    ``seed`` fills a new tenant with what it needs to begin, ``demo`` with believable data.
    """

    name: str
    title: LazyText | str
    summary: LazyText | str
    version: str
    core_versions: str
    package: str
    icon: str = "box"
    home: str | None = None
    """The page a tenant's visitor should land on."""
    desk: str | None = None
    """The page a tenant's staff should land on."""
    controllers: tuple[ControllerRouterHandler, ...] = ()
    actors: tuple[Actor, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    listeners: Mapping[type[Event], tuple[Actor, ...]] = field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()
    navigation: tuple[NavItem, ...] = ()
    places: tuple[Place, ...] = ()
    """Places in pages of this plugin that others may fill."""
    slots: tuple[Slot, ...] = ()
    extension_points: tuple[ExtensionPoint[Any], ...] = ()
    """Hooks that other plugins may hang functions on."""
    extends: tuple[Extension, ...] = ()
    """What this plugin hangs on the hooks of others."""
    settings: type[msgspec.Struct] | None = None
    """What a tenant may choose, drawn as a form at ``/settings/<prefix>``."""
    meters: tuple[Meter, ...] = ()
    extensions: tuple[str, ...] = ()
    """PostgreSQL extensions, installed once per database."""
    seed: Callable[[AsyncSession], Awaitable[None]] | None = None
    demo: Callable[[AsyncSession], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PluginContradiction(f"name {self.name!r} must be lower_snake_case")
        try:
            SpecifierSet(self.core_versions)
        except InvalidSpecifier:
            raise PluginContradiction(
                f"core_versions {self.core_versions!r} is not a version specifier"
            ) from None
        for kind, names in (
            ("permission", [each.name for each in self.permissions]),
            ("actor", [each.name for each in self.actors]),
            ("meter", [each.name for each in self.meters]),
            ("extension point", [each.name for each in self.extension_points]),
            ("place", [each.name for each in self.places] if self.name != CORE else []),
        ):
            _refuse_strangers(self.name, kind, names)
        self._refuse_unknown_actors()
        self._refuse_settings_without_defaults()
        _refuse_doubled("extension of", [each.point for each in self.extends])

    def _refuse_unknown_actors(self) -> None:
        known = set(map(id, self.actors))
        used = [each.actor for each in self.schedules]
        used += [actor for actors in self.listeners.values() for actor in actors]
        for actor in used:
            if id(actor) not in known:
                raise PluginContradiction(f"{actor.name} is used but not listed in actors")

    def _refuse_settings_without_defaults(self) -> None:
        """A tenant that has just enabled the plugin has chosen nothing yet."""
        if self.settings is None:
            return
        try:
            self.settings()
        except (TypeError, ValueError) as problem:
            raise PluginContradiction(
                f"each field of settings needs a default that its rules allow: {problem}"
            ) from None

    @property
    def prefix(self) -> str:
        """The first path segment of this plugin's pages, ``car-hire`` for ``car_hire``."""
        return self.name.replace("_", "-")

    @property
    def settings_path(self) -> str:
        """The page of this plugin's settings; programs find them below ``/api/v1``."""
        return f"/settings/{self.prefix}"

    @property
    def folder(self) -> Path:
        """Where the plugin's files lie."""
        origin = import_module(self.package).__file__
        assert origin is not None
        return Path(origin).parent


def _refuse_strangers(plugin: str, kind: str, names: list[str]) -> None:
    for name in names:
        if not name.startswith(f"{plugin}."):
            raise PluginContradiction(f"{kind} {name!r} must begin with {plugin + '.'!r}")
    _refuse_doubled(kind, names)


def _refuse_doubled(kind: str, names: list[str]) -> None:
    if doubled := {name for name in names if names.count(name) > 1}:
        raise PluginContradiction(f"{kind} declared twice: {', '.join(sorted(doubled))}")


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of a process: those that work, by name, and why the others do not.

    Those named in ``always`` are everybody's, such as core's own part; the others are enabled
    for one tenant and not for another.
    """

    working: Mapping[str, Plugin]
    broken: Mapping[str, str] = field(default_factory=dict)
    always: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self.working.values())

    def enabled(self, names: Iterable[str]) -> list[Plugin]:
        """The working plugins among ``names``, in a stable order."""
        wanted = self.always.union(names)
        return [each for name, each in sorted(self.working.items()) if name in wanted]

    def permissions(self, names: Iterable[str]) -> tuple[Permission, ...]:
        """Every permission that the plugins among ``names`` declare."""
        return tuple(each for plugin in self.enabled(names) for each in plugin.permissions)


def discover(found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load every installed plugin. One that fails is named, with the reason, and passed over."""
    working: dict[str, Plugin] = {}
    broken: dict[str, str] = {}
    core_version = version("atrium")
    for entry in found if found is not None else entry_points(group=ENTRY_POINT_GROUP):
        try:
            plugin = _load(entry, core_version)
        except Exception as problem:  # a stranger's module may raise anything at import
            broken[entry.name] = f"{type(problem).__name__}: {problem}"
            log.exception("plugin.broken", plugin=entry.name)
        else:
            working[plugin.name] = plugin
    return Plugins(working, broken)


def _load(entry: EntryPoint, core_version: str) -> Plugin:
    plugin = entry.load()
    if not isinstance(plugin, Plugin):
        raise PluginContradiction(f"{entry.value} is not a core.plugin.Plugin")
    if plugin.name != entry.name:
        raise PluginContradiction(f"its entry point is {entry.name!r}, its name {plugin.name!r}")
    if core_version not in SpecifierSet(plugin.core_versions):
        raise PluginContradiction(
            f"it works with Atrium {plugin.core_versions}, this is {core_version}"
        )
    _refuse_ungated(plugin)
    return plugin


def _refuse_ungated(plugin: Plugin) -> None:
    """The gate of a tenant without the plugin stands at its prefix, and nowhere else."""
    gated = (f"/{plugin.prefix}/", f"/api/v1/{plugin.prefix}/")
    for each in plugin.controllers:
        paths = getattr(each, "paths", None) or {getattr(each, "path", "/")}
        for path in paths:
            if not f"/{path.strip('/')}/".startswith(gated):
                raise PluginContradiction(f"{each} answers at {path}, outside {gated[0]}")

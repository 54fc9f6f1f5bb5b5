"""The plugin contract: a product is a declaration, found by its entry point.

Core's own parts, the portal and the operator console use the same declaration; whatever
Atrium can be taught, it is taught through these fields.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
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
from core.flags.declaration import Flag
from core.folders import ENTRY_POINT_GROUP, folder_of
from core.i18n import LazyText, _
from core.jobs import Actor, Schedule
from core.notices import Notice
from core.permissions import Permission
from core.personal import PersonalData
from core.public_pages import PublicPage
from core.quotas.declaration import Limit
from core.storage.areas import FileArea
from core.webhooks.declaration import Webhook

CORE: Final = "core"
"""The name of core's own part."""
NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

log = structlog.get_logger(__name__)


BUSINESS: Final = _("Business")
"""The group of the navigation that holds what a business sets up once."""


class PluginContradiction(ValueError):
    """A declaration that cannot be true; the message says which field and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """An entry of the navigation; the one nearest to the page being shown is marked."""

    title: LazyText | str
    """What it says."""
    path: str
    """The page that it leads to."""
    icon: str
    """The name of an outline icon of Tabler's."""
    permission: str | None = None
    """Only holders of it see the entry; None: everyone."""
    area: str = "desk"
    """Where it stands: ``desk`` (staff), ``site`` (customers) or ``account`` (the account menu)."""
    order: int = 100
    """Low numbers come first."""
    flag: str | None = None
    """The entry is there where this flag of the plugin's is on; None: always."""
    group: LazyText | str | None = None
    """The heading of the desk under which it stands with others, folded until one of them is
    wanted; None: always in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a page where other plugins may put parts."""

    name: str
    """Such as ``account``; a plugin's begin with its name and a point."""
    page: str
    """For plugin authors: which page it is in, and who sees it."""
    context: Mapping[str, type] = field(default_factory=dict)
    """The keyword arguments that a ``fill`` is called with beside the session, and their types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A part that this plugin puts into a page of another; one that fails is left out of it."""

    name: str
    """The name of the ``Place``, such as ``tenant.home``."""
    template: str
    """Rendered with what ``fill`` answered, and ``shell``."""
    fill: Callable[..., Awaitable[dict[str, Any] | None]]
    """``async def fill(session, …)``, with what the place promises: reads what the part shows, or
    answers None where there is nothing to show."""
    permission: str | None = None
    """Only holders of it see the part; None: whoever sees the page."""
    order: int = 100
    """Low numbers come first."""
    flag: str | None = None
    """The part is there where this flag of the plugin's is on; None: always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A quantity that is counted for billing, by ``core.billing.usage.record``."""

    name: str
    """Such as ``car_hire.hires_started``."""
    title: LazyText | str
    """What it says on an invoice."""
    unit: str
    """Of what it is a number, such as ``hire``."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Everything a product adds. Templates, static files, locale and migrations are found in
    folders of those names beside the module ``package``.

    Its pages lie below ``/<prefix>``, its API below ``/api/v1/<prefix>``; the prefix is the name
    with dashes.
    """

    name: str
    """In lower_snake_case; its tables, permissions, jobs and meters begin with it. It is the name
    of its entry point too, and must be none that core's own pages use."""
    title: LazyText | str
    """What people call it."""
    summary: LazyText | str
    """One line on what it does, where businesses choose their products."""
    version: str
    """Its own version."""
    core_versions: str
    """The versions of Atrium that it works with, such as ``>=0.1,<1``."""
    package: str
    """The module beside which ``templates``, ``static``, ``locale`` and ``migrations`` lie, and the
    module that its entry point names."""
    icon: str = "box"
    """The name of an outline icon of Tabler's."""
    home: str | None = None
    """The page that a visitor of the business should land on, if it has one for customers."""
    desk: str | None = None
    """The page that the staff of the business should land on."""
    controllers: tuple[ControllerRouterHandler, ...] = ()
    """Litestar controllers and handlers; each says who may call it by ``access=``."""
    actors: tuple[Actor, ...] = ()
    """Jobs, declared by ``core.jobs.actor``."""
    schedules: tuple[Schedule, ...] = ()
    """When jobs run by themselves, on the tenant's clock."""
    listeners: Mapping[type[Event], tuple[Actor, ...]] = field(default_factory=dict)
    """Which jobs a domain event of whichever plugin asks for."""
    webhooks: tuple[Webhook, ...] = ()
    """Which of its domain events owners may have sent to programs of theirs."""
    permissions: tuple[Permission, ...] = ()
    """What people of the business may be allowed to do, and which roles may from the start."""
    notices: tuple[Notice, ...] = ()
    """What it tells people of, by ``core.notifications.notify``."""
    public_pages: Callable[[AsyncSession], Awaitable[Sequence[PublicPage]]] | None = None
    """``async def public_pages(session)``: which of its pages search engines may find, for the
    tenant that is served; the rest of its site they may follow, and its desk they may not."""
    navigation: tuple[NavItem, ...] = ()
    """Entries of the menus; the page of the settings has one by itself."""
    places: tuple[Place, ...] = ()
    """Places in pages of this plugin that others may fill."""
    slots: tuple[Slot, ...] = ()
    """Parts that this plugin puts into places of others."""
    extension_points: tuple[ExtensionPoint[Any], ...] = ()
    """Hooks that other plugins may hang functions on."""
    extends: tuple[Extension, ...] = ()
    """What this plugin hangs on the hooks of others."""
    settings: type[msgspec.Struct] | None = None
    """What a tenant may choose, drawn as a form at ``/settings/<prefix>``."""
    areas: tuple[FileArea, ...] = ()
    """Kinds of files that it keeps, and who may read them."""
    personal: tuple[PersonalData, ...] = ()
    """What it keeps of people, and how that is told to them and forgotten."""
    audit_titles: Mapping[str, LazyText | str] = field(default_factory=dict)
    """What its acts and objects are called in the audit log, by the codes that it records."""
    meters: tuple[Meter, ...] = ()
    """What is counted for billing."""
    limits: tuple[Limit, ...] = ()
    """What a tenant may have, or do in a month, only so much of; see ``core.quotas``."""
    flags: tuple[Flag, ...] = ()
    """Features that are on for some tenants and off for others; see ``core.flags``."""
    extensions: tuple[str, ...] = ()
    """PostgreSQL extensions, installed once per database."""
    seed: Callable[[AsyncSession], Awaitable[None]] | None = None
    """Fills a new tenant with what it needs to begin; once, also if it is enabled again."""
    demo: Callable[[AsyncSession], Awaitable[None]] | None = None
    """Fills a tenant of the demonstration with believable data."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
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
            ("limit", [each.name for each in self.limits]),
            ("flag", [each.key for each in self.flags]),
            ("extension point", [each.name for each in self.extension_points]),
            ("notice", [each.name for each in self.notices]),
            ("file area", [each.name for each in self.areas]),
            *self._named_by_pages(),
        ):
            _refuse_strangers(self.name, kind, names)
        self._refuse_unknown_actors()
        self._refuse_unknown_flags()
        self._refuse_settings_without_defaults()
        _refuse_doubled("extension of", [each.point for each in self.extends])

    def _named_by_pages(self) -> Iterator[tuple[str, list[str]]]:
        """What bears the plugin's name, where core's own part has plain words."""
        if self.name != CORE:
            yield "place", [each.name for each in self.places]
            yield "personal data", [each.name for each in self.personal]
            yield "webhook", [each.name for each in self.webhooks]

    def _refuse_unknown_actors(self) -> None:
        known = set(map(id, self.actors))
        used = [each.actor for each in self.schedules]
        used += [actor for actors in self.listeners.values() for actor in actors]
        for actor in used:
            if id(actor) not in known:
                raise PluginContradiction(f"{actor.name} is used but not listed in actors")

    def _refuse_unknown_flags(self) -> None:
        known = {each.key for each in self.flags}
        asked = {each.flag for each in self.navigation} | {each.flag for each in self.slots}
        for key in asked - known - {None}:
            raise PluginContradiction(f"flag {key!r} is asked for but not declared")

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
    _refuse_displaced(plugin, entry)
    return plugin


def _refuse_ungated(plugin: Plugin) -> None:
    """The gate of a tenant without the plugin stands at its prefix, and nowhere else."""
    gated = (f"/{plugin.prefix}/", f"/api/v1/{plugin.prefix}/")
    for each in plugin.controllers:
        paths = getattr(each, "paths", None) or {getattr(each, "path", "/")}
        for path in paths:
            if not f"/{path.strip('/')}/".startswith(gated):
                raise PluginContradiction(f"{each} answers at {path}, outside {gated[0]}")


def _refuse_displaced(plugin: Plugin, entry: EntryPoint) -> None:
    """Its files are found by its entry point alone where nobody needs its code."""
    if (beside := folder_of(entry)) != plugin.folder:
        raise PluginContradiction(
            f"its package {plugin.package!r} is not that of its entry point, which lies in {beside}"
        )

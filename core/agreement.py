"""What plugins must agree on with core and with each other; looked at once, as a process starts.

A plugin's own contradictions are refused by its declaration. Here are those that show only
beside others: a name that is taken, a slot that nobody offers. Such a plugin is named with the
reason and passed over, like one that fails to import; everything else starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog
from litestar import Router

from core.extension import Extension, ExtensionPoint, Filling, unfit
from core.plugin import Place, Plugin, Plugins
from core.signature import misfit
from core.web.forms.schema import fields_of

API: Final = "/api/v1/"
SETTINGS: Final = "/settings/"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is there without any plugin: the ``parts`` of every tenant's application, ``paths``
    that it answers beside them, and ``names`` that are taken otherwise."""

    parts: Sequence[Plugin] = ()
    paths: Sequence[str] = ()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plugin finds where it is installed.

    ``names`` are taken by parts that are no plugins; ``reserved`` are first segments of paths
    that core answers itself, as pages or below ``/api/v1``, each with such a path.
    """

    names: frozenset[str]
    reserved: Mapping[str, str]
    places: Mapping[str, Place]
    points: Mapping[str, ExtensionPoint[Any]]

    @classmethod
    def of(cls, house: House, plugins: Iterable[Plugin]) -> Self:
        """Those of ``house`` together with ``plugins``."""
        answered = [*house.paths, *(path for part in house.parts for path in paths_of(part))]
        owners = [*house.parts, *plugins]
        places = [each for owner in owners for each in owner.places]
        points = [each for owner in owners for each in owner.extension_points]
        return cls(
            names=house.names.union(part.name for part in house.parts),
            reserved={name: path for path in sorted(answered) for name in _names(path)},
            places={each.name: each for each in places},
            points={each.name: each for each in points},
        )

    def objections(self, plugin: Plugin) -> Iterator[str]:
        """Why ``plugin`` cannot be here."""
        if plugin.name in self.names:
            yield f"the name {plugin.name!r} is that of a part of Atrium's own"
        if path := self.reserved.get(plugin.prefix):
            yield f"its pages would lie at /{plugin.prefix}, which is core's own: {path}"
        for key in _secrets(plugin):
            yield (
                f"its setting {key!r} is a secret, and settings are kept with their history for"
                " every admin to read: give it a column of EncryptedText"
            )
        for slot in plugin.slots:
            place = self.places.get(slot.name)
            if place is None:
                known = ", ".join(sorted(self.places))
                yield f"it fills the slot {slot.name!r}, which nobody offers; there are: {known}"
            elif why := misfit(slot.fill, place.context):
                yield f"its fill of the slot {slot.name!r}: {why}"
        for extension in plugin.extends:
            yield from self._objections_to(extension)

    def _objections_to(self, extension: Extension) -> Iterator[str]:
        point = self.points.get(extension.point)
        if point is None:
            known = ", ".join(sorted(self.points)) or "none"
            yield f"it extends {extension.point!r}, which nobody offers; there are: {known}"
        elif point.version != extension.version:
            yield (
                f"it extends {point.name} version {extension.version}, here is version"
                f" {point.version}"
            )
        elif why := unfit(extension, point):
            yield f"its extension of {point.name}: {why}"


def _secrets(plugin: Plugin) -> list[str]:
    fields = fields_of(plugin.settings) if plugin.settings else {}
    return [key for key, spec in fields.items() if spec.extra.get("input") == "password"]


def agreed(found: Plugins, house: House) -> Plugins:
    """``found`` without those that cannot be in ``house`` with each other.

    Passing one over may leave another without what it fills, so it is asked until all agree.
    """
    working, broken = dict(found.working), dict(found.broken)
    while True:
        here = Surroundings.of(house, working.values())
        refused = {
            name: "; ".join(why) for name, plugin in working.items()
            if (why := list(here.objections(plugin)))
        }  # fmt: skip
        if not refused:
            return Plugins(working, broken, found.always)
        for name, reason in refused.items():
            log.error("plugin.broken", plugin=name, reason=reason)
            del working[name]
        broken |= refused


def fillings(plugins: Plugins) -> dict[tuple[str, int], list[Filling]]:
    """Who extends what, by point and version, of plugins that agree."""
    found: dict[tuple[str, int], list[Filling]] = {}
    for plugin in plugins:
        for each in plugin.extends:
            filling = Filling(plugin.name, plugin.title, each)
            found.setdefault((each.point, each.version), []).append(filling)
    return found


def paths_of(part: Plugin) -> list[str]:
    """The paths of a part's routes."""
    if not part.controllers:
        return []
    return [route.path for route in Router("/", route_handlers=part.controllers).routes]


def _names(path: str) -> set[str]:
    """What no plugin may be called because core answers at ``path``: its first segment, and below
    the API and the settings, where each plugin has a segment of its own, the next."""
    names = set()
    for above in ("/", API, SETTINGS, API + SETTINGS.strip("/") + "/"):
        if path.startswith(above):
            names.add(path.removeprefix(above).partition("/")[0])
    return names - {""}

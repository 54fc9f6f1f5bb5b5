"""Page slots: the places in core's pages where plugins put parts, and how a page fills them.

A page asks for its parts before it is rendered, each in a savepoint, and shows them by
``macros/slots.html``. A part that cannot be read or drawn is named in the log and left out: a
plugin may add to a page of somebody else's, and never break it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_failures
from core.auth.identity import Identity
from core.contained import contained
from core.db import lost_its_transaction
from core.flags.resolution import on_here
from core.plugin import Place, Plugins, Slot
from core.web.navigation import served

BUDGET: Final = 1.0
"""Seconds that a part may take to be read."""

log = structlog.get_logger(__name__)

HOME: Final = Place(
    name="tenant.home",
    page="The page at / of a business with several products, seen by everybody, signed in or not.",
)
ACCOUNT: Final = Place(
    name="account",
    page="The page /account of whoever is signed in; core.auth.identity.required() is who it is.",
)
PERSON: Final = Place(
    name="person",
    page="The page of one person in /settings/people, seen by those who may manage people.",
    context={"person_id": UUID},
)

PLACES: Final = (HOME, ACCOUNT, PERSON)
"""Every place that core's own pages offer."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A part that a plugin has filled: a template and what it shows."""

    plugin: str
    template: str
    context: dict[str, Any]


class Slots:
    """What the tenant's plugins add to the page that is being made for ``viewer``."""

    # No dataclass: Litestar would have msgspec look into the fields of a dependency that is one.
    def __init__(self, session: AsyncSession, plugins: Plugins, viewer: Identity | None) -> None:
        self.session = session
        self.plugins = plugins
        self.viewer = viewer

    async def fill(self, place: Place, **context: Any) -> Sequence[Filled]:
        """The parts for ``place``, in order; ``context`` is what the place promises.

        Show them with ``{{ slots.show(added) }}`` of ``macros/slots.html``.
        """
        assert context.keys() == place.context.keys(), f"{place.name} promises {place.context}"
        wanted = [
            (slot.order, plugin.name, slot)
            for plugin in served(self.plugins)
            for slot in plugin.slots
            if slot.name == place.name and self._may_see(slot)
        ]
        ordered = sorted(wanted, key=lambda each: each[:2])
        filled = [await self._part(plugin, slot, context) for _, plugin, slot in ordered]
        return [part for part in filled if part is not None]

    def _may_see(self, slot: Slot) -> bool:
        if slot.flag is not None and not on_here(slot.flag):
            return False
        if slot.permission is None:
            return True
        return self.viewer is not None and self.viewer.may(slot.permission)

    async def _part(self, plugin: str, slot: Slot, context: dict[str, Any]) -> Filled | None:
        try:
            async with contained(self.session, BUDGET):
                shown = await slot.fill(self.session, **context)
        except Exception as problem:  # a plugin's own code may raise anything
            if lost_its_transaction(problem):
                raise  # none of the plugin's doing: another attempt may do better
            log.exception("slot.failed", plugin=plugin, slot=slot.name)
            await plugin_failures.note(self.session, plugin, slot.name, problem)
            return None
        return None if shown is None else Filled(plugin, slot.template, shown)

"""Every job that this process knows, and for whom it may run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from core.jobs import Actor, Schedule
from core.plugin import Plugin, Plugins
from core.scope import Tenant
from workers.fan_out import fan_out

DEFAULT_QUEUE: Final = "default"


@dataclass(frozen=True, slots=True)
class Registry:
    """``core`` actors run for every tenant, ``platform`` ones for tenant zero alone, and those of
    a plugin where it is enabled."""

    core: Mapping[str, Actor]
    platform: Mapping[str, Actor]
    plugins: Plugins
    schedules: tuple[Schedule, ...] = ()
    """Core's own, of every tenant."""

    @classmethod
    def of(
        cls,
        plugins: Plugins,
        *,
        core: Iterable[Actor] = (),
        platform: Iterable[Actor] = (),
        schedules: Iterable[Schedule] = (),
    ) -> Self:
        """A registry of the given actors, and of what the plugins declare."""
        events = fan_out(plugins)
        return cls(
            core={each.name: each for each in (events, *core)},
            platform={each.name: each for each in platform},
            plugins=plugins,
            schedules=tuple(schedules),
        )

    def actor(self, name: str) -> Actor | None:
        """The actor of that name, whoever may use it; None when nothing here declares it."""
        if found := self.core.get(name) or self.platform.get(name):
            return found
        plugin = self.plugins.working.get(name.partition(".")[0])
        return next((each for each in plugin.actors if each.name == name), None) if plugin else None

    def allowed(self, actor: Actor, tenant: Tenant) -> bool:
        """Whether the job may run for ``tenant`` now."""
        if actor.name in self.core:
            return True
        if actor.name in self.platform:
            return tenant.is_platform
        return actor.name.partition(".")[0] in tenant.plugins

    @property
    def queues(self) -> frozenset[str]:
        """The queues that all these jobs wait in."""
        return frozenset({DEFAULT_QUEUE, *(each.queue for each in self._all())})

    def schedules_of(self, tenant: Tenant) -> list[Schedule]:
        """The periodic jobs of a tenant."""
        enabled: list[Plugin] = self.plugins.enabled(tenant.plugins)
        return [*self.schedules, *(each for plugin in enabled for each in plugin.schedules)]

    def _all(self) -> Iterator[Actor]:
        yield from self.core.values()
        yield from self.platform.values()
        for plugin in self.plugins:
            yield from plugin.actors

"""Every job that this process knows, and for whom it may run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlalchemy.ext.asyncio import AsyncSession

from core.events import FAN_OUT
from core.jobs import Actor, Schedule, actor, running_job
from core.plugin import Plugin, Plugins
from core.scope import Tenant, current
from core.webhooks import Webhook, spreading

DEFAULT_QUEUE: Final = "default"


@dataclass(frozen=True, slots=True)
class Registry:
    """Parts by name: ``core`` ones are everybody's, ``platform`` ones tenant zero's alone, and
    the plugins are theirs who enabled them."""

    core: Mapping[str, Plugin]
    platform: Mapping[str, Plugin]
    plugins: Plugins
    _fan_out: Actor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fan_out", _fan_out(self))

    @classmethod
    def of(
        cls, plugins: Plugins, *, core: Iterable[Plugin] = (), platform: Iterable[Plugin] = ()
    ) -> Self:
        """A registry of what all these parts declare."""
        return cls(
            core={each.name: each for each in core},
            platform={each.name: each for each in platform},
            plugins=plugins,
        )

    def actor(self, name: str) -> Actor | None:
        """The actor of that name, whoever may use it; None when nothing here declares it."""
        if name == FAN_OUT:
            return self._fan_out
        prefix = name.partition(".")[0]
        part = (
            self.core.get(prefix) or self.platform.get(prefix) or self.plugins.working.get(prefix)
        )
        return next((each for each in part.actors if each.name == name), None) if part else None

    def allowed(self, actor: Actor, tenant: Tenant) -> bool:
        """Whether the job may run for ``tenant`` now."""
        if actor.name == FAN_OUT:
            return True
        return actor.name.partition(".")[0] in {part.name for part in self.parts_of(tenant)}

    def parts_of(self, tenant: Tenant) -> list[Plugin]:
        """What a tenant consists of."""
        platform = self.platform.values() if tenant.is_platform else ()
        return [*self.core.values(), *platform, *self.plugins.enabled(tenant.plugins)]

    def schedules_of(self, tenant: Tenant) -> list[Schedule]:
        """The periodic jobs of a tenant."""
        return [each for part in self.parts_of(tenant) for each in part.schedules]

    def listeners(self, tenant: Tenant, event: str) -> Iterator[Actor]:
        """Who, of the tenant's parts, listens to the event of that name."""
        for part in self.parts_of(tenant):
            for kind, actors in part.listeners.items():
                if kind.name == event:
                    yield from actors

    def webhook(self, tenant: Tenant, event: str) -> Webhook | None:
        """How the tenant's own programs are told of the event of that name, if they may be."""
        told = (each for part in self.parts_of(tenant) for each in part.webhooks)
        return next((each for each in told if each.name == event), None)

    @property
    def queues(self) -> frozenset[str]:
        """The queues that all these jobs wait in."""
        parts = [*self.core.values(), *self.platform.values(), *self.plugins]
        return frozenset({DEFAULT_QUEUE, *(each.queue for part in parts for each in part.actors)})


def _fan_out(registry: Registry) -> Actor:
    """The job that turns an event into one message for each listener of the tenant, and for each
    of the endpoints that it has."""

    @actor(FAN_OUT)
    async def fan_out(session: AsyncSession, event: str, body: dict[str, Any]) -> None:
        for listener in registry.listeners(current(), event):
            await listener.enqueue(session, event=body)
        if (told := registry.webhook(current(), event)) is not None:
            await spreading.spread(session, told, body, running_job().id)

    return fan_out

"""The notification centre of this process: which kinds there are, and how readers are woken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import after_commit
from core.i18n import LazyText
from core.notices import Notice
from core.permissions import Role
from core.scope import Tenant
from core.signals import Signals

CHANNEL: Final = "notifications"
"""Signals on it are the ids of a tenant and of its people, with a space between them."""
_EVERYBODYS: Final = "core"


class Declaring(Protocol):
    """What is asked of ``core.plugin.Plugin``, which services must not know: it knows the web."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> LazyText | str: ...

    @property
    def notices(self) -> tuple[Notice, ...]: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A notice, and the part that declares it."""

    notice: Notice
    part: str
    part_title: LazyText | str


class Centre:
    """``platform`` are the parts of tenant zero, ``products`` those that tenants choose from;
    ``url_of`` gives the address of a path at a tenant's host, for letters."""

    def __init__(
        self,
        *,
        platform: Iterable[Declaring],
        products: Iterable[Declaring],
        url_of: Callable[[Tenant, str], str],
        signals: Signals,
    ) -> None:
        fixed = tuple(platform)
        self._platform = _kinds(fixed)
        self._tenants = _kinds([*(each for each in fixed if each.name == _EVERYBODYS), *products])
        self.url_of = url_of
        self._signals = signals

    def kinds_for(self, tenant: Tenant, role: Role) -> dict[str, Kind]:
        """By name, the kinds that people of ``role`` may be told of at ``tenant`` as it is now."""
        known = self._platform if tenant.is_platform else self._tenants
        return {
            kind.notice.name: kind
            for kind in known
            if (tenant.is_platform or kind.part in {_EVERYBODYS, *tenant.plugins})
            and kind.notice.may_be_read_by(role)
        }

    def notice(self, name: str) -> Notice | None:
        """The notice of that name, if a part that is installed declares it."""
        found = (kind.notice for kind in (*self._platform, *self._tenants))
        return next((each for each in found if each.name == name), None)

    async def wake(self, tenant: Tenant, people: Iterable[UUID]) -> None:
        """Have every process that shows something to ``people`` look again."""
        await self._signals.publish(CHANNEL, " ".join(map(str, (tenant.id, *people))))


def _kinds(parts: Iterable[Declaring]) -> list[Kind]:
    return [Kind(notice, part.name, part.title) for part in parts for notice in part.notices]


_installed: list[Centre] = []


def install(centre: Centre) -> None:
    """Open the centre of this process: for the composition root."""
    _installed[:] = [centre]


def centre() -> Centre:
    """The centre of this process.

    Raises:
        RuntimeError: the composition root has not opened one.
    """
    if not _installed:
        raise RuntimeError("no notification centre is open; core.notifications.centre.install()")
    return _installed[0]


def wake_after(session: AsyncSession, people: Iterable[UUID]) -> None:
    """Once this transaction has committed, have ``people`` see it. Where no centre is open, as
    in a command, they see it when they look next."""
    tenant: Tenant = session.info["tenant"]
    woken = tuple(people)
    if _installed and woken:
        open_centre = _installed[0]
        after_commit(session, lambda: open_centre.wake(tenant, woken))

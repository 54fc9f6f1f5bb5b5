"""Extension points: a product offers named, versioned hooks; plugins hang functions on them.

Neither imports the other. The product says what it asks and what answer it takes, as Structs of
its own; the plugin writes Structs with the fields that it cares for (``core.shape``). Whether they
fit is looked at as a process starts (``core.agreement``). Who is asked, for a tenant, is whoever
that tenant has enabled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_failures
from core.contained import contained
from core.db import lost_its_transaction
from core.errors import DomainError, Unavailable
from core.i18n import LazyText, _, fill
from core.scope import Tenant
from core.shape import lacks, read_as
from core.signature import misfit

A = TypeVar("A")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)  # no slots: a generic alias leaves its mark when it is called
class ExtensionPoint(Generic[A]):
    """A hook that a product offers to other plugins."""

    name: str
    """Such as ``car_hire.rate_rule``."""
    version: int
    """Another when what is asked or answered changes so that plugins must be changed."""
    purpose: str
    """For plugin authors: when it is asked, what for, and what happens if a hook fails."""
    asks: type[msgspec.Struct]
    """What a hook is given; a plugin may read some of its fields."""
    answers: Any
    """The type of what it gives back."""
    seconds: float = 1.0
    """How long a statement of a hook may take; the whole of it twice that."""
    form: bool = False
    """Whether a plugin brings a title and a Struct of fields, which the product draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a plugin hangs on an extension point of a product."""

    point: str
    """The point's name."""
    version: int
    """The point's version for which it was written."""
    hook: Callable[[AsyncSession, Any], Awaitable[Any]]
    """``async def hook(session, asked)``, annotated with Structs of the plugin's own; it runs in
    the product's transaction, in a savepoint. A ``DomainError`` is its decision, any other error
    its failure."""
    title: LazyText | str | None = None
    """What its fields are headed by, where the point has a form."""
    form: type[msgspec.Struct] | None = None
    """Its fields, where the point has a form."""
    order: int = 100
    """Low numbers are asked first."""


class ExtensionFailed(Unavailable):
    """A plugin that has a say in this could not be asked, and nothing is done without it."""

    code = "extension_failed"
    title = _("A plugin that has a say in this does not work at the moment")

    def __init__(self, plugin: str, title: LazyText | str) -> None:
        self.plugin = plugin
        super().__init__(
            fill(
                _(
                    "“{plugin}” does not work at the moment, and nothing is done here without it."
                    " Try again; if it goes on, ask its maker, or switch it off for this business."
                ),
                plugin=title,
            ),
            retry_after=30,
        )


@dataclass(frozen=True, slots=True)
class Filling:
    """An extension and the plugin whose it is."""

    plugin: str
    title: LazyText | str
    extension: Extension


Fillings = dict[tuple[str, int], list[Filling]]
_installed: Fillings = {}


def install(fillings: Fillings) -> None:
    """Say who extends what in this process: for the composition root."""
    _installed.clear()
    _installed.update(
        {
            key: sorted(each, key=lambda filling: (filling.extension.order, filling.plugin))
            for key, each in fillings.items()
        }
    )


def extensions(session: AsyncSession, point: ExtensionPoint[Any]) -> Sequence[Filling]:
    """What the tenant's plugins hang on ``point``, in order."""
    found = _installed.get((point.name, point.version))
    if not found:
        return ()
    tenant: Tenant = session.info["tenant"]
    return [each for each in found if each.plugin in tenant.plugins]


async def ask(
    session: AsyncSession, point: ExtensionPoint[A], filling: Filling, asked: msgspec.Struct
) -> A:
    """One plugin's answer.

    A ``DomainError`` of the plugin's own comes out as it is: it has decided, not failed.

    Raises:
        ExtensionFailed: it raised something else, took too long, or answered in another shape.
    """
    hook = filling.extension.hook
    try:
        async with contained(session, point.seconds):
            answer = await hook(session, read_as(asked, asked_of(hook) or type(asked)))
            taken: A = read_as(answer, point.answers)
            return taken
    except DomainError:
        raise
    except Exception as problem:  # a plugin's own code may raise anything
        if lost_its_transaction(problem):
            raise
        await blame(session, point, filling, problem)
        raise ExtensionFailed(filling.plugin, filling.title) from problem


async def blame(
    session: AsyncSession, point: ExtensionPoint[Any], filling: Filling, problem: BaseException
) -> None:
    """Say in the log, and to the business, that a plugin failed at ``point``."""
    log.error("extension.failed", plugin=filling.plugin, point=point.name, exc_info=problem)
    await plugin_failures.note(session, filling.plugin, point.name, problem)


def unfit(extension: Extension, point: ExtensionPoint[Any]) -> str | None:
    """Why ``extension`` cannot hang on ``point``; None if it can."""
    if why := misfit(extension.hook, {"asked": Any}):
        return why
    if (wanted := asked_of(extension.hook)) and (why := lacks(point.asks, wanted)):
        return f"of what it is asked: {why}"
    if why := lacks(get_type_hints(extension.hook).get("return", Any), point.answers):
        return f"of what it answers: {why}"
    if point.form and (extension.form is None or extension.title is None):
        return "it must bring a title and a form"
    if not point.form and extension.form is not None:
        return "it brings a form, which nobody draws there"
    return None


@cache
def asked_of(hook: Callable[..., Any]) -> type[msgspec.Struct] | None:
    """The Struct that a hook says it reads; None if it takes the product's own."""
    wanted = get_type_hints(hook).get("asked", Any)
    return wanted if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) else None

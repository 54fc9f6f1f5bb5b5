"""Whether a flag is on for a tenant, and on whose word.

The operator's override counts first, as long as it lasts; then what the tenant's owner chose, of a
flag that owners may switch; then the share of tenants that the flag is rolled out to; then what is
declared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, scope
from core.flags.declaration import Flag
from core.scope import FlagWords, Tenant

EVERYBODYS: Final = "core"
"""The part that no tenant is without."""

_declared: dict[str, Flag] = {}
_SILENCE: Final = FlagWords()


class UnknownFlag(LookupError):
    """Nobody declares a flag of this key: always a programming error."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a flag is on, and why: by ``override``, ``choice``, ``roll_out`` or ``default``, or
    because the product is off."""

    on: bool
    why: Literal["override", "choice", "roll_out", "default", "product_off"]


def install(declared: Mapping[str, Flag]) -> None:
    """Say which flags there are in this process, by key, beside those said before."""
    _declared.update(declared)


def on(where: AsyncSession | Tenant, key: str) -> bool:
    """Whether a flag is on for a tenant: the one given, or whose session it is.

    Raises:
        UnknownFlag: no installed part declares it.
    """
    tenant: Tenant = where if isinstance(where, Tenant) else where.info["tenant"]
    try:
        flag = _declared[key]
    except KeyError:
        raise UnknownFlag(f"no part declares the flag {key!r}") from None
    return standing(tenant, flag).on


def on_here(key: str) -> bool:
    """Whether a flag is on for the tenant being served: ``flag(key)`` in a template.

    Raises:
        UnknownFlag, NoScope
    """
    return on(scope.current(), key)


def standing(tenant: Tenant, flag: Flag) -> Standing:
    """Whether ``flag`` is on for a tenant now, and on whose word."""
    if flag.product != EVERYBODYS and flag.product not in tenant.plugins:
        return Standing(on=False, why="product_off")
    words = tenant.flags.get(flag.key, _SILENCE)
    if words.override is not None and (words.until is None or words.until > clock.now()):
        return Standing(words.override, "override")
    return without_override(tenant.id, flag, words)


def without_override(tenant_id: UUID, flag: Flag, words: FlagWords) -> Standing:
    """What holds for a tenant that has the product while no operator says otherwise."""
    if words.choice is not None and flag.is_owners:
        return Standing(words.choice, "choice")
    if words.percent is not None:
        return Standing(place_of(tenant_id, flag.key) < words.percent, "roll_out")
    return Standing(flag.default, "default")


def place_of(tenant_id: UUID, key: str) -> float:
    """Where a tenant stands in the order in which a flag is rolled out: from 0 up to 100, always
    the same, and another for each flag, so that not always the same tenants come first."""
    digest = hashlib.sha256(f"{key}:{tenant_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 * 100

"""The DNS records of a claimed name: which they should be, and which there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from core.settings import Settings
from tenants.domains import names
from tenants.domains.resolver import DnsAway, Resolver

CHALLENGE: Final = "_atrium-challenge"
LONGEST_SHOWN: Final = 5
"""Values of a record, so that what strangers put into DNS fills no page."""


class State(StrEnum):
    """``UNKNOWN``: DNS did not answer, which says nothing of the record."""

    RIGHT = "right"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found where a record should be."""

    state: State
    found: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """As it was kept in the database."""
        return cls(State(kept["state"]), tuple(kept["found"]))

    def keep(self) -> dict[str, Any]:
        """For the database."""
        return {"state": self.state.value, "found": list(self.found)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to make: ``purpose`` is ``ownership`` (it proves) or ``routing`` (it leads here);
    ``name`` is the whole name, without a trailing dot."""

    purpose: str
    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Look:
    """What DNS says of a name. ``proofs`` are all the values of its challenge."""

    ownership: Seen
    routing: Seen
    proofs: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether it is proved, and leads here."""
        return {self.ownership.state, self.routing.state} == {State.RIGHT}

    @property
    def is_wrong(self) -> bool:
        """Whether it surely is not as it should be."""
        wrong = {State.MISSING, State.DIFFERENT}
        return bool(wrong & {self.ownership.state, self.routing.state})


def proof(token: str) -> str:
    """What the TXT record says."""
    return f"atrium-verify={token}"


def wanted(settings: Settings, slug: str, host: str, token: str) -> list[Wanted]:
    """The records that ``host`` needs; of several for routing, one way is enough."""
    subdomain = f"{slug}.{settings.base_domain}"
    found = [Wanted("ownership", "TXT", f"{CHALLENGE}.{host}", proof(token))]
    if not names.is_apex(host):
        return [*found, Wanted("routing", "CNAME", host, subdomain)]
    addresses = [
        Wanted("routing", "AAAA" if ":" in address else "A", host, address)
        for address in settings.own_addresses
    ]
    return [*found, *addresses, Wanted("routing", "ALIAS", host, subdomain)]


async def look(settings: Settings, resolver: Resolver, slug: str, host: str, token: str) -> Look:
    """Ask DNS, outside every transaction. What cannot be found out is ``UNKNOWN``."""
    try:
        proofs = await resolver.txt(f"{CHALLENGE}.{host}")
        ownership = _ownership(proofs, proof(token))
    except DnsAway:
        proofs, ownership = (), Seen(State.UNKNOWN)
    try:
        routing = await _routing(settings, resolver, slug, host)
    except DnsAway:
        routing = Seen(State.UNKNOWN)
    return Look(ownership, routing, proofs)


def _ownership(proofs: tuple[str, ...], expected: str) -> Seen:
    if expected in proofs:
        return Seen(State.RIGHT)
    return Seen(State.DIFFERENT, _some(proofs)) if proofs else Seen(State.MISSING)


async def _routing(settings: Settings, resolver: Resolver, slug: str, host: str) -> Seen:
    """Any name of ours will do: which tenant is served is said by the host, not by the record."""
    target = await resolver.cname(host)
    if target is not None and _is_ours(settings, target):
        return Seen(State.RIGHT)
    addresses = await resolver.addresses(host)
    ours = set(settings.own_addresses)
    if addresses and not addresses <= ours:
        ours |= await resolver.addresses(f"{slug}.{settings.base_domain}")
    if addresses and addresses <= ours:
        return Seen(State.RIGHT)
    found = (target,) if target else tuple(sorted(addresses))
    return Seen(State.DIFFERENT, _some(found)) if found else Seen(State.MISSING)


def _is_ours(settings: Settings, name: str) -> bool:
    return name == settings.base_domain or name.endswith(f".{settings.base_domain}")


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each[:200] for each in values[:LONGEST_SHOWN])

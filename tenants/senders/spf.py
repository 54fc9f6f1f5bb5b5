"""The SPF record (RFC 7208) of a sender's domain: read, judged, and merged with our mechanism.

A domain has one SPF record or none; with two, receivers believe neither. So what somebody has to
publish is never a record beside theirs, but theirs with our mechanism in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenants.domains.records import State
from tenants.domains.resolver import Resolver
from tenants.senders.findings import Advice, Finding, finding

MOST_LOOKUPS: Final = 10
"""Terms that ask DNS, over all includes; beyond, receivers give up (RFC 7208, 4.6.4)."""
_GIVEN_UP: Final = 40
_VERSION: Final = "v=spf1"
_ASKING: Final = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})


@dataclass(slots=True)
class _Walk:
    """What was met on the way through a record and what it includes."""

    ours: str
    price: int = 0
    """Look-ups that ``ours`` takes."""
    lookups: int = 0
    has_ours: bool = False
    broken: str | None = None


def is_spf(text: str) -> bool:
    """Whether a TXT record is one of SPF."""
    return text.lower() == _VERSION or text.lower().startswith(f"{_VERSION} ")


def merged(texts: tuple[str, ...], ours: str) -> str:
    """One record that says what ``texts`` say together, and ``ours``."""
    terms: list[str] = []
    ends: list[str] = []
    for term in (each for text in texts for each in text.split()[1:]):
        (ends if _kind(term) in {"all", "redirect"} else terms).append(term)
    if not _has(terms, ours):
        terms.append(ours)
    alls = [each for each in ends if _kind(each) == "all"]
    # With an "all", a redirect is never followed (RFC 7208, 6.1).
    last = alls[:1] or ends[:1] or ["~all"]
    return " ".join(dict.fromkeys([_VERSION, *terms, *last]))


async def look(resolver: Resolver, domain: str, ours: str) -> Finding:
    """What the domain says, and what it should.

    Raises:
        DnsAway
    """
    texts = tuple(each for each in await resolver.txt(domain) if is_spf(each))
    publish = merged(texts, ours)
    if not texts:
        return finding(State.MISSING, publish=publish)
    if len(texts) > 1:
        return finding(
            State.DIFFERENT, texts, Advice.SPF_SEVERAL, publish=publish, count=len(texts)
        )
    walk = _Walk(ours, await _price(resolver, ours))
    await _follow(resolver, texts[0], walk)
    asks = walk.lookups + (0 if walk.has_ours else walk.price)
    if walk.broken:
        # Receivers stop at it: whether we are allowed further on makes no difference.
        return finding(State.DIFFERENT, texts, Advice.SPF_BROKEN, publish=publish, term=walk.broken)
    if asks > MOST_LOOKUPS:
        return finding(
            State.DIFFERENT, texts, Advice.SPF_TOO_MANY_LOOKUPS, publish=publish, count=asks
        )
    if not walk.has_ours:
        return finding(State.DIFFERENT, texts, Advice.SPF_WITHOUT_US, publish=publish)
    return finding(State.RIGHT, texts)


async def _price(resolver: Resolver, ours: str) -> int:
    """Whether our own record is in order is not for a business to mend: only its cost counts."""
    walk = _Walk("")
    await _follow(resolver, f"{_VERSION} {ours}", walk)
    return walk.lookups


async def _follow(resolver: Resolver, text: str, walk: _Walk) -> None:
    """Read a record up to its ``all``, and the records that it includes."""
    redirect = None
    for term in text.split()[1:]:
        kind = _kind(term)
        if kind == "all":
            return
        if kind == "redirect":
            redirect = term
            continue
        if _has([term], walk.ours):
            walk.has_ours = True
            walk.lookups += walk.price
            continue
        walk.lookups += int(kind in _ASKING)
        if kind == "include":
            await _enter(resolver, term, term.partition(":")[2], walk)
    if redirect is not None:
        walk.lookups += 1
        await _enter(resolver, redirect, redirect.partition("=")[2], walk)


async def _enter(resolver: Resolver, term: str, name: str, walk: _Walk) -> None:
    # A name made of macros depends on the letter; where it leads cannot be said beforehand.
    if walk.lookups > _GIVEN_UP or walk.broken or "%" in name:
        return
    texts = [each for each in await resolver.txt(name.rstrip(".").lower()) if is_spf(each)]
    if len(texts) != 1:
        walk.broken = term
        return
    before = walk.has_ours
    await _follow(resolver, texts[0], walk)
    if term.startswith(("-", "~", "?")):  # who is met in there is not let through
        walk.has_ours = before


def _has(terms: list[str], ours: str) -> bool:
    return any(each.lower().removeprefix("+") == ours.lower() for each in terms)


def _kind(term: str) -> str:
    """``include`` of ``-include:x``, ``redirect`` of ``redirect=y``, ``a`` of ``a/24``."""
    name = term.lower().lstrip("+-~?")
    for end in (":", "=", "/"):
        name = name.partition(end)[0]
    return name

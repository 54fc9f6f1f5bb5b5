"""The DNS records of a sender: which it needs, and what there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final

from core.settings import Settings
from tenants.domains.records import State
from tenants.domains.resolver import DnsAway, Resolver
from tenants.senders import dkim, dmarc, spf
from tenants.senders.findings import Advice, Finding, finding

CHALLENGE: Final = "_atrium-mail"
OWNERSHIP: Final = "ownership"
SPF: Final = "spf"
DKIM: Final = "dkim"
DMARC: Final = "dmarc"
LONGEST_LOOK: Final = 15.0
"""Seconds for one record: what an SPF record includes may each be slow, and somebody waits."""
NEEDED: Final = (OWNERSHIP, SPF, DKIM)
"""Without these no letter leaves from the address; DMARC is good advice."""

Looks = dict[str, Finding]
"""By purpose; a key's by ``dkim:SELECTOR``."""


@dataclass(frozen=True, slots=True)
class Public:
    """What the record of a key must show."""

    selector: str
    public: str


def proof(token: str) -> str:
    """What the TXT record says that proves the domain."""
    return f"atrium-mail={token}"


def mechanism(settings: Settings) -> str:
    """What of SPF lets our servers send: of the settings, or what the domain of our own address
    lets send."""
    return settings.mail_spf or f"include:{parseaddr(settings.mail_from)[1].rpartition('@')[2]}"


def of_key(selector: str) -> str:
    """Under which a key's finding is kept."""
    return f"{DKIM}:{selector}"


async def look(
    settings: Settings, resolver: Resolver, domain: str, token: str, keys: Sequence[Public]
) -> Looks:
    """Ask DNS, outside every transaction. What cannot be found out is ``UNKNOWN``."""
    found = {
        OWNERSHIP: await _or_unknown(_ownership(resolver, domain, proof(token))),
        SPF: await _or_unknown(spf.look(resolver, domain, mechanism(settings))),
        DMARC: await _or_unknown(dmarc.look(resolver, domain)),
    }
    for key in keys:
        looked = dkim.look(resolver, key.selector, domain, key.public)
        found[of_key(key.selector)] = await _or_unknown(looked)
    return found


async def _or_unknown(looked: Awaitable[Finding]) -> Finding:
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            return await looked
    except (DnsAway, TimeoutError):
        return finding(State.UNKNOWN)


async def _ownership(resolver: Resolver, domain: str, expected: str) -> Finding:
    found = await resolver.txt(f"{CHALLENGE}.{domain}")
    if expected in found:
        return finding(State.RIGHT)
    if found:
        return finding(State.DIFFERENT, found, Advice.PROOF_OTHER)
    return finding(State.MISSING)

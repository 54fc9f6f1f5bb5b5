"""The DMARC record (RFC 7489): what receivers should do with letters that are not proved.

It is asked for, and nothing waits for it: letters are signed by, and come from, the very domain
that people read, so they are aligned however strict the policy is.
"""

from __future__ import annotations

from typing import Final

from tenants.domains import names
from tenants.domains.records import State
from tenants.domains.resolver import Resolver
from tenants.senders.dkim import tags_of
from tenants.senders.findings import Advice, Finding, finding

POLICIES: Final = frozenset({"none", "quarantine", "reject"})
PROPOSED: Final = "v=DMARC1; p=none"
"""It asks nothing of receivers and breaks nobody's mail; many want that there be one."""


def place(domain: str) -> str:
    """The name of the record."""
    return f"_dmarc.{domain}"


async def look(resolver: Resolver, domain: str) -> Finding:
    """What the domain says, or else the registered one above it, whose word then counts.

    Raises:
        DnsAway
    """
    texts = await _texts(resolver, domain)
    above = names.registered(domain)
    if not texts and above != domain:
        texts = await _texts(resolver, above)
    if not texts:
        return finding(State.MISSING)
    if len(texts) > 1:
        return finding(State.DIFFERENT, texts, Advice.DMARC_SEVERAL, count=len(texts))
    tags = tags_of(texts[0])
    policy = tags.get("p", "").lower()
    if policy not in POLICIES:
        return finding(State.DIFFERENT, texts, Advice.DMARC_NO_POLICY)
    if policy == "none":
        return finding(State.RIGHT, texts)
    return finding(State.RIGHT, texts, Advice.DMARC_REJECTS, policy=policy)


async def _texts(resolver: Resolver, domain: str) -> tuple[str, ...]:
    found = await resolver.txt(place(domain))
    return tuple(each for each in found if each.upper().startswith("V=DMARC1"))

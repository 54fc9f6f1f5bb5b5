"""The DKIM record (RFC 6376) of a key: is the public half there, whole, and the right one?"""

from __future__ import annotations

from tenants.domains.records import State
from tenants.domains.resolver import Resolver
from tenants.senders.findings import Advice, Finding, finding


def place(selector: str, domain: str) -> str:
    """The name of the record."""
    return f"{selector}._domainkey.{domain}"


async def look(resolver: Resolver, selector: str, domain: str, public: str) -> Finding:
    """What is at the place of the record for ``public``.

    Raises:
        DnsAway
    """
    return judged(await resolver.txt(place(selector, domain)), public)


def judged(texts: tuple[str, ...], public: str) -> Finding:
    """What ``texts``, all that was found there, are worth as a record for ``public``."""
    if not texts:
        return finding(State.MISSING)
    if len(texts) > 1:
        return finding(State.DIFFERENT, texts, Advice.DKIM_TWO_RECORDS, count=len(texts))
    tags = tags_of(texts[0])
    key = tags.get("p")
    if key == public and tags.get("v", "DKIM1") == "DKIM1":
        return finding(State.RIGHT)
    return finding(State.DIFFERENT, texts, _fault(key, public))


def _fault(key: str | None, public: str) -> Advice:
    if key is None:
        return Advice.DKIM_NO_KEY
    if not key:
        return Advice.DKIM_REVOKED
    bare = key.replace('"', "")
    if bare == public or public.startswith(bare) or '"' in key:
        return Advice.DKIM_CUT
    return Advice.DKIM_OTHER_KEY


def tags_of(text: str) -> dict[str, str]:
    """``{"p": …}`` of ``v=DKIM1; p=…``; white space within a value does not count (3.2)."""
    pairs = (each.partition("=") for each in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}

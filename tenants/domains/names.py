"""Which host names a business may claim, and how they are written.

A name is kept as browsers send it: lower case, internationalised labels as punycode by IDNA
2008 (RFC 5891, with the mapping of UTS 46), without a trailing dot.
"""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

from core.errors import Invalid
from core.i18n import _
from core.web.hosts import normalise

LONGEST: Final = 200
"""Characters: the name of the challenge before it must fit into DNS's 253 as well."""

NOBODYS: Final = frozenset(
    {"alt", "arpa", "home", "internal", "invalid", "lan", "local", "localdomain", "localhost"}
    | {"onion"}
)
"""Top-level names that the public DNS will never answer for (RFC 6761, 6762, 7686, 9476)."""

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""With such an end, browsers take a name for an IPv4 address."""
_NOT_A_NAME: Final = _("Enter a domain name, such as www.example.com.")


def read(typed: str, base_domain: str) -> str:
    """The host name that somebody means by ``typed``, be it pasted with ``https://``.

    Raises:
        Invalid: naming the field ``host`` and why it cannot be claimed.
    """
    host = _ascii(_bare(typed))
    if "." not in host:
        raise Invalid(_("Enter the whole name with its ending, such as example.com."), field="host")
    if host == base_domain or host.endswith(f".{base_domain}") or base_domain.endswith(f".{host}"):
        raise Invalid(_("This name is ours; enter a domain of your own."), field="host")
    if host.rpartition(".")[2] in NOBODYS:
        raise Invalid(_("This name does not exist in the public DNS."), field="host")
    if _suffixes().publicsuffix(host) == host:
        raise Invalid(
            _("Domains are registered below this name; enter the one that is yours."), field="host"
        )
    return host


def is_apex(host: str) -> bool:
    """Whether ``host`` is a registered domain itself: DNS allows it no CNAME (RFC 1034, 3.6.2)."""
    return bool(_suffixes().privatesuffix(host) == host)


def registered(host: str) -> str:
    """The registered domain that ``host`` is, or is below."""
    return str(_suffixes().privatesuffix(host) or host)


def shown(host: str) -> str:
    """``host`` as people write it: internationalised labels in their own script."""
    try:
        return str(idna.decode(host))
    except idna.IDNAError:
        return host


def _bare(typed: str) -> str:
    """Without the parts of an address that people paste along."""
    text = typed.strip()
    for scheme in ("https://", "http://"):
        if text.lower().startswith(scheme):
            text = text[len(scheme) :].removesuffix("/")
    return text


def _ascii(text: str) -> str:
    if _is_address(text):
        raise Invalid(_("Enter a name; an IP address cannot be used."), field="host")
    try:
        host = normalise(idna.encode(text, uts46=True).decode("ascii"))
    except (idna.IDNAError, UnicodeError):
        host = None
    if host is None or len(host) > LONGEST or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise Invalid(_NOT_A_NAME, field="host")
    return host


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    """The list as of the installed package; it is never fetched while we run."""
    return PublicSuffixList()

"""Slugs: the label under which a tenant is found, ``SLUG.example.com``.

A slug is a DNS label in ASCII. Two slugs that a hasty eye takes for one another cannot both
exist, since the second could collect the first one's passwords.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from core.errors import Invalid
from core.i18n import _

SHORTEST: Final = 3
LONGEST: Final = 40

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_LOOK_ALIKE: Final = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))

_RESERVED_WORDS: Final = """
about abuse account accounts admin administrator api app apps assets atrium auth autoconfig
autodiscover beta billing blog broadcasthost careers cdn checkout contact core dashboard demo
dev developer developers dns docs download downloads email events example files forum ftp git
health help home hostmaster imap images info internal invoice invoices isatap jobs legal live
local localdomain localhost login logout mail media metrics monitoring mta-sts mx news ns ns1
ns2 oauth oidc operator ops outbox owner partner partners password pay payment payments
platform plugin plugins pop pop3 portal postmaster pricing privacy public register root sales
saml secure security settings shop sign-in sign-up signin signup sitemap smtp sso staff
staging static status store stripe support sysadmin system team tenant tenants terms test
usenet user users vendor vpn webhook webhooks webmaster wpad www
amazon apple google mastercard mbway microsoft multibanco paypal visa
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())


def check(slug: str) -> str:
    """``slug`` itself, if it may be a tenant's.

    Raises:
        Invalid: naming the field ``slug`` and the rule that it breaks.
    """
    if not SHORTEST <= len(slug) <= LONGEST:
        raise Invalid(_("Use 3 to 40 characters"), field="slug")
    if not _SLUG.fullmatch(slug):
        raise Invalid(_("Use small letters, digits and single hyphens between them"), field="slug")
    if slug.replace("-", "").isdigit():
        raise Invalid(_("Use at least one letter"), field="slug")
    if slug in RESERVED or look(slug) in _RESERVED_LOOKS:
        raise Invalid(_("This address is reserved; please choose another"), field="slug")
    return slug


def is_valid(slug: str) -> bool:
    """Whether ``slug`` may be a tenant's."""
    try:
        check(slug)
    except Invalid:
        return False
    return True


def look(slug: str) -> str:
    """``slug`` as a hasty eye reads it: look-alikes have the same look."""
    for seen, read_as in _LOOK_ALIKE:
        slug = slug.replace(seen, read_as)
    return slug


_RESERVED_LOOKS: Final = frozenset(look(slug) for slug in RESERVED)


def from_name(name: str) -> str:
    """The slug that a business's name suggests: letters without accents, hyphens between words.

    It may be too short, reserved or empty: ``suggestions`` gives usable ones.
    """
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore")
    words = re.findall(r"[a-z0-9]+", plain.decode().lower().replace("'", ""))
    return "-".join(words)[:LONGEST].strip("-")


def suggestions(wanted: str) -> Iterator[str]:
    """Usable slugs near ``wanted`` (a name or a slug), the nearest first; some may be taken."""
    base = from_name(wanted) or "my-business"
    for ending in ("", "-hq", "-online", "-team", *(f"-{number}" for number in range(2, 10))):
        candidate = base[: LONGEST - len(ending)].rstrip("-") + ending
        if is_valid(candidate):
            yield candidate

"""The Host header, read strictly: it decides whose data is served."""

from __future__ import annotations

import re
from typing import Final

_HOST: Final = re.compile(
    r"(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)\.?"
    r"(?::[0-9]{1,5})?",
    re.IGNORECASE | re.ASCII,
)


def normalise(header: str) -> str | None:
    """The host name in a Host header: lower case, no port, no trailing dot; None if malformed.

    User information, IP literals in brackets, underscores, empty or over-long labels and
    anything outside ASCII are refused: browsers send internationalised names as punycode.
    """
    found = _HOST.fullmatch(header) if len(header) <= 262 else None
    if found is None:
        return None
    name = found["name"].lower()
    if len(name) > 253 or any(len(label) > 63 for label in name.split(".")):
        return None
    return name

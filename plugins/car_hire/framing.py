"""Web sites of the business's own that may show its search box: what an owner types, read."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

MOST: Final = 20
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def origin(typed: str) -> str:
    """The origin of an address, ``https://www.example.com`` of any page there.

    Raises:
        ValueError: it is none, or not one that a browser would come from safely: only a site on
            the reader's own machine may be without https.
    """
    found = urlsplit(typed if "://" in typed else f"https://{typed}")
    host = (found.hostname or "").encode("idna").decode("ascii")
    ours = host == "localhost" or host.endswith(".localhost")
    if found.scheme != "https" and not (found.scheme == "http" and ours):
        raise ValueError(typed)
    if not _HOST.fullmatch(host) or found.username is not None or len(host) > 253:
        raise ValueError(typed)
    port = f":{found.port}" if found.port is not None else ""
    return f"{found.scheme}://{host}{port}"


def origins(text: str) -> tuple[str, ...]:
    """The origins of a text with an address in each line.

    Raises:
        ValueError: with the first line that is none, or with the one that is too many.
    """
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    if len(lines) > MOST:
        raise ValueError(lines[MOST])
    return tuple(dict.fromkeys(origin(each) for each in lines))

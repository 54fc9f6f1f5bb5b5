"""Which addresses a business may send from, and how they are written."""

from __future__ import annotations

import re
from typing import Final

from core.errors import Invalid
from core.i18n import _
from tenants.domains import names

_LOCAL: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A dot-atom of ASCII (RFC 5322, 3.2.3): quoted and international ones many servers refuse."""
LONGEST_LOCAL: Final = 64


def read(typed: str, base_domain: str) -> tuple[str, str]:
    """The address that somebody means by ``typed``, and its domain as DNS has it.

    Raises:
        Invalid: naming the field ``address`` and why nobody can send from it.
    """
    local, _at, host = typed.strip().lower().rpartition("@")
    if not local or len(local) > LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        raise Invalid(_("Enter a whole address, such as desk@example.com."), field="address")
    try:
        domain = names.read(host, base_domain)
    except Invalid as problem:
        raise Invalid(problem.errors[0].message, field="address") from problem
    return f"{local}@{domain}", domain

"""Who is an operator: staff of tenant zero. To everybody else the console does not exist."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.permissions import Permission, Role, permission

LOOK: Final = Permission("operator.look", _("See the operator console"), frozenset({Role.STAFF}))
ACT: Final = Permission("operator.act", _("Act in the operator console"), frozenset({Role.STAFF}))

looking: Final = permission(LOOK.name, seen_with=LOOK.name)
acting: Final = permission(ACT.name, seen_with=LOOK.name)

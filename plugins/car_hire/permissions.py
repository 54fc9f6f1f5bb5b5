"""What people of a car hire may be allowed to do."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.permissions import Permission, Role

_STAFF: Final = frozenset({Role.STAFF})

DESK: Final = Permission("car_hire.desk", _("Book, hand out and take back vehicles"), _STAFF)
FLEET: Final = Permission("car_hire.fleet", _("Add and change vehicles"), _STAFF)
BRANCHES: Final = Permission("car_hire.branches", _("Keep branches and their opening hours"))
RATES: Final = Permission("car_hire.rates", _("Change vehicle classes and rates"))
INSIGHT: Final = Permission("car_hire.insight", _("Read reports and reviews"))

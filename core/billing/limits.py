"""``limits.check``: whether the tenant's plan has room for more."""

from core.billing.services import LimitReached, has_room
from core.billing.services import check_limit as check

__all__ = ["LimitReached", "check", "has_room"]

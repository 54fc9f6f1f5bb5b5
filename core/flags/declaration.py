"""What a part can have on or off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.i18n import LazyText


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A feature that is on for some tenants and off for others."""

    key: str
    """Such as ``car_hire.pay_at_desk``; it begins with the plugin's name."""
    title: LazyText | str
    """What it is, where owners and operators switch it."""
    hint: LazyText | str
    """What follows from switching it on."""
    sunset: date
    """The day by which it is gone: everybody has the feature, or it became a setting. A test fails
    from then on."""
    default: bool = False
    """Whether it is on where nobody said anything."""
    switched_by: Literal["owner", "operator"] = "operator"
    """Who may switch it for a tenant: its ``owner`` and the operator, or the operator alone."""

    @property
    def product(self) -> str:
        """The part whose flag it is; where that is off, the flag is."""
        return self.key.partition(".")[0]

    @property
    def is_owners(self) -> bool:
        """Whether a tenant's owner may switch it."""
        return self.switched_by == "owner"

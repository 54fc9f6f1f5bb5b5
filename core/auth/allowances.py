"""How often somebody may try to sign in or up."""

from __future__ import annotations

from typing import Final

from core.throttle import Allowance

PER_ACCOUNT: Final = Allowance("account", 8, 15 * 60)
PER_SOURCE: Final = Allowance("source", 60, 15 * 60)
SIGN_UPS_PER_SOURCE: Final = Allowance("sign_ups", 20, 60 * 60)
OWN_DATA: Final = Allowance("own_data", 20, 60 * 60)
"""Everything that is kept of somebody, by every product."""
LETTERS_PER_ACCOUNT: Final = Allowance("letters", 3, 30 * 60)
LETTERS_PER_SOURCE: Final = Allowance("letters_from", 20, 60 * 60)
WELCOMES_PER_ADDRESS: Final = Allowance("welcomes", 5, 24 * 60 * 60, everywhere=True)
WELCOMES_PER_NETWORK: Final = Allowance("welcomes_from", 100, 60 * 60, everywhere=True)
"""Letters that confirm an address, which anybody can type at each of a thousand businesses."""

"""What money is for, and the jobs that see to it."""

from __future__ import annotations

from typing import Final

from plugins.car_hire.services import telling

BOOKING: Final = telling.BOOKING
HIRE: Final = telling.HIRE
CHARGE: Final = "charge"
DEPOSIT: Final = "deposit"
REST: Final = "rest"

RENEW: Final = "car_hire.renew_deposit"
COLLECT: Final = "car_hire.collect"
SETTLE: Final = "car_hire.settle"
GIVE_BACK: Final = "car_hire.give_back"
RELEASE_DEPOSIT: Final = "car_hire.release_deposit"
RELEASE_KEPT: Final = "car_hire.release_kept_deposit"
RELEASE_HOLD: Final = "car_hire.release_hold"
INVOICE: Final = "car_hire.invoice"

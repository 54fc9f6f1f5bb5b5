"""The names of the rules that make lines; a stored line bears one for ever."""

from __future__ import annotations

from typing import Final

RATE_MONTHLY: Final = "rate.monthly"
RATE_WEEKLY: Final = "rate.weekly"
RATE_WEEKEND: Final = "rate.weekend"
RATE_DAILY: Final = "rate.daily"
RATE_HOURLY: Final = "rate.hourly"
ADJUSTMENT: Final = "rate.adjustment"
DISCOUNT: Final = "discount"
YOUNG_DRIVER: Final = "fee.young_driver"
ONE_WAY: Final = "fee.one_way"
OUT_OF_HOURS: Final = "fee.out_of_hours"
AIRPORT: Final = "fee.airport"
EXTRA: Final = "extra"
FUEL_PREPAID: Final = "fuel.prepaid"

LATE_HOURLY: Final = "late.hourly"
FUEL_MISSING: Final = "fuel.missing"
FUEL_SERVICE: Final = "fuel.service"
MILEAGE_EXCESS: Final = "mileage.excess"
CLEANING: Final = "cleaning"
DAMAGE: Final = "damage"
BY_HAND: Final = "charge.by_hand"
CHANGED: Final = "changed"

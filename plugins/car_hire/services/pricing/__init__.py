"""What a hire costs: pure functions from stored facts to lines of money.

Nothing here reads a clock, a database or a setting. A quote or a bill made again from the
facts stored with it comes out identical, line for line; the tests do that.
"""

from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.pricing.billing import bill
from plugins.car_hire.services.pricing.duration import days, length
from plugins.car_hire.services.pricing.limits import Broken, broken, nearest, season_on
from plugins.car_hire.services.pricing.lines import Line, Priced, extended, foreign, summed
from plugins.car_hire.services.pricing.lists import (
    EVER,
    ClassPrices,
    HouseRules,
    Limit,
    SeasonDates,
    TaxRule,
    dearer,
    overlapping,
    taxes,
    terms,
)
from plugins.car_hire.services.pricing.quoting import fits, quote
from plugins.car_hire.services.pricing.terms import (
    Adjustment,
    Asked,
    Chosen,
    Damage,
    Discount,
    Extra,
    Fuel,
    Late,
    Mileage,
    Rate,
    Readings,
    Season,
    Taxes,
    Terms,
    Waiver,
    YoungDriver,
)

__all__ = [
    "EVER",
    "Adjustment",
    "Asked",
    "Broken",
    "Chosen",
    "ClassPrices",
    "Damage",
    "Discount",
    "Extra",
    "Fuel",
    "HouseRules",
    "Late",
    "Limit",
    "Line",
    "Mileage",
    "Priced",
    "Rate",
    "Readings",
    "Season",
    "SeasonDates",
    "TaxRule",
    "Taxes",
    "Terms",
    "Waiver",
    "YoungDriver",
    "bill",
    "broken",
    "days",
    "dearer",
    "extended",
    "fits",
    "foreign",
    "length",
    "nearest",
    "overlapping",
    "quote",
    "rules",
    "season_on",
    "summed",
    "taxes",
    "terms",
]

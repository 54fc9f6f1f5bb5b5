"""The money of bookings and hires: the booking's charge, the hire's deposit, what is left over.

Amounts come from the stored quote and bill, never from a request. Money that is found to have
been reserved for something that is no more is released; whatever was captured is refunded.
"""

from plugins.car_hire.services.paying.charging import (
    hold_ends,
    pay_booking,
    pay_deposit,
    pay_rest,
    take,
)
from plugins.car_hire.services.paying.giving_back import (
    abandon,
    cancel,
    give_back,
    no_show,
    release_hold,
)
from plugins.car_hire.services.paying.names import (
    BOOKING,
    CHARGE,
    COLLECT,
    DEPOSIT,
    GIVE_BACK,
    HIRE,
    INVOICE,
    RELEASE_DEPOSIT,
    RELEASE_HOLD,
    RELEASE_KEPT,
    RENEW,
    REST,
    SETTLE,
)
from plugins.car_hire.services.paying.renewing import release, renew
from plugins.car_hire.services.paying.reserved import answered, authorised, kind_of
from plugins.car_hire.services.paying.settling import collect, outstanding, settle, settle_soon

__all__ = [
    "BOOKING",
    "CHARGE",
    "COLLECT",
    "DEPOSIT",
    "GIVE_BACK",
    "HIRE",
    "INVOICE",
    "RELEASE_DEPOSIT",
    "RELEASE_HOLD",
    "RELEASE_KEPT",
    "RENEW",
    "REST",
    "SETTLE",
    "abandon",
    "answered",
    "authorised",
    "cancel",
    "collect",
    "give_back",
    "hold_ends",
    "kind_of",
    "no_show",
    "outstanding",
    "pay_booking",
    "pay_deposit",
    "pay_rest",
    "release",
    "release_hold",
    "renew",
    "settle",
    "settle_soon",
    "take",
]

"""What the desk and customers are told of."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.notices import Channel, Notice
from plugins.car_hire.permissions import DESK, FLEET

_APP: Final = frozenset({Channel.APP})
_AND_DIGEST: Final = frozenset({Channel.APP, Channel.DIGEST})
_AND_MAIL: Final = frozenset({Channel.APP, Channel.MAIL})

BOOKED: Final = Notice(
    name="car_hire.booked",
    title=_("New bookings"),
    text=_("Booking {number} is paid: {vehicle_class}, from {starts_at}."),
    audience=DESK,
    channels=_AND_DIGEST,
    icon="calendar-plus",
)
CANCELLED: Final = Notice(
    name="car_hire.booking_cancelled",
    title=_("Cancelled bookings"),
    text=_("Booking {number} was cancelled: {vehicle_class}, from {starts_at}."),
    audience=DESK,
    channels=_AND_DIGEST,
    icon="calendar-x",
)
PAYMENT_FAILED: Final = Notice(
    name="car_hire.payment_failed",
    title=_("Payments that failed"),
    text=_("The card payment of booking {number} was not collected: {amount}."),
    audience=DESK,
    channels=_AND_MAIL,
    icon="credit-card-off",
)
DEPOSIT_LAPSED: Final = Notice(
    name="car_hire.deposit_lapsed",
    title=_("Deposits that lapsed"),
    text=_("The deposit of booking {number} is reserved no more: {amount}. The car is still out."),
    audience=DESK,
    channels=_AND_MAIL,
    icon="shield-off",
)
DEPOSIT_LAPSING: Final = Notice(
    name="car_hire.deposit_lapsing",
    title=_("Deposits that lapse soon"),
    text=_("The deposit of booking {number} is reserved until {until}: {amount}. The car is out."),
    audience=DESK,
    channels=_AND_DIGEST,
    icon="shield-half",
)
DEPOSIT_REFUSED: Final = Notice(
    name="car_hire.deposit_refused",
    title=_("Deposits that could not be renewed"),
    text=_(
        "The bank does not hold the deposit of booking {number} anew: {amount}. It is reserved"
        " until {until}; the customer got a link to use another card."
    ),
    audience=DESK,
    channels=_AND_MAIL,
    icon="shield-x",
)
OWED: Final = Notice(
    name="car_hire.owed",
    title=_("Returns with something to pay"),
    text=_("The car of booking {number} is back. The deposit does not cover {amount}."),
    audience=DESK,
    channels=_AND_DIGEST,
    icon="receipt",
)
PAPER_LAPSES: Final = Notice(
    name="car_hire.paper_lapses",
    title=_("Papers of cars that lapse"),
    text=_("{paper} of {car} is good until {until}."),
    audience=FLEET,
    channels=_AND_MAIL,
    icon="file-alert",
)
OWN_CANCELLED: Final = Notice(
    name="car_hire.own_booking_cancelled",
    title=_("My booking was cancelled"),
    text=_("Your booking {number} was cancelled: {vehicle_class}, from {starts_at}."),
    channels=_APP,  # a letter of its own goes out anyway
    icon="calendar-x",
)
OWN_UNPAID: Final = Notice(
    name="car_hire.own_booking_unpaid",
    title=_("My booking was not paid in time"),
    text=_("Your booking {number} was not paid in time. The car is free for others again."),
    channels=_AND_MAIL,
    icon="calendar-off",
)
OWN_BANK_ASKS: Final = Notice(
    name="car_hire.own_payment_waits",
    title=_("My bank wants an answer"),
    text=_(
        "Your bank wants you to confirm the payment of booking {number}, {amount}. The car is kept"
        " for you until {until}."
    ),
    channels=_AND_MAIL,
    icon="device-mobile-message",
)
OWN_DEPOSIT: Final = Notice(
    name="car_hire.own_deposit_refused",
    title=_("My deposit was not renewed"),
    text=_(
        "Your bank did not hold the deposit of booking {number} anew: {amount}. It is reserved"
        " until {until}. A letter with a link to use another card is on its way to you."
    ),
    channels=_APP,  # the letter has the link
    icon="shield-x",
)
OWN_BILL: Final = Notice(
    name="car_hire.own_bill",
    title=_("My return was charged"),
    text=_("Your return of booking {number} was charged with {amount}."),
    channels=_APP,  # the receipt is a letter
    icon="receipt",
)

STUDENT: Final = Notice(
    name="car_hire.student_asks",
    title=_("Customers who say they are students"),
    text=_("{name} says they are a student. Look at their card or letter."),
    audience=DESK,
    channels=_AND_DIGEST,
    icon="school",
)
OWN_STUDENT: Final = Notice(
    name="car_hire.own_student",
    title=_("I am known as a student"),
    text=_("You are known as a student until {until}. Tick it when you book, and pay less."),
    channels=_AND_MAIL,
    icon="school",
)

NOTICES: Final = (
    BOOKED, CANCELLED, PAYMENT_FAILED, DEPOSIT_LAPSING, DEPOSIT_REFUSED, DEPOSIT_LAPSED, OWED,
    PAPER_LAPSES, OWN_CANCELLED, OWN_UNPAID, OWN_BANK_ASKS, OWN_DEPOSIT, OWN_BILL, STUDENT,
    OWN_STUDENT,
)  # fmt: skip

"""Bookings: found, made from quotes, taken through their course, listed."""

from plugins.car_hire.services.bookings.course import cancel, confirm, expire, move, no_show
from plugins.car_hire.services.bookings.finding import by_number, class_of, locked, locked_all, one
from plugins.car_hire.services.bookings.listing import Listed, listed, page
from plugins.car_hire.services.bookings.placing import check_driver, place

__all__ = [
    "Listed",
    "by_number",
    "cancel",
    "check_driver",
    "class_of",
    "confirm",
    "expire",
    "listed",
    "locked",
    "locked_all",
    "move",
    "no_show",
    "one",
    "page",
    "place",
]

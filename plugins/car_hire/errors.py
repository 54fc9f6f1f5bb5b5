"""What car hire refuses, in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import Conflict
from core.i18n import _


class VehicleUnavailable(Conflict):
    """Every car of the class is taken for that time."""

    code = "car_hire.vehicle_unavailable"
    title = _("No car of this class is free for that time. Try other dates or another class")


class NotWelcome(Conflict):
    """No more bookings are taken of this customer; why is the desk's to know."""

    code = "car_hire.not_welcome"
    title = _("We cannot take this booking here. Please call us")


class QuoteExpired(Conflict):
    """The price was promised for a while, and that while is over."""

    code = "car_hire.quote_expired"
    title = _("This price is no longer valid. Search again to see the present one")


class NotNow(Conflict):
    """The booking or hire is in a state from which this step does not lead."""

    code = "car_hire.not_now"
    title = _("That step is not possible now. Reload the page to see the present state")


class DecidedMeanwhile(Conflict):
    """Somebody else is deciding about the same car, or just did."""

    code = "car_hire.decided_meanwhile"
    title = _("Somebody else is changing this car's calendar. Try again in a moment")


class Collision(Conflict):
    """The car is spoken for; ``found`` is by what."""

    code = "car_hire.collision"
    title = _("This car is spoken for in that time")

    def __init__(self, message: str, found: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.found = found


class NotPaid(Conflict):
    """The customer was to pay at pick-up, and has not."""

    code = "car_hire.not_paid"
    title = _("The hire is not paid yet. Take the price, then hand the car over")

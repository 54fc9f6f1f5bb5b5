"""What car hire refuses, in its own words."""

from __future__ import annotations

from core.errors import Conflict
from core.i18n import _


class VehicleUnavailable(Conflict):
    """Every car of the class is taken for that time."""

    code = "car_hire.vehicle_unavailable"
    title = _("No car of this class is free for that time. Try other dates or another class")


class QuoteExpired(Conflict):
    """The price was promised for a while, and that while is over."""

    code = "car_hire.quote_expired"
    title = _("This price is no longer valid. Search again to see the present one")


class NotNow(Conflict):
    """The booking or hire is in a state from which this step does not lead."""

    code = "car_hire.not_now"
    title = _("That step is not possible now. Reload the page to see the present state")

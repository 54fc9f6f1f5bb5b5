"""What is done in car hire, as the audit log calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.i18n import LazyText, _

TITLES: Final[Mapping[str, LazyText | str]] = {
    "car_hire.booked": _("Booked"),
    "car_hire.booking": _("Booking"),
    "car_hire.booking_cancelled": _("Booking cancelled"),
    "car_hire.booking_changed": _("Dates of a booking changed"),
    "car_hire.booking_confirmed": _("Booking confirmed"),
    "car_hire.booking_expired": _("Booking expired unpaid"),
    "car_hire.booking_extras": _("Extras of a booking changed"),
    "car_hire.booking_made_room": _("Booking moved to make room"),
    "car_hire.booking_moved": _("Booking moved to another car"),
    "car_hire.booking_pinned": _("Booking pinned to its car"),
    "car_hire.booking_revived": _("Booking revived by a late payment"),
    "car_hire.booking_unpinned": _("Booking no longer pinned"),
    "car_hire.class": _("Vehicle class"),
    "car_hire.class_added": _("Vehicle class added"),
    "car_hire.class_changed": _("Vehicle class changed"),
    "car_hire.customer": _("Customer"),
    "car_hire.credit_note_issued": _("Credit note issued"),
    "car_hire.customer_added": _("Customer added"),
    "car_hire.customer_changed": _("Customer changed"),
    "car_hire.extra": _("Extra or cover"),
    "car_hire.extra_added": _("Extra or cover added"),
    "car_hire.extra_changed": _("Extra or cover changed"),
    "car_hire.hire": _("Hire"),
    "car_hire.hire_abandoned": _("Hand-over given up"),
    "car_hire.hire_closed": _("Hire closed"),
    "car_hire.hire_prepared": _("Hand-over prepared"),
    "car_hire.hire_returned": _("Vehicle taken back"),
    "car_hire.hire_started": _("Vehicle handed over"),
    "car_hire.invoice_issued": _("Invoice issued"),
    "car_hire.no_show": _("Customer did not come"),
    "car_hire.paid_at_desk": _("Price received at the desk"),
    "car_hire.paper": _("Paper"),
    "car_hire.price_list": _("Price list"),
    "car_hire.price_list_begun": _("Price list begun"),
    "car_hire.price_list_changed": _("Price list changed"),
    "car_hire.price_list_published": _("Price list published"),
    "car_hire.price_list_taken_back": _("Price list made a draft again"),
    "car_hire.reviewed": _("Hire reviewed by its customer"),
    "car_hire.receipt_issued": _("Receipt issued"),
    "car_hire.statement_issued": _("Statement issued"),
    "car_hire.vehicle": _("Vehicle"),
    "car_hire.vehicle_added": _("Vehicle added"),
    "car_hire.vehicle_blocked": _("Vehicle kept back"),
    "car_hire.vehicle_changed": _("Vehicle changed"),
    "car_hire.vehicle_unblocked": _("Vehicle back for hire"),
}

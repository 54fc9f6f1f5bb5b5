"""A booking in the customer's own calendar: an iCalendar object (RFC 5545) to go with a letter.

Times are written in UTC. That is one moment whatever the reader's program knows of zones, and the
only way to tell the two hours apart that clocks show twice on the night when they are set back.
A change has the same UID and a higher SEQUENCE, by which programs move the event (RFC 5546, 3.2.2);
a cancellation takes it out again (3.2.5).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from icalendar import Calendar, Event, vCalAddress, vUri

from core import clock, mail
from core.i18n import gettext
from core.scope import Tenant
from plugins.car_hire.models import Booking, Customer, VehicleClass

PRODUCT: Final = "-//Atrium//Car hire//EN"
REQUEST: Final = "REQUEST"
CANCEL: Final = "CANCEL"


def uid(tenant: Tenant, booking_id: UUID) -> str:
    """By which calendars know a booking, for ever."""
    return f"{booking_id}@{tenant.id}"


def event(
    tenant: Tenant, booking: Booking, chosen: VehicleClass, stamped: datetime | None = None
) -> Event:
    """``booking`` as its customer's calendar shows it, in the language that is being read;
    ``stamped`` says when it was written, if that is not now."""
    made = Event()
    made.add("uid", uid(tenant, booking.id))
    made.add("dtstamp", stamped or clock.now())
    made.add("sequence", booking.version)
    made.add("dtstart", booking.starts_at)
    made.add("dtend", booking.ends_at)
    made.add("summary", gettext("Car hire: %(car)s") % {"car": chosen.name})
    number = gettext("Booking number: %(number)s") % {"number": booking.number}
    made.add("description", f"{number}\n{gettext('Please bring your driving licence.')}")
    made.add("location", tenant.name)
    made.add("url", vUri(mail.address_of(f"/car-hire/bookings/{booking.id}")))
    made.add("transp", "TRANSPARENT")  # the car is taken all day, the customer is not
    return made


def enclosed(
    tenant: Tenant, booking: Booking, chosen: VehicleClass, customer: Customer, method: str
) -> str:
    """What goes with a letter to ``customer``: ``method`` puts it into their calendar, or takes
    it out. They are said to come already, since they booked: no program asks them whether."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("method", method)
    made = event(tenant, booking, chosen)
    made.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    organizer = vCalAddress(f"mailto:{mail.from_address()}")
    organizer.params["CN"] = tenant.name
    made.add("organizer", organizer)
    attendee = vCalAddress(f"mailto:{customer.email}")
    attendee.params.update(CN=customer.name, ROLE="REQ-PARTICIPANT", RSVP="FALSE")
    attendee.params["PARTSTAT"] = "ACCEPTED"
    made.add("attendee", attendee)
    calendar.add_component(made)
    written: bytes = calendar.to_ical()
    return written.decode()

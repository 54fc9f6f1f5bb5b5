"""Telling people what happened: under the bell, by letter, by the letter of the morning.

    await notifications.notify(
        session, BOOKED, subject=("car_hire.booking", booking.id),
        link=f"/car-hire/desk/bookings/{booking.id}", number=booking.number,
    )

A row per person is written in the transaction in which it happened. It holds the kind and the
values; the words are made when it is read, in the reader's language.
"""

from core.notifications.services import notify

__all__ = ["notify"]

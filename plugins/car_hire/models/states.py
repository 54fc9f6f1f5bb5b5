"""The states of a booking and of a hire: each machine is one table, and a CHECK repeats its words.

A booking promises a car for a time; a hire is that car on the road. Both move only by ``move``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.i18n import LazyText, _
from plugins.car_hire.errors import NotNow

Transitions = Mapping[str, frozenset[str]]


def _table(**rows: str) -> Transitions:
    return {state: frozenset(following.split()) for state, following in rows.items()}


BOOKING: Final = _table(
    pending_payment="confirmed cancelled expired",
    confirmed="out cancelled no_show",
    out="returned",
    returned="closed",
    closed="",
    cancelled="",
    # Money that arrives after the hold was released still gets a car, if one is free.
    expired="confirmed cancelled",
    no_show="",
)

HIRE: Final = _table(
    awaiting_deposit="out abandoned",
    out="returned",
    returned="closed",
    closed="",
    # The card was refused and the customer left; they may come back with another card.
    abandoned="awaiting_deposit",
)

LATER: Final = _table(
    recorded="charged waived",
    charged="paid contested waived",
    # The customer objects: somebody looks into it, and charges it again or lets it be.
    contested="charged paid waived",
    paid="",
    waived="",
)

BLOCKING: Final = ("pending_payment", "confirmed", "out")
"""Bookings in these states keep their car from everybody else."""

BOOKING_TITLES: Final[Mapping[str, LazyText]] = {
    "pending_payment": _("Awaiting payment"),
    "confirmed": _("Confirmed"),
    "out": _("On hire"),
    "returned": _("Returned"),
    "closed": _("Closed"),
    "cancelled": _("Cancelled"),
    "expired": _("Expired"),
    "no_show": _("No-show"),
}

HIRE_TITLES: Final[Mapping[str, LazyText]] = {
    "awaiting_deposit": _("Awaiting the deposit"),
    "out": _("On hire"),
    "returned": _("Returned"),
    "closed": _("Closed"),
    "abandoned": _("Abandoned"),
}

LATER_TITLES: Final[Mapping[str, LazyText]] = {
    "recorded": _("Noted"),
    "charged": _("Charged, not paid"),
    "contested": _("Contested"),
    "paid": _("Paid"),
    "waived": _("Waived"),
}
LATER_COLORS: Final[Mapping[str, str]] = {
    "recorded": "blue",
    "charged": "yellow",
    "contested": "orange",
    "paid": "green",
    "waived": "secondary",
}

STATE_COLORS: Final[Mapping[str, str]] = {
    "pending_payment": "yellow",
    "awaiting_deposit": "yellow",
    "confirmed": "blue",
    "out": "green",
    "returned": "teal",
    "closed": "secondary",
    "cancelled": "secondary",
    "expired": "secondary",
    "abandoned": "secondary",
    "no_show": "red",
}


def check(machine: Transitions, present: str, wanted: str) -> None:
    """Refuse a step that the table does not know.

    Raises:
        NotNow: ``wanted`` does not follow ``present``.
    """
    if wanted not in machine[present]:
        raise NotNow


def words(machine: Transitions, column: str = "state") -> str:
    """The body of the CHECK that repeats ``machine``'s states in the database."""
    return f"{column} IN ({', '.join(repr(state) for state in machine)})"

"""The states of a payment and every transition allowed between them: the one table of it.

created → authorising → requires_action → authorised → capturing → captured → refunded
              │                │              └→ voiding → voided      └→ partially_refunded
              ├→ declined   declined, voided
              └→ unknown (an answer was lost; it is found out) → any of its outcomes
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.errors import Conflict
from core.i18n import LazyText, _

RESERVED_FOR: Final = timedelta(days=7)
"""How long an amount stays reserved on most cards; after that the bank lets it go by itself."""


class State(StrEnum):
    """Where a payment stands."""

    CREATED = "created"
    AUTHORISING = "authorising"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    VOIDED = "voided"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


_S = State
TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    _S.CREATED: frozenset({_S.AUTHORISING}),
    _S.AUTHORISING: frozenset(
        {_S.REQUIRES_ACTION, _S.AUTHORISED, _S.CAPTURED, _S.DECLINED, _S.VOIDED, _S.UNKNOWN}
    ),
    _S.UNKNOWN: frozenset({_S.REQUIRES_ACTION, _S.AUTHORISED, _S.CAPTURED, _S.DECLINED, _S.VOIDED}),
    _S.REQUIRES_ACTION: frozenset({_S.AUTHORISED, _S.CAPTURED, _S.DECLINED, _S.VOIDING, _S.VOIDED}),
    _S.AUTHORISED: frozenset({_S.CAPTURING, _S.CAPTURED, _S.VOIDING, _S.VOIDED}),
    _S.CAPTURING: frozenset({_S.CAPTURED, _S.VOIDED, _S.AUTHORISED}),
    _S.VOIDING: frozenset({_S.VOIDED, _S.CAPTURED, _S.AUTHORISED, _S.REQUIRES_ACTION, _S.DECLINED}),
    _S.CAPTURED: frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.REFUNDED}),
    _S.DECLINED: frozenset(),
    _S.VOIDED: frozenset(),
    _S.REFUNDED: frozenset(),
}

RETREATS: Final = frozenset(
    {
        (_S.CAPTURING, _S.AUTHORISED),
        (_S.VOIDING, _S.AUTHORISED),
        (_S.VOIDING, _S.REQUIRES_ACTION),
    }
)
"""Taken only when the provider definitely refused what we asked. What it merely *shows* may have
been read before our request reached it, and never moves a payment back."""

ENDED: Final = frozenset({_S.DECLINED, _S.VOIDED, _S.REFUNDED})
"""Nothing more happens to these."""
FAILED: Final = frozenset({_S.DECLINED, _S.VOIDED})
"""These took no money, and leave room for another payment of the same thing."""
PENDING: Final = frozenset({_S.CREATED, _S.AUTHORISING, _S.UNKNOWN, _S.CAPTURING, _S.VOIDING})
"""An answer of the provider is awaited, or must be found out."""
HOLDING: Final = frozenset({_S.REQUIRES_ACTION, _S.AUTHORISED, *PENDING})
"""Not settled: a webhook or a look at the provider may still move them."""
TOOK_MONEY: Final = frozenset({_S.CAPTURED, _S.PARTIALLY_REFUNDED, _S.REFUNDED})

TITLES: Final[dict[State, LazyText]] = {
    _S.CREATED: _("New"),
    _S.AUTHORISING: _("In progress"),
    _S.REQUIRES_ACTION: _("Waiting for the cardholder"),
    _S.AUTHORISED: _("Reserved on the card"),
    _S.DECLINED: _("Declined"),
    _S.UNKNOWN: _("Being clarified with the bank"),
    _S.CAPTURING: _("Being collected"),
    _S.CAPTURED: _("Paid"),
    _S.VOIDING: _("Being released"),
    _S.VOIDED: _("Released"),
    _S.PARTIALLY_REFUNDED: _("Partly refunded"),
    _S.REFUNDED: _("Refunded"),
}


class NotInState(Conflict):
    """The payment is not where this could be done."""

    code = "payment_state"
    title = _("The payment's present state does not allow this")


def may(before: State, after: State) -> bool:
    """Whether the table allows the step."""
    return after in TRANSITIONS[before]


def shown_may(before: State, after: State) -> bool:
    """Whether what the provider shows may take the payment from one state to the other."""
    return may(before, after) and (before, after) not in RETREATS


def check(before: State, after: State) -> None:
    """Raise unless the table allows the step.

    Raises:
        NotInState: it does not.
    """
    if not may(before, after):
        raise NotInState

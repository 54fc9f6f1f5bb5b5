"""What pages show of one booking: everything around it, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit.models import AuditEntry
from core.i18n import LazyText, _
from core.money import Money
from core.payments.models import Payment
from core.payments.services import accounts
from core.payments.services.payments import Payments
from core.payments.states import FAILED, State
from plugins.car_hire.models import (
    Booking,
    Customer,
    Hire,
    Quote,
    Vehicle,
    VehicleClass,
    states,
)
from plugins.car_hire.services import (
    bookings,
    customers,
    fleet,
    hires,
    limits,
    paying,
    quotes,
    steps,
)
from plugins.car_hire.services.damages import evidence
from plugins.car_hire.services.describe import Told, told
from plugins.car_hire.services.telling import LATER

HAPPENED: dict[str, tuple[LazyText, str, str]] = {
    "car_hire.booked": (_("Booked"), "calendar-plus", "blue"),
    limits.SET_ASIDE: (_("Booked beyond the limits"), "calendar-exclamation", "orange"),
    "car_hire.booking_confirmed": (_("Confirmed"), "circle-check", "green"),
    "car_hire.booking_rerouted": (_("Returned to another branch"), "map-pin", "blue"),
    "car_hire.booking_revived": (_("Paid late, confirmed on another car"), "circle-check", "green"),
    "car_hire.booking_expired": (_("Not paid in time, released"), "clock-x", "secondary"),
    "car_hire.booking_cancelled": (_("Cancelled"), "ban", "red"),
    "car_hire.booking_changed": (_("Dates changed"), "calendar-event", "blue"),
    "car_hire.booking_extras": (_("Extras changed"), "baby-carriage", "blue"),
    "car_hire.booking_moved": (_("Another car"), "arrows-exchange", "blue"),
    "car_hire.booking_made_room": (_("Another car, to make room"), "arrows-exchange", "blue"),
    "car_hire.booking_pinned": (_("Kept on this car"), "pin", "blue"),
    "car_hire.booking_unpinned": (_("May be moved again"), "pinned-off", "blue"),
    "car_hire.customer_added": (_("Written down"), "user-plus", "blue"),
    "car_hire.customer_blocked": (_("Blocked"), "user-x", "red"),
    "car_hire.customer_changed": (_("Changed"), "edit", "secondary"),
    "car_hire.customer_unblocked": (_("No longer blocked"), "user-check", "green"),
    "car_hire.vehicle_blocked": (_("Kept back"), "tool", "yellow"),
    "car_hire.vehicle_unblocked": (_("Back for hire"), "circle-check", "green"),
    "car_hire.booked_on_account": (_("On the company's account"), "building-skyscraper", "green"),
    "car_hire.paid_at_desk": (_("Price received at the desk"), "cash", "green"),
    "car_hire.given_back": (_("Given back at the desk"), "cash", "orange"),
    "car_hire.transfer_expected": (_("Will be paid by transfer"), "building-bank", "blue"),
    "car_hire.transfer_given_up": (_("Transfer given up"), "building-bank", "secondary"),
    "car_hire.no_show": (_("The customer did not come"), "user-x", "red"),
    "car_hire.hire_prepared": (_("Car checked, deposit asked for"), "clipboard-check", "blue"),
    "car_hire.agreement_made": (_("Agreement made"), "file-certificate", "blue"),
    "car_hire.hire_abandoned": (_("Handing over given up"), "ban", "red"),
    "car_hire.hire_started": (_("Car handed over"), "key", "green"),
    "car_hire.deposit_refused": (_("The bank did not renew the deposit"), "shield-x", "red"),
    "car_hire.charged_by_hand": (_("Charge added to the bill"), "receipt", "orange"),
    "car_hire.evidence_added": (_("What shows a charge was added"), "paperclip", "blue"),
    "car_hire.deposit_released": (_("Deposit released untouched"), "shield-check", "green"),
    "car_hire.deposit_taken": (_("The bill is taken from the deposit"), "cash", "orange"),
    "car_hire.deposit_renewed": (_("Deposit held anew"), "shield-check", "green"),
    "car_hire.hire_returned": (_("Car came back"), "arrow-back-up", "green"),
    "car_hire.later_recorded": (_("Noted"), "receipt-2", "blue"),
    "car_hire.later_charged": (_("Charged"), "credit-card", "yellow"),
    "car_hire.later_contested": (_("The customer objects"), "message-exclamation", "orange"),
    "car_hire.later_paid": (_("Paid"), "circle-check", "green"),
    "car_hire.later_waived": (_("Waived"), "ban", "secondary"),
    "car_hire.hire_closed": (_("Settled"), "receipt", "secondary"),
}


_RESERVED: Final = frozenset({State.AUTHORISED, State.CAPTURING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A booking with its customer, car, prices, hire, bill and payments."""

    booking: Booking
    customer: Customer
    vehicle: Vehicle
    vehicle_class: VehicleClass
    quote: Quote
    lines: Sequence[Told]
    total: Money
    deposit: Money
    hire: Hire | None
    bill: Sequence[Told]
    proofs: Mapping[int, Sequence[evidence.Proof]]
    """What shows what lines of the bill rest on, by place."""
    billed: Money
    owed: Money
    payments: Sequence[Payment]
    steps: Sequence[steps.Told]

    def payment(self, subject_type: str, purpose: str) -> Payment | None:
        """The payment for ``purpose`` that lives, if there is one."""
        found = [
            each
            for each in self.payments
            if each.subject_type == subject_type
            and paying.kind_of(each.purpose) == purpose
            and each.standing not in FAILED
        ]
        return found[-1] if found else None

    @property
    def is_settling(self) -> bool:
        """Whether what was billed at the return is just being taken from the deposit."""
        return bool(self.owed) and self.hold is not None and self.hold.standing in _RESERVED

    @property
    def hold(self) -> Payment | None:
        """What holds the deposit, or was taken from it; None once it has lapsed."""
        held = self.hire.deposit_payment_id if self.hire else None
        return next(
            (each for each in self.payments if each.id == held and each.standing not in FAILED),
            None,
        )

    def waits_for_bank(self, subject_type: str, purpose: str) -> Payment | None:
        """The payment for ``purpose`` whose cardholder must answer the bank."""
        found = self.payment(subject_type, purpose)
        return found if found and found.standing is State.REQUIRES_ACTION else None


async def whole(session: AsyncSession, booking_id: UUID) -> Whole:
    """Everything about one booking.

    Raises:
        NotFound: there is none.
    """
    booking = await bookings.one(session, booking_id)
    unit = booking.currency
    quote = await quotes.one(session, booking.quote_id)
    hire = await hires.of_booking(session, booking_id)
    payments = list(await Payments(session).of(paying.BOOKING, booking_id))
    billed, owed = Money.zero(unit), Money.zero(unit)
    bill: list[Told] = []
    proofs: Mapping[int, Sequence[evidence.Proof]] = {}
    if hire is not None:
        payments += await Payments(session).of(paying.HIRE, hire.id)
        lines = await hires.bill_lines(session, hire.id)
        bill = [told(line, unit) for line in lines]
        proofs = await evidence.proofs(session, booking, lines)
        if hire.billed is not None:
            billed = Money(hire.billed, unit)
            owed = await paying.outstanding(session, hire)
    return Whole(
        booking=booking,
        customer=await customers.one(session, booking.customer_id),
        vehicle=await fleet.vehicle(session, booking.vehicle_id),
        vehicle_class=await fleet.vehicle_class(session, booking.class_id),
        quote=quote,
        lines=[told(line, unit) for line in await quotes.lines(session, quote.id)],
        total=Money(booking.gross, unit),
        deposit=Money(quote.deposit, unit),
        hire=hire,
        bill=bill,
        proofs=proofs,
        billed=billed,
        owed=owed,
        payments=payments,
        steps=steps.told(hire),
    )


async def next_of(session: AsyncSession, user_id: UUID) -> bookings.Listed | None:
    """The booking that a person who signed in drives, or comes for next; None without one."""
    query = (
        bookings.listed()
        .where(Customer.user_id == user_id, Booking.state.in_(states.BLOCKING))
        .order_by(Booking.starts_at, Booking.id)
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def history(session: AsyncSession, *ids: UUID) -> list[dict[str, Any]]:
    """What happened to bookings and hires, newest first, for a timeline."""
    query = (
        select(AuditEntry)
        .where(
            AuditEntry.subject_type.in_((paying.BOOKING, paying.HIRE, LATER, limits.QUOTE)),
            AuditEntry.subject_id.in_([str(each) for each in ids]),
        )
        .order_by(AuditEntry.id.desc())
        .limit(100)
    )
    found = []
    for entry in await session.scalars(query):
        if entry.action in HAPPENED:
            title, picture, color = HAPPENED[entry.action]
            found.append(
                {
                    "title": title,
                    "icon": picture,
                    "color": color,
                    "at": entry.at,
                    "text": entry.actor_name,
                }
            )
    return found


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What a new firm has done of what it needs before customers can book."""

    has_car: bool
    takes_cards: bool

    @property
    def are_over(self) -> bool:
        """Whether customers can book and pay."""
        return self.has_car and self.takes_cards


async def beginnings(session: AsyncSession) -> Beginnings:
    """How far a new firm has come."""
    return Beginnings(
        has_car=bool(await session.scalar(select(select(Vehicle.id).exists()))),
        takes_cards=await accounts.accepts_cards(session),
    )

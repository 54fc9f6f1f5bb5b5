"""What the routes share: versions as ETags, pages of lists, and who is asking for whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from litestar import Request, Response
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.errors import DomainError, EditedMeanwhile, Forbidden, Invalid, NotFound
from core.i18n import _
from core.payments.models import Payment
from core.throttle import Allowance
from core.web.api import paged, place
from core.web.forms import Bound
from plugins.car_hire.models import LATER_KINDS, Booking, Customer, states
from plugins.car_hire.routes.views import PaymentView
from plugins.car_hire.services import bookings, customers
from plugins.car_hire.services.branches import network

T = TypeVar("T")
B = TypeVar("B", bound=Struct)
AnyRequest = Request[Any, Any, Any]

API = "/api/v1/car-hire"
DESK = "car_hire.desk"
FLEET = "car_hire.fleet"
BRANCHES = "car_hire.branches"
RATES = "car_hire.rates"

SHOWN: Final = {"titles": states.BOOKING_TITLES, "colors": states.STATE_COLORS}
"""How pages name and colour the states of bookings."""
LATER_SHOWN: Final = {
    "later_kinds": LATER_KINDS,
    "later_titles": states.LATER_TITLES,
    "later_colors": states.LATER_COLORS,
}
"""How pages name and colour fines and tolls."""
NO_BOOKINGS: Final[Mapping[str, Any]] = {"rows": ()}

QUOTES: Final = Allowance("car_hire.quotes", 60, 10 * 60)
"""Prices kept for one address: enough for a family that compares, too few to fill a table."""


class Versioned(Protocol):
    """What the API shows of a row that may be changed."""

    @property
    def version(self) -> int:
        """Which change it shows."""


V = TypeVar("V", bound=Versioned)


def versioned(view: V, status: int = 200) -> Response[V]:
    """``view`` with its version as ETag."""
    return Response(view, status_code=status, headers={"etag": f'"{view.version}"'})


def version_seen(typed: dict[str, Any]) -> int | None:
    """The version that the editor saw, taken out of what a form's hidden field holds."""
    version = str(typed.pop("version", ""))
    return int(version) if re.fullmatch(r"[0-9]{1,9}", version) else None


def shown_again(form: Bound[B], error: DomainError, seen: int | None) -> Bound[B]:
    """A form with a service's objection, as it is shown once more.

    It goes by the version that was ``seen``: whoever mends a slip of the pen still hears that
    somebody else saved meanwhile. Only who is being told that now goes by the present one.
    """
    if (kept := still_seen(error, seen)) is not None:
        form.raw = {**form.raw, "version": kept}
    return form.refuse(error)


def still_seen(error: DomainError, seen: int | None) -> int | None:
    """The version by which a page goes that is shown again after ``error``; None: the present."""
    return None if isinstance(error, EditedMeanwhile) else seen


async def bookings_page(session: AsyncSession, cursor: str | None, **wanted: Any) -> dict[str, Any]:
    """A page of bookings with its pager; ``wanted`` as for ``bookings.page``."""
    rows = await bookings.page(session, **wanted, before=place(cursor))
    shown = {"branch_names": (await network.read(session)).told} | SHOWN
    return paged(rows, bookings.listing.PAGE_SIZE, cursor, lambda row: row[0].id) | shown


def is_desk() -> bool:
    """Whether whoever is asking works at the desk."""
    person = identity.current()
    return person is not None and person.may(DESK)


async def asking_customer(session: AsyncSession, customer_id: UUID | None) -> Customer:
    """For whom a booking is made: the desk says for whom, everybody else books for themselves.

    Raises:
        Invalid: no licence is known of them yet, or the desk named nobody.
        Forbidden: somebody else was named.
    """
    if is_desk() and customer_id is not None:
        return await customers.one(session, customer_id)
    if customer_id is not None:
        raise Forbidden
    found = await customers.of_user(session, identity.required().user_id)
    if found is None:
        raise Invalid(_("Tell us of your driving licence first"), field="customer_id")
    return found


async def check_own(session: AsyncSession, booking: Booking) -> None:
    """Let the desk and the customer see a booking; to others it does not exist.

    Raises:
        NotFound: it is somebody else's.
    """
    if is_desk():
        return
    own = await customers.of_user(session, identity.required().user_id)
    if own is None or own.id != booking.customer_id:
        raise NotFound(_("There is no such booking"))


def payment_view(payment: Payment) -> PaymentView:
    """A payment, to whoever pays it."""
    return PaymentView(
        id=payment.id,
        state=payment.state,
        amount=payment.amount,
        currency=payment.currency,
        client_secret=payment.client_secret,
        redirect_url=payment.redirect_url,
    )

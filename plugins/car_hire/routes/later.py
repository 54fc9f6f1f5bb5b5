"""Fines and tolls: noted and followed at the desk, paid by a link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.payments.services.by_hand import WAYS
from core.payments.states import State
from core.permissions import permission, public
from core.throttle import Allowance
from core.web.api import paged, place
from core.web.forms import Bound, bind, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire import policy
from plugins.car_hire.models import LATER_KINDS, LaterCharge
from plugins.car_hire.routes import evidence
from plugins.car_hire.routes.http import DESK, LATER_SHOWN, AnyRequest, version_seen
from plugins.car_hire.routes.site import card_of
from plugins.car_hire.schemas import CardInput
from plugins.car_hire.schemas_later import ChargingInput, LaterInput, WhyInput
from plugins.car_hire.schemas_money import MethodInput
from plugins.car_hire.services import bookings, customers, fleet, looking
from plugins.car_hire.services.later import charging, recording

PATH: Final = "/car-hire/desk/charges"
ACCESS = permission(DESK)
TRIES: Final = Allowance("car_hire.charges", 30, 10 * 60)
"""Cards tried from one address: a customer has a few, who tests stolen ones has too many."""
ANSWERS: Final = Allowance("car_hire.charge_answers", 30, 10 * 60)
"""Answers to the bank from one address."""
_UNSEEN: Final = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
_SHOWN: Final = LATER_SHOWN | {"kinds": LATER_KINDS}
Session = NamedDependency[AsyncSession]


class Later(Controller):
    """What came in, and what became of it."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """Everything, newest first."""
        return await _list_page(session, blank(LaterInput), text.strip(), status, cursor)

    @post(access=ACCESS, idempotent=True)
    async def record(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Note what was asked for; the customer is found by plate and time."""
        form = await posted(request, LaterInput)
        try:
            made = await recording.record(session, form.value)
        except DomainError as error:
            return await _list_page(session, form.refuse(error), status_code=error.status)
        return SeeOther(f"{PATH}/{made.id}", flash=_("Noted. Add what shows it, then charge it"))

    @get("/{later_id:uuid}", access=ACCESS)
    async def show(self, session: Session, later_id: FromPath[UUID]) -> Page:
        """One of them, and what may be done."""
        return await _page(session, later_id)

    @post("/{later_id:uuid}/evidence", access=ACCESS, request_max_body_size=None)
    async def evidence(
        self, request: AnyRequest, session: Session, later_id: FromPath[UUID]
    ) -> SeeOther:
        """What shows it: a letter, a photo."""
        await recording.one(session, later_id)
        show = partial(recording.show_by, session, later_id)
        return await evidence.kept(request, session, recording.AREA, show, f"{PATH}/{later_id}")

    @post("/{later_id:uuid}/charging", access=ACCESS)
    async def charge(
        self, request: AnyRequest, session: Session, later_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Charge the customer."""
        typed, seen = await _typed(request)
        form = bind(ChargingInput, typed)
        try:
            await charging.charge(session, later_id, seen, by_link=form.value.by_link)
        except DomainError as error:
            return await _page(session, later_id, error=error)
        return SeeOther(f"{PATH}/{later_id}", flash=_("The customer is being charged"))

    @post("/{later_id:uuid}/receipt", access=ACCESS)
    async def received(
        self, request: AnyRequest, session: Session, later_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """It was paid otherwise."""
        typed, seen = await _typed(request)
        try:
            await charging.received(session, later_id, bind(MethodInput, typed).value.method, seen)
        except DomainError as error:
            return await _page(session, later_id, error=error)
        return SeeOther(f"{PATH}/{later_id}", flash=_("Noted as paid"))

    @post("/{later_id:uuid}/objection", access=ACCESS)
    async def contest(
        self, request: AnyRequest, session: Session, later_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The customer objects."""
        return await _say(request, session, later_id, charging.contest)

    @post("/{later_id:uuid}/waiver", access=ACCESS)
    async def waive(
        self, request: AnyRequest, session: Session, later_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The customer need not pay."""
        return await _say(request, session, later_id, charging.waive)


class Payable(Controller):
    """What a customer finds behind their link; they need not sign in."""

    path = "/car-hire/charges"
    include_in_schema = False

    @get("/{secret:str}", access=public)
    async def show(self, session: Session, secret: FromPath[str]) -> Page:
        """What is to be paid, or thanks."""
        return await _payable(session, secret, blank(CardInput))

    @post("/{secret:str}", access=public, allowance=TRIES)
    async def pay(
        self, request: AnyRequest, session: Session, secret: FromPath[str]
    ) -> Page | SeeOther:
        """Pay by card; the amount is what was noted."""
        found = await charging.by_secret(session, secret)
        form = await posted(request, CardInput)
        try:
            await charging.pay(session, found.id, form.value.payment_method)
        except DomainError as error:
            return await _payable(session, secret, form.refuse(error), error.status)
        return SeeOther(f"/car-hire/charges/{secret}")

    @post("/{secret:str}/answer", access=public, allowance=ANSWERS)
    async def answered(self, session: Session, secret: FromPath[str]) -> Page | SeeOther:
        """The cardholder has answered the bank."""
        found = await charging.by_secret(session, secret)
        try:
            await charging.answered(session, found.id)
        except DomainError as error:
            return await _payable(session, secret, blank(CardInput).refuse(error), error.status)
        return SeeOther(f"/car-hire/charges/{secret}")


Say = Callable[[AsyncSession, UUID, str, int | None], Awaitable[LaterCharge]]


async def _typed(request: AnyRequest) -> tuple[dict[str, Any], int | None]:
    typed = await typed_fields(request)
    typed.pop("form_key", None)
    seen = version_seen(typed)
    return typed, seen


async def _say(
    request: AnyRequest, session: AsyncSession, later_id: UUID, way: Say
) -> Page | SeeOther:
    typed, seen = await _typed(request)
    form = bind(WhyInput, typed)
    try:
        await way(session, later_id, form.value.why, seen)
    except DomainError as error:
        return await _page(session, later_id, form.refuse(error), error)
    return SeeOther(f"{PATH}/{later_id}", flash=_("Noted"))


async def _list_page(
    session: AsyncSession,
    form: Bound[LaterInput],
    text: str = "",
    status: str = "",
    cursor: str | None = None,
    status_code: int = 200,
) -> Page:
    rows = await recording.page(session, text=text, state=status, before=place(cursor))
    found = paged(rows, recording.PAGE_SIZE, cursor, lambda row: row[0].id)
    asked = {"text": text, "status": status, "form": form}
    fee = (await policy.read(session)).later_fee
    context = found | asked | _SHOWN | {"fee": fee}
    return Page("car_hire/desk/later_list.html", context, status=status_code)


async def _page(
    session: AsyncSession,
    later_id: UUID,
    why: Bound[WhyInput] | None = None,
    error: DomainError | None = None,
) -> Page:
    found = await recording.one(session, later_id)
    return Page(
        "car_hire/desk/later.html",
        {
            "found": found,
            "booking": await bookings.one(session, found.booking_id),
            "customer": await customers.one(session, found.customer_id),
            "vehicle": await fleet.vehicle(session, found.vehicle_id),
            "payment": await charging.waiting(session, later_id),
            "events": await looking.history(session, later_id),
            "why": why or blank(WhyInput),
            "charging": blank(ChargingInput),
            "error": error,
            "ways": WAYS,
            **_SHOWN,
        },
        status=error.status if error else 200,
    )


async def _payable(
    session: AsyncSession, secret: str, form: Bound[CardInput], status: int = 200
) -> Page:
    found = await charging.by_secret(session, secret)
    card = await card_of(session)
    payment = await charging.waiting(session, found.id)
    asks = payment is not None and payment.standing is State.REQUIRES_ACTION
    return Page(
        "car_hire/site/charge.html",
        {
            "here": f"/car-hire/charges/{secret}",
            "found": found,
            "booking": await bookings.one(session, found.booking_id),
            "vehicle": await fleet.vehicle(session, found.vehicle_id),
            "waiting": payment if asks else None,
            "card": card,
            "form": form,
            **_SHOWN,
        },
        status=status,
        headers=_UNSEEN,
        csp=card.csp if card else None,
    )


CONTROLLERS: Final = (Later, Payable)

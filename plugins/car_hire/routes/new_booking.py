"""A booking made at the desk: for whom, which class, when, and what goes with it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire import policy
from plugins.car_hire.routes.choosing import AT, begun, gathered
from plugins.car_hire.routes.http import DESK, AnyRequest
from plugins.car_hire.routes.site import usual_dates
from plugins.car_hire.schemas import SearchInput, WalkInInput
from plugins.car_hire.services import bookings, customers, fleet, limits, paying, quotes
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.extras import drivers, showing
from plugins.car_hire.services.promotions import students

PATH = "/car-hire/desk/bookings"
ACCESS = permission(DESK)
FIND: Final = "find"
Session = NamedDependency[AsyncSession]


class NewBooking(Controller):
    """One form; the price and what can be chosen follow as it is filled in."""

    path = f"{PATH}/new"
    include_in_schema = False

    @get(access=ACCESS)
    async def new(self, request: AnyRequest, session: Session) -> Page:
        """Book for somebody at the desk; whatever the address knows is filled in."""
        asked = request.query_params.dict()
        known = {key: each[0] if len(each) == 1 else each for key, each in asked.items()}
        return await _page(session, blank(WalkInInput, usual_dates() | gathered(known)))

    @post("/price", access=ACCESS, status_code=200)
    async def price(self, request: AnyRequest, session: Session) -> Page:
        """What it would cost, and what can be had with it; nothing is kept."""
        typed, find = await _received(request)
        form = begun(WalkInInput, await _for_whom(session, typed, find))
        return await _page(session, form, 422 if form.errors else 200, find)

    @post(access=ACCESS, idempotent=True)
    async def book(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Quote and book in one step."""
        form = bind(WalkInInput, (await _received(request))[0])
        try:
            given = await _with_what_is_known(session, form.value)
            customer = await customers.one(session, given.customer_id)
            quote = await quotes.make(session, given.quote(), given.beyond)
            made = await bookings.place(session, quote, customer, "desk")
            await paying.hold_ends(session, made)
        except DomainError as error:
            return await _page(session, form.refuse(error), error.status)
        return SeeOther(f"{PATH}/{made.id}", flash=_("Booked. Take the payment now"))


async def _received(request: AnyRequest) -> tuple[dict[str, Any], str]:
    """What was typed, and by what a customer is looked for, which is no part of a booking."""
    typed = gathered(await typed_fields(request))
    return typed, str(typed.pop(FIND, "")).strip()


async def _for_whom(session: AsyncSession, typed: dict[str, Any], find: str) -> dict[str, Any]:
    """With the likeliest customer chosen, if the one who was is not among those found."""
    if not find:
        return typed
    found = [str(each.id) for each in await customers.page(session, text=find)]
    if typed.get("customer_id") in found or not found:
        return typed
    return typed | {"customer_id": found[0]}


async def _with_what_is_known(session: AsyncSession, given: WalkInInput) -> WalkInInput:
    """How old the customer is, and whether a student, we know."""
    customer = await customers.one(session, given.customer_id)
    age = drivers.age_of(session, customer, given.starts_at)
    student = students.is_known(session, customer, given.starts_at)
    student = student and await students.share(session) is not None
    return msgspec.structs.replace(given, age=age, student=student)


async def _page(
    session: AsyncSession, form: Bound[WalkInInput], status: int = 200, find: str = ""
) -> Page:
    classes = await fleet.classes(session, on_offer=True)
    return Page(
        "car_hire/desk/new_booking.html",
        {
            "form": form,
            "people": await _people(session, form, find),
            "find": find,
            "typed": _typed(form),
            "class_names": {str(each.id): each.name for each in classes},
            "branch_names": (await network.read(session)).names,
            "options": await _options(session, form),
            "priced": await _priced(session, form),
            "limits": await _limits(session, form),
        },
        status=status,
        block="booking",
    )


async def _people(session: AsyncSession, form: Bound[WalkInInput], find: str) -> dict[str, str]:
    """Whom the form lets one choose, with what tells them from others of their name."""
    found = await customers.page(session, text=find) if find else ()
    if not found:
        found = await customers.offered(session, str(form.raw.get("customer_id", "")))
    return {str(each.id): f"{each.name} · {each.email}" for each in found}


def _typed(form: Bound[WalkInInput]) -> str:
    """The form as a query, to come back to it as it is."""
    given = {key: value for key, value in form.raw.items() if value and key != "extras"}
    chosen = {f"{AT}{key}": value for key, value in (form.raw.get("extras") or {}).items()}
    return urlencode(given | chosen, doseq=True)


async def _options(session: AsyncSession, form: Bound[WalkInInput]) -> showing.Options | None:
    """What can be chosen, once a class and dates are."""
    known = {key: form.raw.get(key) for key in SearchInput.__struct_fields__}
    asked = bind(SearchInput, known)
    if not asked.ok or asked.value.class_id is None:
        return None
    wanted = asked.value
    await fleet.vehicle_class(session, asked.value.class_id)
    try:
        quotes.check_length(wanted.starts_at, wanted.ends_at)
        return await showing.of_class(
            session, asked.value.class_id, wanted.starts_at, wanted.ends_at
        )
    except DomainError:
        return None


async def _limits(session: AsyncSession, form: Bound[WalkInInput]) -> list[str]:
    """Which limits of length and lead time the dates do not keep: the desk may say why."""
    asked = bind(SearchInput, {key: form.raw.get(key) for key in SearchInput.__struct_fields__})
    if not asked.ok or asked.value.class_id is None:
        return []
    wanted = asked.value
    if wanted.ends_at <= wanted.starts_at:
        return []
    chosen = await fleet.vehicle_class(session, asked.value.class_id)
    broken = await limits.broken(session, chosen, wanted.starts_at, wanted.ends_at)
    return limits.texts(session, chosen, broken)


async def _priced(session: AsyncSession, form: Bound[WalkInInput]) -> dict[str, Any] | None:
    """The price line by line, once everything is right; an objection beside its field."""
    asked = bind(WalkInInput, form.raw)
    if not asked.ok:
        return None
    try:
        given = await _with_what_is_known(session, asked.value)
        quotes.check_length(given.starts_at, given.ends_at)
        chosen = await fleet.vehicle_class(session, given.class_id)
        rules = await policy.read(session)
        _terms, _asked, priced = await quotes.work_out(session, given.quote(), chosen, rules)
    except DomainError as error:
        if not form.errors:
            form.refuse(error)
        return None
    unit = priced.gross.unit
    return {"lines": [told(line, unit) for line in priced.lines], "gross": priced.gross}


CONTROLLERS = (NewBooking,)

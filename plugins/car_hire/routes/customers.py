"""The desk's customers: written down, alone or in the midst of a booking, and found again."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.api import paged, place
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import DESK, NO_BOOKINGS, AnyRequest, bookings_page
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.schemas import BlockCustomerInput, CustomerInput, NoteInput
from plugins.car_hire.schemas_promotions import StudentInput
from plugins.car_hire.services import customers, looking, minding
from plugins.car_hire.services.promotions import students

DESK_PATH = "/car-hire/desk"
PATH = f"{DESK_PATH}/customers"
Session = NamedDependency[AsyncSession]


class Customers(Controller):
    """The people."""

    path = PATH
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(
        self, session: Session, text: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Page:
        """Every customer, newest first."""
        rows = await customers.page(session, text=text.strip(), before=place(cursor))
        found = paged(rows, customers.PAGE_SIZE, cursor, lambda row: row.id)
        asking = await students.waiting(session)
        return Page("car_hire/desk/customers.html", {**found, "text": text, "asking": asking})

    @get("/new", access=permission(DESK))
    async def new(self, session: Session, booking: FromQuery[str] = "") -> Page:
        """A form for a customer; ``booking`` is what was typed of theirs before, as a query."""
        return await customer_page(session, blank(CustomerInput), booking=booking)

    @post("/new", access=permission(DESK), idempotent=True)
    async def add(
        self, request: AnyRequest, session: Session, booking: FromQuery[str] = ""
    ) -> Page | SeeOther:
        """Write a customer down, and go on with the booking that waits for them, if one does."""
        form = bind(CustomerInput, await typed_fields(request))
        try:
            made = await customers.add(session, form.value)
        except DomainError as error:
            return await customer_page(
                session, form.refuse(error), status=error.status, booking=booking
            )
        done = _("The customer is written down")
        return SeeOther(_back_to(booking, made.id) if booking else PATH, flash=done)

    @get("/{customer_id:uuid}", access=permission(DESK))
    async def show(
        self, session: Session, customer_id: FromPath[UUID], cursor: FromQuery[str | None] = None
    ) -> Page:
        """One customer, with their bookings."""
        found = await customers.one(session, customer_id)
        form = blank(CustomerInput, _written(found))
        return await customer_page(session, form, customer_id, cursor)

    @post("/{customer_id:uuid}", access=permission(DESK))
    async def change(
        self, request: AnyRequest, session: Session, customer_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change a customer."""
        return await save_form(
            request,
            CustomerInput,
            partial(customers.change, session, customer_id, expected=await seen_version(request)),
            partial(customer_page, session, customer_id=customer_id),
            f"{PATH}/{customer_id}",
            _("Saved"),
        )


async def customer_page(
    session: AsyncSession,
    form: Bound[CustomerInput] | None = None,
    customer_id: UUID | None = None,
    cursor: str | None = None,
    status: int = 200,
    *,
    booking: str = "",
    note: Bound[NoteInput] | None = None,
    block: Bound[BlockCustomerInput] | None = None,
    student: Bound[StudentInput] | None = None,
) -> Page:
    """All that is known of a customer; ``note``, ``block`` and ``student`` as they were typed,
    ``booking`` as it waits for a new one."""
    found = await customers.one(session, customer_id) if customer_id else None
    kept = (
        await bookings_page(session, cursor, customer_id=customer_id)
        if customer_id
        else NO_BOOKINGS
    )
    shown: dict[str, Any] = {
        "form": form or blank(CustomerInput, _written(found) if found else {}),
        "found": found,
        "booking": booking,
        "note_form": note or blank(NoteInput),
        "block_form": block or blank(BlockCustomerInput),
        "student_form": student or blank(StudentInput),
        "record": await minding.record(session, found.id) if found else None,
        "notes": await minding.notes(session, found.id) if found else (),
        "events": await looking.history(session, found.id) if found else (),
    }
    return Page("car_hire/desk/customer.html", {**kept, **shown}, status=status)


def _back_to(booking: str, customer_id: UUID) -> str:
    """The form of the booking as it was typed, now with its customer."""
    typed = [(name, value) for name, value in parse_qsl(booking) if name != "customer_id"]
    return f"{DESK_PATH}/bookings/new?{urlencode([*typed, ('customer_id', str(customer_id))])}"


def _written(of: object) -> dict[str, Any]:
    return {field: getattr(of, field) for field in CustomerInput.__struct_fields__}


CONTROLLERS = (Customers,)

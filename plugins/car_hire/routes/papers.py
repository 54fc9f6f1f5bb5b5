"""Numbered papers: found, read, printed and credited at the desk; one's own on the site."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.auth import identity
from core.errors import DomainError, FieldError, Invalid
from core.i18n import _
from core.money import Money
from core.permissions import member, permission
from core.scope import Tenant
from core.web.api import paged, place
from core.web.forms import Bound, bind, blank, posted, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import PAPER_KINDS, Paper
from plugins.car_hire.routes.http import DESK, AnyRequest
from plugins.car_hire.schemas import BillingInput
from plugins.car_hire.schemas_papers import CreditInput, PapersInput
from plugins.car_hire.services import customers, hires, looking
from plugins.car_hire.services.companies import account
from plugins.car_hire.services.papers import (
    agreements,
    crediting,
    invoices,
    issuing,
    listing,
    refunding,
)

CSV: Final = "text/csv; charset=utf-8"
_POSITION: Final = re.compile(r"lines\.[0-9]{1,4}", re.ASCII)
PATH: Final = "/car-hire/desk/papers"
ACCESS = permission(DESK)
COLORS: Final = {
    "invoice": "blue",
    "credit_note": "orange",
    "receipt": "green",
    "statement": "secondary",
}
Session = NamedDependency[AsyncSession]


class Papers(Controller):
    """The books of papers."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(
        self, request: AnyRequest, session: Session, cursor: FromQuery[str | None] = None
    ) -> Page:
        """Every paper, newest first."""
        form = _asked(request)
        rows = await listing.page(session, _query(form), place(cursor))
        found = paged(rows, listing.PAGE_SIZE, cursor, lambda row: row[0].id)
        context = {"form": form, "kinds": PAPER_KINDS, "colors": COLORS}
        status = 422 if form.errors else 200
        return Page("car_hire/desk/papers.html", found | context, status=status)

    @get("/sheet", access=ACCESS, media_type=CSV)
    async def sheet(self, request: AnyRequest, session: Session) -> Response[str]:
        """The same papers, for the accountant."""
        tenant: Tenant = session.info["tenant"]
        form = _asked(request)
        name = f"{tenant.slug}-{clock.today(tenant.zone).isoformat()}.csv"
        return Response(
            await listing.sheet(session, _query(form)),
            media_type=CSV,
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    @get("/{paper_id:uuid}", access=ACCESS)
    async def show(self, session: Session, paper_id: FromPath[UUID]) -> Page:
        """One paper as it was issued, and what may be done about it."""
        return await _paper_page(session, paper_id, blank(CreditInput), {})

    @post("/{paper_id:uuid}/credit-note", access=ACCESS, idempotent=True)
    async def credit(
        self, request: AnyRequest, session: Session, paper_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take something off an invoice."""
        typed = await typed_fields(request)
        amounts = {key: str(typed.pop(key)) for key in list(typed) if key.startswith("lines.")}
        typed.pop("form_key", None)
        form = bind(CreditInput, typed)
        try:
            given = form.value
            wanted = amounts_of(amounts)
            way = refunding.WAYS[given.back]
            made = await way(session, paper_id, wanted, given.reason, refunding.fresh_key())
        except DomainError as error:
            return await _paper_page(session, paper_id, form.refuse(error), amounts, error.status)
        return SeeOther(f"{PATH}/{made.id}", flash=_("The credit note is issued"))


class Invoicing(Controller):
    """From a booking to its invoice."""

    path = "/car-hire/desk/bookings"
    include_in_schema = False

    @post("/{booking_id:uuid}/invoice", access=ACCESS)
    async def issue(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """Issue the invoice of a hire that was settled before the business said who it is."""
        found = await looking.whole(session, booking_id)
        try:
            made = await invoices.of_booking(session, booking_id, found.owed)
        except DomainError as error:
            back = f"/car-hire/desk/bookings/{booking_id}"
            return SeeOther(back, flash=error.message, level="danger")
        return SeeOther(f"{PATH}/{made.id}", flash=_("The invoice is issued"))


class Agreements(Controller):
    """The agreement of a hire that nobody signed on the screen."""

    path = "/car-hire/desk/hires"
    include_in_schema = False

    @post("/{hire_id:uuid}/agreement", access=ACCESS)
    async def to_print(self, session: Session, hire_id: FromPath[UUID]) -> SeeOther:
        """Have it drawn, to be printed and signed on paper."""
        hire = await hires.one(session, hire_id)
        await agreements.to_print(session, hire_id)
        return SeeOther(
            f"/car-hire/desk/bookings/{hire.booking_id}", flash=_("The agreement is being drawn")
        )


class OwnPapers(Controller):
    """A customer's papers, and who stands on them."""

    path = "/car-hire/papers"
    include_in_schema = False

    @get(access=member)
    async def listing(self, session: Session, cursor: FromQuery[str | None] = None) -> Page:
        """One's own invoices."""
        known = await customers.of_user(session, identity.required().user_id)
        fields = BillingInput.__struct_fields__
        given = {name: getattr(known, name) for name in fields} if known else {}
        return await _own_page(session, blank(BillingInput, given), cursor)

    @post("/billing", access=member)
    async def billing(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Who stands on the invoices to come."""
        form = await posted(request, BillingInput)
        try:
            await customers.bill_to(session, identity.required(), form.value)
        except DomainError as error:
            return await _own_page(session, form.refuse(error), None, error.status)
        return SeeOther("/car-hire/papers", flash=_("Saved; it stands on your next invoices"))


def _asked(request: AnyRequest) -> Bound[PapersInput]:
    asked = {key: value for key, value in request.query_params.items() if value}
    wanted = {key: asked[key] for key in PapersInput.__struct_fields__ if key in asked}
    return bind(PapersInput, wanted)


def _query(form: Bound[PapersInput]) -> Any:
    wanted = form.result or PapersInput()
    return listing.found(
        text=wanted.text.strip(), kind=wanted.kind, since=wanted.since, until=wanted.until
    )


def amounts_of(typed: dict[str, str]) -> dict[int, Decimal]:
    """Net amounts by line, as they were typed into ``lines.0``, ``lines.1`` …

    Raises:
        Invalid: naming the lines that hold no amount.
    """
    found: dict[int, Decimal] = {}
    errors = []
    for key, text in typed.items():
        amount = _amount(text)
        if amount is None or not _POSITION.fullmatch(key):
            errors.append(FieldError(key, _("Enter an amount with two decimals at most.")))
        elif amount:
            found[int(key.partition(".")[2])] = amount
    if errors:
        raise Invalid(errors=errors)
    return found


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().replace(",", ".") or "0")
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    return amount if isinstance(exponent, int) and exponent >= -2 else None


async def _paper_page(
    session: AsyncSession,
    paper_id: UUID,
    form: Bound[CreditInput],
    amounts: dict[str, str],
    status: int = 200,
) -> Page:
    paper = await issuing.one(session, paper_id)
    lines = await crediting.left(session, paper) if paper.kind == "invoice" else []
    return Page(
        "car_hire/desk/paper.html",
        {
            **await shown(session, paper),
            "form": form,
            "amounts": amounts,
            "credits": [each for each in lines if each.net],
            "on_account": await account.of_paper(session, paper.id) is not None,
        },
        status=status,
    )


async def shown(session: AsyncSession, paper: Paper) -> dict[str, Any]:
    """What a page shows of one paper."""
    return {
        "paper": paper,
        "in_currency": lambda amount: Money(amount, paper.currency),
        "content": issuing.content_of(paper),
        "file": await listing.file_of(session, paper.id),
        "referring": await listing.about(session, paper),
        "earlier": await issuing.one(session, paper.refers_to) if paper.refers_to else None,
        "kinds": PAPER_KINDS,
        "colors": COLORS,
    }


async def _own_page(
    session: AsyncSession, form: Bound[BillingInput], cursor: str | None, status: int = 200
) -> Page:
    user_id = identity.required().user_id
    rows = await listing.page(session, listing.of_user(user_id), place(cursor))
    found = paged(rows, listing.PAGE_SIZE, cursor, lambda row: row[0].id)
    known = await customers.of_user(session, user_id)
    context = {"form": form, "known": known, "kinds": PAPER_KINDS, "colors": COLORS}
    return Page("car_hire/site/papers.html", found | context, status=status)


CONTROLLERS = (Papers, Invoicing, Agreements, OwnPapers)

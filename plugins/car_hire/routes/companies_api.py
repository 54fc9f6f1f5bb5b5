"""/api/v1/car-hire/companies: accounts of companies, for programs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import permission
from core.web.api import Listing, expected
from plugins.car_hire.models import Statement
from plugins.car_hire.routes.http import API, DESK, RATES, AnyRequest, versioned
from plugins.car_hire.routes.views import BookingView, RowView
from plugins.car_hire.schemas_companies import CompanyInput, StatementPaidInput
from plugins.car_hire.services.companies import hiring, keeping, statements

ACCESS = permission(DESK)
OWNER = permission(RATES)
Session = NamedDependency[AsyncSession]


class CompanyView(RowView, frozen=True, kw_only=True):
    """A company; ``credit_limit`` None is any amount."""

    id: UUID
    version: int
    name: str
    tax_number: str
    billing_address: str
    contact_name: str
    contact_email: str
    contact_phone: str
    terms_days: int
    credit_limit: Decimal | None
    deposit: str
    currency: str
    on_account: bool


class StatementView(RowView, frozen=True, kw_only=True):
    """The sum of a month, which begins on ``month``; its paper has number and file."""

    paper_id: UUID
    version: int
    company_id: UUID
    month: date
    due_on: date
    currency: str
    amount: Decimal
    paid: Decimal


class CompaniesApi(Controller):
    """Companies that hire on account."""

    path = f"{API}/companies"
    tags = ("Car hire",)

    @get(access=ACCESS)
    async def listing(self, session: Session) -> Listing[CompanyView]:
        """Every company, by name."""
        return Listing([CompanyView.of(each) for each in await keeping.every(session)])

    @post(access=OWNER, idempotent=True)
    async def add(self, session: Session, data: JSONBody[CompanyInput]) -> Response[CompanyView]:
        """Add a company."""
        return versioned(CompanyView.of(await keeping.add(session, data)), 201)

    @get("/{company_id:uuid}", access=ACCESS)
    async def show(self, session: Session, company_id: FromPath[UUID]) -> Response[CompanyView]:
        """One company."""
        return versioned(CompanyView.of(await keeping.one(session, company_id)))

    @put("/{company_id:uuid}", access=OWNER)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        company_id: FromPath[UUID],
        data: JSONBody[CompanyInput],
    ) -> Response[CompanyView]:
        """Change what is agreed; If-Match guards against overwriting somebody else's change."""
        found = await keeping.change(session, company_id, data, expected(request))
        return versioned(CompanyView.of(found))

    @get("/{company_id:uuid}/statements", access=ACCESS)
    async def stated(self, session: Session, company_id: FromPath[UUID]) -> Listing[StatementView]:
        """A company's statements, newest first."""
        await keeping.one(session, company_id)
        rows: list[Statement] = [
            each for each, _paper in await statements.of_company(session, company_id)
        ]
        return Listing([StatementView.of(each) for each in rows])

    @post("/statements/{paper_id:uuid}/payment", access=ACCESS, status_code=200)
    async def received(
        self, session: Session, paper_id: FromPath[UUID], data: JSONBody[StatementPaidInput]
    ) -> StatementView:
        """A transfer came; ``version`` is the statement's, so that one transfer is noted once."""
        made = await statements.received(session, paper_id, data.amount, data.version)
        return StatementView.of(made)


class OnAccountApi(Controller):
    """Booking on account."""

    path = f"{API}/bookings"
    tags = ("Car hire",)

    @post("/{booking_id:uuid}/on-account", access=ACCESS, status_code=200)
    async def book(self, session: Session, booking_id: FromPath[UUID]) -> BookingView:
        """The customer's company pays: the booking is confirmed."""
        return BookingView.of(await hiring.book(session, booking_id))


CONTROLLERS = (CompaniesApi, OnAccountApi)

"""Companies that hire on account: the desk's pages, and what their contacts find."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.auth import identity
from core.errors import DomainError, NotFound
from core.i18n import _
from core.money import Money
from core.permissions import member, permission
from core.scope import Tenant
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from core.web.slots import Slots
from plugins.car_hire.routes.booking_page import booking_page
from plugins.car_hire.routes.http import DESK, RATES, AnyRequest, check_own
from plugins.car_hire.routes.papers import CSV
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.schemas import CardInput
from plugins.car_hire.schemas_companies import CompanyInput, MemberInput, StatementPaidInput
from plugins.car_hire.services import bookings
from plugins.car_hire.services.companies import hiring, keeping, owing, statements
from plugins.car_hire.services.papers import issuing, listing
from plugins.car_hire.services.papers.content import plain

PATH: Final = "/car-hire/desk/companies"
ACCESS = permission(DESK)
OWNER = permission(RATES)
Session = NamedDependency[AsyncSession]
Parts = NamedDependency[Slots]


class Companies(Controller):
    """Who hires on account, and what is unpaid."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(self, session: Session) -> Page:
        """Every company with what it owes, by how long it has been due."""
        tenant: Tenant = session.info["tenant"]
        owed = await owing.of_all(session, clock.today(tenant.zone))
        rows = [(each, owed.get(each.id, owing.NOTHING)) for each in await keeping.every(session)]
        rows.sort(key=lambda row: -row[1].late)
        context = {"rows": rows, "in_currency": lambda amount: Money(amount, tenant.currency)}
        return Page("car_hire/desk/companies.html", context)

    @get("/new", access=OWNER)
    async def new(self, session: Session) -> Page:
        """A form for a company."""
        return await _page(session, blank(CompanyInput))

    @post("/new", access=OWNER, idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add a company."""
        return await save_form(
            request, CompanyInput, partial(keeping.add, session), partial(_page, session),
            PATH, _("The company is added"),
        )  # fmt: skip

    @get("/{company_id:uuid}", access=ACCESS)
    async def show(self, session: Session, company_id: FromPath[UUID]) -> Page:
        """One company: what is agreed, its people, its statements."""
        return await _page(session, await _form(session, company_id), company_id)

    @post("/{company_id:uuid}", access=OWNER)
    async def change(
        self, request: AnyRequest, session: Session, company_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change what is agreed."""
        seen = await seen_version(request)
        return await save_form(
            request,
            CompanyInput,
            partial(keeping.change, session, company_id, expected=seen),
            partial(_page, session, company_id=company_id),
            f"{PATH}/{company_id}",
            _("Saved"),
        )

    @post("/{company_id:uuid}/members", access=ACCESS)
    async def put_member(
        self, request: AnyRequest, session: Session, company_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """A customer hires for the company."""
        form = await posted(request, MemberInput)
        try:
            await keeping.put_member(session, company_id, form.value)
        except DomainError as error:
            kept = await _form(session, company_id)
            return await _page(
                session, kept, company_id, error.status, new_member=form.refuse(error)
            )
        return SeeOther(f"{PATH}/{company_id}", flash=_("Saved"))

    @post("/{company_id:uuid}/members/{customer_id:uuid}/removal", access=ACCESS)
    async def remove_member(
        self, session: Session, company_id: FromPath[UUID], customer_id: FromPath[UUID]
    ) -> SeeOther:
        """A customer hires for themselves again."""
        await keeping.one(session, company_id)
        await keeping.remove_member(session, company_id, customer_id)
        return SeeOther(f"{PATH}/{company_id}", flash=_("They hire for themselves again"))

    @post("/statements/{paper_id:uuid}/payment", access=ACCESS)
    async def received(
        self, request: AnyRequest, session: Session, paper_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """A transfer came for a statement."""
        company_id = (await statements.one(session, paper_id)).company_id
        form = await posted(request, StatementPaidInput)
        try:
            given = form.value
            await statements.received(session, paper_id, given.amount, given.version)
        except DomainError as error:
            kept = await _form(session, company_id)
            paid = (paper_id, form.refuse(error))
            return await _page(session, kept, company_id, error.status, paid=paid)
        return SeeOther(f"{PATH}/{company_id}", flash=_("Noted as paid"))

    @get("/statements/{paper_id:uuid}/sheet", access=ACCESS, media_type=CSV)
    async def sheet(self, session: Session, paper_id: FromPath[UUID]) -> Response[str]:
        """What stands on a statement, for the accountant."""
        await statements.one(session, paper_id)
        return await _sheet(session, paper_id)


class OnAccount(Controller):
    """Booking on the account of one's company."""

    path = "/car-hire"
    include_in_schema = False

    @post("/desk/bookings/{booking_id:uuid}/on-account", access=ACCESS)
    async def at_desk(
        self, session: Session, slots: Parts, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The company of the customer pays."""
        try:
            await hiring.book(session, booking_id)
        except DomainError as error:
            form = blank(CardInput).refuse(error)
            return await booking_page(session, slots, booking_id, card=form, error=error)
        done = _("It goes on the company's account")
        return SeeOther(f"/car-hire/desk/bookings/{booking_id}", flash=done)

    @post("/bookings/{booking_id:uuid}/on-account", access=member)
    async def by_oneself(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """One's company pays."""
        await check_own(session, await bookings.one(session, booking_id))
        back = f"/car-hire/bookings/{booking_id}"
        try:
            await hiring.book(session, booking_id)
        except DomainError as error:
            return SeeOther(back, flash=error.message, level="danger")
        return SeeOther(back, flash=_("It goes on the company's account"))

    @get("/papers/{paper_id:uuid}/sheet", access=member, media_type=CSV)
    async def sheet(self, session: Session, paper_id: FromPath[UUID]) -> Response[str]:
        """What stands on a statement of one's company, for its accountant."""
        if not await listing.is_own(session, paper_id, identity.required().user_id):
            raise NotFound(_("There is no such statement"))
        await statements.one(session, paper_id)
        return await _sheet(session, paper_id)


async def _sheet(session: AsyncSession, paper_id: UUID) -> Response[str]:
    paper = await issuing.one(session, paper_id)
    name = paper.number.replace(" ", "-").replace("/", "-")
    return Response(
        await statements.sheet(session, paper_id),
        media_type=CSV,
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


async def _form(session: AsyncSession, company_id: UUID) -> Bound[CompanyInput]:
    found = await keeping.one(session, company_id)
    given = {name: getattr(found, name) for name in CompanyInput.__struct_fields__}
    if found.credit_limit is not None:
        given["credit_limit"] = plain(found.credit_limit)
    return blank(CompanyInput, given)


async def _page(
    session: AsyncSession,
    form: Bound[CompanyInput],
    company_id: UUID | None = None,
    status: int = 200,
    *,
    new_member: Bound[MemberInput] | None = None,
    paid: tuple[UUID, Bound[StatementPaidInput]] | None = None,
) -> Page:
    tenant: Tenant = session.info["tenant"]
    found = await keeping.one(session, company_id) if company_id else None
    today = clock.today(tenant.zone)
    return Page(
        "car_hire/desk/company.html",
        {
            "form": form,
            "found": found,
            "members": await keeping.members(session, found.id) if found else (),
            "new_member": new_member or blank(MemberInput),
            "owed": await owing.of_one(session, found, today) if found else owing.NOTHING,
            "statements": await statements.of_company(session, found.id) if found else (),
            "plain": plain,
            "paid_form": paid[1] if paid else None,
            "paid_of": paid[0] if paid else None,
            "today": today,
            "in_currency": lambda amount: Money(amount, tenant.currency),
        },
        status=status,
    )


CONTROLLERS: Final = (Companies, OnAccount)

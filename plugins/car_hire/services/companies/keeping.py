"""Companies and the customers who may hire for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire.models import Booking, Company, CompanyMember, Customer
from plugins.car_hire.schemas_companies import CompanyInput, MemberInput
from plugins.car_hire.services.editing import edit, unique
from plugins.car_hire.services.papers.content import Party, address

_KEYS: Final = {
    "uq_car_hire_companies_tax_number": ("tax_number", _("Another company has this tax number"))
}
MOST: Final = 500
"""Companies that a page shows; a small firm has dozens."""


async def add(session: AsyncSession, given: CompanyInput) -> Company:
    """A company from now on hires on account.

    Raises:
        Invalid: another one has its tax number.
    """
    tenant: Tenant = session.info["tenant"]
    made = Company(id=new_id(), version=1, currency=tenant.currency, **_values(given))
    async with unique(session, _KEYS):
        session.add(made)
    told = {"name": made.name}
    await audit.record(session, "car_hire.company_added", "car_hire.company", made.id, told)
    return made


async def change(
    session: AsyncSession, company_id: UUID, given: CompanyInput, expected: int | None = None
) -> Company:
    """Change what is agreed with it; statements that were issued stay.

    Raises:
        NotFound: there is none.
        Invalid: another one has its tax number.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await locked(session, company_id)
    edit(found, expected)
    async with unique(session, _KEYS):
        for name, value in _values(given).items():
            setattr(found, name, value)
    told = {"name": found.name}
    await audit.record(session, "car_hire.company_changed", "car_hire.company", company_id, told)
    return found


def _values(given: CompanyInput) -> dict[str, object]:
    return {name: getattr(given, name) for name in CompanyInput.__struct_fields__}


async def one(session: AsyncSession, company_id: UUID) -> Company:
    """One company.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Company, company_id)
    if found is None:
        raise NotFound(_("There is no such company"))
    return found


async def locked(session: AsyncSession, company_id: UUID) -> Company:
    """One company, whose account nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Company, company_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such company"))
    return found


async def every(session: AsyncSession) -> Sequence[Company]:
    """All of them, by name."""
    query = select(Company).order_by(func.lower(Company.name)).limit(MOST)
    return (await session.scalars(query)).all()


async def of_customer(session: AsyncSession, customer_id: UUID) -> Company | None:
    """For whom a customer hires, if for anybody."""
    query = (
        select(Company)
        .join(CompanyMember, CompanyMember.company_id == Company.id)
        .where(CompanyMember.customer_id == customer_id)
    )
    found: Company | None = await session.scalar(query)
    return found


async def members(
    session: AsyncSession, company_id: UUID
) -> Sequence[tuple[CompanyMember, Customer]]:
    """Who hires for a company, by name."""
    query = (
        select(CompanyMember, Customer)
        .join(Customer, Customer.id == CompanyMember.customer_id)
        .where(CompanyMember.company_id == company_id)
        .order_by(func.lower(Customer.name))
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def put_member(session: AsyncSession, company_id: UUID, given: MemberInput) -> None:
    """Let a customer hire for a company, and no longer for another.

    Raises:
        NotFound: there is no such company.
        Invalid: nobody, or several people, have this e-mail address.
    """
    await one(session, company_id)
    query = select(Customer.id).where(func.lower(Customer.email) == given.email.lower())
    ids = (await session.scalars(query.limit(2))).all()
    if len(ids) != 1:
        text = (
            _("Several customers have this address; change it on the page of one")
            if ids
            else _("No customer has this address; write them down first")
        )
        raise Invalid(text, field="email")
    values = {"company_id": company_id, "sees_statements": given.sees_statements}
    made = insert(CompanyMember).values(customer_id=ids[0], added_at=clock.now(), **values)
    await session.execute(
        made.on_conflict_do_update(index_elements=[CompanyMember.customer_id], set_=values)
    )
    told = {"customer_id": str(ids[0])}
    await audit.record(session, "car_hire.company_member", "car_hire.company", company_id, told)


async def remove_member(session: AsyncSession, company_id: UUID, customer_id: UUID) -> None:
    """A customer hires for themselves again; one who is no member is passed over."""
    await session.execute(
        delete(CompanyMember).where(
            CompanyMember.company_id == company_id, CompanyMember.customer_id == customer_id
        )
    )
    told = {"customer_id": str(customer_id)}
    await audit.record(session, "car_hire.company_left", "car_hire.company", company_id, told)


async def party(session: AsyncSession, company_id: UUID) -> Party:
    """A company as the buyer on a paper."""
    found = await one(session, company_id)
    return Party(
        name=found.name, tax_number=found.tax_number, address=address(found.billing_address)
    )


async def deposit(session: AsyncSession, booking: Booking, usual: Decimal) -> Decimal:
    """What is reserved when the car leaves: a company may be trusted without."""
    if booking.company_id is None:
        return usual
    company = await one(session, booking.company_id)
    return usual if company.deposit == "usual" else Decimal(0)

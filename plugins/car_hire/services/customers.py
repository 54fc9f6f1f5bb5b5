"""The people who hire, written down at the desk or by themselves."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth.identity import Identity
from core.errors import FieldError, NotFound
from core.i18n import _, locale
from core.scope import Tenant
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Customer
from plugins.car_hire.schemas import BillingInput, CustomerInput, LicenceInput
from plugins.car_hire.services import checks
from plugins.car_hire.services.editing import edit

PAGE_SIZE = 50
SECRET = frozenset({"licence_number", "licence_expires", "born"})
"""Fields whose values the audit log must not hold."""


def called(text: str) -> ColumnElement[bool]:
    """Whose name or e-mail address has ``text`` in it, with its accents or without."""
    parts = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(each for each in parts if not unicodedata.combining(each))
    return Customer.sought.contains(plain, autoescape=True)


async def page(
    session: AsyncSession, *, text: str = "", before: UUID | None = None
) -> Sequence[Customer]:
    """A page of customers, newest first, one more than fits; ``text`` is part of name or e-mail."""
    query = select(Customer).order_by(Customer.id.desc()).limit(PAGE_SIZE + 1)
    if text:
        query = query.where(or_(called(text), Customer.phone.contains(text, autoescape=True)))
    if before:
        query = query.where(Customer.id < before)
    return (await session.scalars(query)).all()


async def offered(session: AsyncSession, named: str) -> Sequence[Customer]:
    """Whom a form lets one choose: the newest, and before them the one ``named`` by its id."""
    newest = await page(session)
    try:
        wanted = UUID(named)
    except ValueError:
        return newest
    if wanted in {each.id for each in newest}:
        return newest
    found = await session.get(Customer, wanted)
    return [found, *newest] if found else newest


async def one(session: AsyncSession, customer_id: UUID) -> Customer:
    """One customer.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Customer, customer_id)
    if found is None:
        raise NotFound(_("There is no such customer"))
    return found


async def of_user(session: AsyncSession, user_id: UUID) -> Customer | None:
    """The customer behind a sign-in, if that person has told us of their licence."""
    return await session.scalar(select(Customer).where(Customer.user_id == user_id))


async def add(session: AsyncSession, given: CustomerInput) -> Customer:
    """Write a customer down at the desk.

    Raises:
        Invalid: naming the fields at fault.
    """
    return await _add(session, _values(session, given), None)


async def register(session: AsyncSession, person: Identity, given: LicenceInput) -> Customer:
    """Note the licence of somebody who is signed in, or change what they told us before.

    Raises:
        Invalid: naming the fields at fault.
    """
    values = _values(session, given) | {"locale": locale()}
    query = select(Customer).where(Customer.user_id == person.user_id).with_for_update()
    known = await session.scalar(query)
    if known is None:
        told = values | {"name": person.name, "email": person.email}
        try:
            async with session.begin_nested():
                return await _add(session, told, person)
        except IntegrityError as problem:  # the second send of a double click
            if "uq_car_hire_customers_user_id" not in str(problem.orig):
                raise
            known = (await session.scalars(query)).one()
    known.version += 1
    return await _change(session, known, values)


async def bill_to(session: AsyncSession, person: Identity, given: BillingInput) -> Customer:
    """Note who stands on a customer's invoices.

    Raises:
        NotNow: they have not told us of their licence yet, which makes a customer.
    """
    query = select(Customer).where(Customer.user_id == person.user_id).with_for_update()
    known = await session.scalar(query)
    if known is None:
        raise NotNow(_("Tell us of your driving licence first"))
    known.version += 1
    fields = given.__struct_fields__
    return await _change(session, known, {field: getattr(given, field) for field in fields})


async def change(
    session: AsyncSession, customer_id: UUID, given: CustomerInput, expected: int | None
) -> Customer:
    """Change what is written of a customer.

    Raises:
        EditedMeanwhile: it changed since version ``expected``.
        Invalid: naming the fields at fault.
    """
    found = await session.get(Customer, customer_id, with_for_update=True)
    if found is None:
        raise NotFound(_("There is no such customer"))
    edit(found, expected)
    return await _change(session, found, _values(session, given))


async def _add(session: AsyncSession, values: dict[str, Any], person: Identity | None) -> Customer:
    made = Customer(user_id=person.user_id if person else None, **values)
    session.add(made)
    await session.flush()
    await audit.record(session, "car_hire.customer_added", "car_hire.customer", made.id)
    return made


async def _change(session: AsyncSession, found: Customer, values: dict[str, Any]) -> Customer:
    changed = sorted(field for field, value in values.items() if getattr(found, field) != value)
    for field in changed:
        setattr(found, field, values[field])
    await session.flush()
    await audit.record(
        session, "car_hire.customer_changed", "car_hire.customer", found.id, {"fields": changed}
    )
    return found


def _values(session: AsyncSession, given: LicenceInput) -> dict[str, Any]:
    tenant: Tenant = session.info["tenant"]
    today = clock.today(tenant.zone)
    checks.refuse(
        [
            checks.email(given.email) if isinstance(given, CustomerInput) else None,
            checks.country("licence_country", given.licence_country),
            _born(given.born, today),
            _expires(given.licence_expires, today),
        ]
    )
    # A form may hold more than what is kept of a customer, such as what is agreed to.
    kept = (field for field in given.__struct_fields__ if hasattr(Customer, field))
    return {field: getattr(given, field) for field in kept}


def _born(born: date, today: date) -> FieldError | None:
    if not 16 <= checks.age(born, today) <= 120:
        return FieldError("born", _("Enter the date of birth of a driver"))
    return None


def _expires(expires: date, today: date) -> FieldError | None:
    if expires < today:
        return FieldError("licence_expires", _("This licence has expired"))
    if expires.year > today.year + 100:
        return FieldError("licence_expires", _("No licence lasts that long"))
    return None

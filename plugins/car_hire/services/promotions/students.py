"""Students: a discount of the price list, for who is known as one on the day of the pick-up.

Customers say so; the desk looks at a card, or an address of a school that they have confirmed says
it for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, notifications
from core.audit import services as audit
from core.auth import identity
from core.auth.models import User
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire import notices, policy
from plugins.car_hire.models import Customer, Quote
from plugins.car_hire.schemas_promotions import STUDENT, PriceChoices, StudentInput
from plugins.car_hire.services import pricing
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.prices import current

SUBJECT: Final = "car_hire.customer"
TEXTS: Final = {"en": "Students pay less", "pt": "Desconto de estudante"}
BY_MAIL: Final = timedelta(days=365)
"""For how long an address of a school makes its owner a student."""
FURTHEST: Final = timedelta(days=6 * 365)


class NotVerified(Conflict):
    """Nobody has seen yet that the customer is a student on the day of the pick-up."""

    code = "car_hire.student_not_verified"
    title = _(
        "We have not seen yet that you are a student. We were told, and look at it: show us your"
        " card, or register with your school's address. Or go on without the discount now"
    )


async def share(session: AsyncSession) -> pricing.Discount | None:
    """What students pay less by the list that counts; None where they do not."""
    counting = await current.counting(session)
    house = current.house_of(counting) if counting else current.NOTHING
    if not house.student_share:
        return None
    return pricing.Discount(code=STUDENT, texts=TEXTS, share=house.student_share, combines=True)


async def discount(session: AsyncSession) -> pricing.Discount:
    """The students' discount.

    Raises:
        Invalid: students pay what all pay.
    """
    found = await share(session)
    if found is None:
        raise Invalid(_("There is no discount for students now"), field=STUDENT)
    return found


def is_known(session: AsyncSession, customer: Customer, starts_at: datetime) -> bool:
    """Whether the customer is known as a student on the day of a pick-up."""
    tenant: Tenant = session.info["tenant"]
    until = customer.student_until
    return until is not None and clock.local(starts_at, tenant.zone).date() <= until


async def truly(
    session: AsyncSession, choices: PriceChoices, customer: Customer, starts_at: datetime
) -> PriceChoices:
    """The choices of somebody of whom is known whether they are a student; who says so and is not
    known yet is noted for the desk.

    Raises:
        NotVerified: they say so, and nobody has seen it yet.
    """
    if choices.student and not is_known(session, customer, starts_at):
        await _by_address(session, customer)
    if is_known(session, customer, starts_at):
        wanted = choices.student or await share(session) is not None
        return msgspec.structs.replace(choices, student=wanted)
    if choices.student:
        await _ask_desk(session, customer)
        raise NotVerified(field=STUDENT)
    return choices


def check(session: AsyncSession, quote: Quote, customer: Customer) -> None:
    """Let pass a price for a student, if the customer is known as one.

    Raises:
        NotVerified: they are not.
    """
    codes = [each["code"] for each in quote.asked.get("discounts") or ()]
    if STUDENT in codes and not is_known(session, customer, quote.starts_at):
        raise NotVerified(field=STUDENT)


async def waiting(session: AsyncSession) -> int:
    """How many customers the desk is to look at."""
    asked = select(func.count()).where(Customer.student_asked_at.is_not(None))
    return await session.scalar(asked) or 0


async def listed(session: AsyncSession) -> Sequence[Customer]:
    """The first hundred of them, in the order in which they asked."""
    query = select(Customer).where(Customer.student_asked_at.is_not(None))
    return (await session.scalars(query.order_by(Customer.id).limit(100))).all()


async def verify(session: AsyncSession, customer_id: UUID, given: StudentInput) -> Customer:
    """The desk has seen that a customer is a student.

    Raises:
        Invalid: the day has passed, or is too far ahead.
        NotFound: there is no such customer.
    """
    tenant: Tenant = session.info["tenant"]
    today = clock.today(tenant.zone)
    if not today <= given.until <= today + FURTHEST:
        text = _("Choose a day between today and six years ahead")
        raise Invalid(text, field="until")
    customer = await _locked(session, customer_id)
    customer.student_until, customer.student_asked_at = given.until, None
    await session.flush()
    detail = {"until": given.until.isoformat(), "seen": given.seen}
    await audit.record(session, "car_hire.student_verified", SUBJECT, customer.id, detail)
    await _tell(session, customer)
    return customer


async def refuse(session: AsyncSession, customer_id: UUID) -> Customer:
    """A customer is no student, or no longer.

    Raises:
        NotFound: there is no such customer.
    """
    customer = await _locked(session, customer_id)
    customer.student_until = customer.student_asked_at = None
    await session.flush()
    await audit.record(session, "car_hire.student_refused", SUBJECT, customer.id)
    return customer


async def _locked(session: AsyncSession, customer_id: UUID) -> Customer:
    found = await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such customer"))
    edit(found, None)
    return found


async def _by_address(session: AsyncSession, customer: Customer) -> None:
    """Who has confirmed an address of a school is a student; what was typed is no proof."""
    rules = await policy.read(session)
    domains = [each.strip().lower().lstrip("@.") for each in rules.student_domains.split("\n")]
    confirmed = select(User.email).where(
        User.id == customer.user_id, User.email_confirmed_at.is_not(None)
    )
    address = await session.scalar(confirmed) if any(domains) else None
    host = (address or "").rpartition("@")[2].lower()
    if not any(each and (host == each or host.endswith(f".{each}")) for each in domains):
        return
    tenant: Tenant = session.info["tenant"]
    edit(customer, None)
    customer.student_until = clock.today(tenant.zone) + BY_MAIL
    customer.student_asked_at = None
    await session.flush()
    detail = {"until": customer.student_until.isoformat(), "seen": "address"}
    await audit.record(session, "car_hire.student_verified", SUBJECT, customer.id, detail)


async def _ask_desk(session: AsyncSession, customer: Customer) -> None:
    if customer.student_asked_at is not None:
        return
    customer.student_asked_at = clock.now()
    await session.flush()
    link = f"/car-hire/desk/customers/{customer.id}"
    await notifications.notify(
        session, notices.STUDENT, subject=(SUBJECT, customer.id), link=link, name=customer.name
    )


async def _tell(session: AsyncSession, customer: Customer) -> None:
    doer = identity.current()
    until = customer.student_until
    if until is None or customer.user_id is None:
        return
    if doer is not None and doer.user_id == customer.user_id:
        return
    await notifications.notify(
        session,
        notices.OWN_STUDENT,
        to=[customer.user_id],
        subject=(SUBJECT, customer.id),
        link="/car-hire",
        until=until,
    )

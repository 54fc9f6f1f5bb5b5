"""Statements: on the first of a month, of all papers before it that stand on none yet.

Its number has no gap, as every paper's; what it is issued for is a company and a month, and the
papers are marked in the same transaction: a job that comes ten times makes one. Where credit notes
come to more than invoices nothing is asked, and the rest is an entry for the next statement.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _, fill, gettext, reading_in
from core.money import Money
from core.payments.models import Payment
from core.payments.services import by_hand
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import AccountEntry, Booking, Company, Customer, Paper, Statement
from plugins.car_hire.services import checks
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.companies import account, keeping
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.papers import invoices, issuing
from plugins.car_hire.services.papers.content import Content, Paid, address, plain

STATE = "car_hire.state_company"
"""The job that makes one company's statement of one month."""
SUBJECT = "car_hire.statement"


async def ask_for_all(session: AsyncSession, today: date | None = None) -> None:
    """Have the statement of last month made for each company that has something on it."""
    tenant: Tenant = session.info["tenant"]
    first = (today or clock.today(tenant.zone)).replace(day=1)
    waiting = select(AccountEntry.company_id).where(
        AccountEntry.statement_id.is_(None), AccountEntry.issued_on < first
    )
    for company_id in (await session.scalars(waiting.distinct())).all():
        told = {"company_id": company_id, "before": first}
        await jobs.put(session, STATE, told, key=f"state:{company_id}:{first}")


async def state(session: AsyncSession, company_id: UUID, before: date) -> Statement | None:
    """Make a company's statement of what was invoiced ``before`` the first of a month; once.

    None where there is nothing to state, or only what was carried forward to it.

    Raises:
        SellerUnknown: the business has not said who it is.
    """
    company = await keeping.locked(session, company_id)
    month = (before - timedelta(days=1)).replace(day=1)
    known = select(Statement).where(Statement.company_id == company_id, Statement.month == month)
    if (found := await session.scalar(known)) is not None:
        return found
    rows = await _waiting(session, company_id, before)
    if all(paper.kind == "statement" for _entry, paper, *_rest in rows):
        return None
    tenant: Tenant = session.info["tenant"]
    due_on = clock.today(tenant.zone) + timedelta(days=company.terms_days)
    with reading_in(tenant.locale):
        content = await _content(session, company, rows, due_on)
    key = f"statement:{company_id}:{month:%Y-%m}"
    paper = await issuing.issue(session, "statement", content, key=key)
    made = Statement(
        paper_id=paper.id, version=1, company_id=company_id, month=month, due_on=due_on,
        currency=company.currency, amount=paper.gross, paid=Decimal(0),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    for entry, *_rest in rows:
        entry.statement_id = paper.id
    await session.flush()
    if (short := _sum(rows)) < 0:
        await account.enter(session, company_id, paper, short)
    return made


Row = tuple[AccountEntry, Paper, Booking | None, str]
"""An entry with its paper, and of a hire its booking and who drove."""


def _sum(rows: Sequence[Row]) -> Decimal:
    return sum((entry.amount for entry, *_rest in rows), Decimal(0))


async def _waiting(session: AsyncSession, company_id: UUID, before: date) -> list[Row]:
    return await _rows(
        session,
        AccountEntry.company_id == company_id,
        AccountEntry.statement_id.is_(None),
        AccountEntry.issued_on < before,
    )


async def entries(session: AsyncSession, paper_id: UUID) -> list[Row]:
    """What stands on a statement."""
    return await _rows(session, AccountEntry.statement_id == paper_id)


async def _rows(session: AsyncSession, *which: object) -> list[Row]:
    query = (
        select(AccountEntry, Paper, Booking, func.coalesce(Customer.name, ""))
        .join(Paper, Paper.id == AccountEntry.paper_id)
        .outerjoin(Booking, Booking.id == Paper.booking_id)
        .outerjoin(Customer, Customer.id == Booking.customer_id)
        .where(*which)  # type: ignore[arg-type]  # conditions
        .order_by(AccountEntry.issued_on, Paper.id)
        .execution_options(**WHOLE)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(query)]


def _what(paper: Paper) -> str:
    """For what a paper is, in the words of whoever is reading."""
    if paper.kind == "statement":
        return gettext("Brought forward")
    about = issuing.content_of(paper).refers_to
    if about is not None:
        return gettext("Credit to %(number)s") % {"number": about.number}
    rules = (each.rule for each in issuing.content_of(paper).lines)
    return str(next((invoices.FEES[rule] for rule in rules if rule in invoices.FEES), _("Hire")))


async def _content(
    session: AsyncSession, company: Company, rows: Sequence[Row], due_on: date
) -> Content:
    house = await policy.read(session)
    entries = [_entry(*each) for each in rows]
    asked = _sum(rows)
    if asked < 0:
        text = gettext("Carried forward to the next statement")
        entries.append(Paid(text=text, amount=plain(-asked)))
        asked = Decimal(0)
    return Content(
        currency=company.currency,
        seller=await issuing.seller(session),
        buyer=await keeping.party(session, company.id),
        lines=(),
        entries=tuple(entries),
        owed=plain(asked),
        due_on=due_on if asked else None,
        notes=address(house.paper_note),
    )


def _entry(entry: AccountEntry, paper: Paper, booking: Booking | None, name: str) -> Paid:
    told = [paper.number, _what(paper), *([booking.number, name] if booking else ())]
    return Paid(text=" · ".join(told), on=paper.issued_on, amount=plain(entry.amount))


async def of_company(session: AsyncSession, company_id: UUID) -> Sequence[tuple[Statement, Paper]]:
    """A company's statements, newest first."""
    query = (
        select(Statement, Paper)
        .join(Paper, Paper.id == Statement.paper_id)
        .where(Statement.company_id == company_id)
        .order_by(Statement.month.desc())
        .limit(60)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def one(session: AsyncSession, paper_id: UUID) -> Statement:
    """The statement of a paper.

    Raises:
        NotFound: the paper is none.
    """
    found = await session.get(Statement, paper_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such statement"))
    return found


async def received(
    session: AsyncSession, paper_id: UUID, amount: Decimal, expected: int
) -> Statement:
    """A transfer came for a statement: all of it, or a part.

    ``expected`` is the version that the clerk saw: the same transfer noted twice has one effect.

    Raises:
        NotFound: there is no such statement.
        Invalid: it is more than is left.
        EditedMeanwhile: something was noted of it since.
    """
    found = await one(session, paper_id)
    paper = await issuing.one(session, paper_id)
    edit(found, expected)
    checks.coins(amount, found.currency)
    if amount > found.left.amount:
        text = fill(_("Only {amount} of it is left to be paid."), amount=found.left)
        raise Invalid(text, field="amount")
    payment: Payment = await by_hand.received(
        session,
        subject_type=SUBJECT,
        subject_id=paper_id,
        purpose=f"part.{expected}",
        amount=Money(amount, found.currency),
        method="transfer",
        description=gettext("Statement %(number)s") % {"number": paper.number},
    )
    found.paid += amount
    await session.flush()
    told = {"number": paper.number, "amount": str(amount), "payment_id": str(payment.id)}
    await audit.record(session, "car_hire.statement_paid", "car_hire.paper", paper_id, told)
    return found


async def sheet(session: AsyncSession, paper_id: UUID) -> str:
    """A statement as CSV: a row for each paper, as the company's accountant enters it."""
    tenant: Tenant = session.info["tenant"]
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow(
        [gettext("Invoice"), gettext("Day"), gettext("What"), gettext("Booking"), gettext("Driver"),
         gettext("From"), gettext("To"), gettext("Net"), gettext("Tax"), gettext("With tax"),
         gettext("Currency")]
    )  # fmt: skip
    for each in await entries(session, paper_id):
        out.writerow(_cells(tenant.zone, *each))
    return "\ufeff" + written.getvalue()


def _cells(
    zone: str, entry: AccountEntry, paper: Paper, booking: Booking | None, name: str
) -> list[object]:
    """Days are those of ``zone``. What was brought forward has its amount alone; credit notes are
    below zero."""
    plain_name = f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t", "\r"} else name
    sign = -1 if paper.kind == "credit_note" else 1
    about = (
        [booking.number, plain_name,
         *(clock.local(each, zone).date() for each in (booking.starts_at, booking.ends_at)),
         plain(sign * paper.net), plain(sign * paper.tax)]
        if booking else [""] * 6
    )  # fmt: skip
    first = [paper.number, paper.issued_on, _what(paper)]
    return [*first, *about, plain(entry.amount), paper.currency]

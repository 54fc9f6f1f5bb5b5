"""Finding papers: for the desk, for the accountant, and for whom they belong to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import gettext
from plugins.car_hire.models import (
    PAPER_KINDS,
    CompanyMember,
    Customer,
    Paper,
    PaperFile,
    Statement,
)
from plugins.car_hire.services.papers.issuing import content_of

PAGE_SIZE: Final = 50
LARGEST_SHEET: Final = 20_000
"""Papers of one file for the accountant; a longer time is fetched in parts."""

Listed = Row[Paper, UUID | None]
"""A paper, and its file once that is drawn."""


def listed() -> Select[Paper, UUID | None]:
    """Papers with their files."""
    return select(Paper, PaperFile.file_id).outerjoin(PaperFile, PaperFile.paper_id == Paper.id)


def found(
    *, text: str = "", kind: str = "", since: date | None = None, until: date | None = None
) -> Select[Paper, UUID | None]:
    """Papers by what is searched for: a beginning of the number, or a part of the buyer's name."""
    query = listed()
    if text:
        query = query.where(
            or_(
                Paper.number.startswith(text.upper(), autoescape=True),
                func.lower(Paper.buyer).contains(text.lower(), autoescape=True),
            )
        )
    if kind in PAPER_KINDS:
        query = query.where(Paper.kind == kind)
    if since:
        query = query.where(Paper.issued_on >= since)
    if until:
        query = query.where(Paper.issued_on <= until)
    return query


async def page(
    session: AsyncSession, query: Select[Paper, UUID | None], before: UUID | None = None
) -> Sequence[Listed]:
    """A page of papers, newest first, one more than fits."""
    query = query.order_by(Paper.id.desc()).limit(PAGE_SIZE + 1)
    if before:
        query = query.where(Paper.id < before)
    return (await session.execute(query)).all()


async def of_booking(session: AsyncSession, booking_id: UUID) -> Sequence[Listed]:
    """The papers of a booking, the oldest first."""
    query = listed().where(Paper.booking_id == booking_id).order_by(Paper.id)
    return (await session.execute(query)).all()


def of_user(user_id: UUID) -> Select[Paper, UUID | None]:
    """The papers of whoever signs in so, and the statements of a company that they may see."""
    own = select(Customer.id).where(Customer.user_id == user_id)
    stated = (
        select(Statement.paper_id)
        .join(CompanyMember, CompanyMember.company_id == Statement.company_id)
        .where(CompanyMember.customer_id.in_(own), CompanyMember.sees_statements)
    )
    return listed().where(or_(Paper.customer_id.in_(own), Paper.id.in_(stated)))


async def about(session: AsyncSession, paper: Paper) -> Sequence[Paper]:
    """The papers that refer to one, the oldest first."""
    query = select(Paper).where(Paper.refers_to == paper.id).order_by(Paper.id)
    return (await session.scalars(query)).all()


async def file_of(session: AsyncSession, paper_id: UUID) -> PaperFile | None:
    """The file of a paper, once it is drawn."""
    return await session.get(PaperFile, paper_id)


async def belongs(session: AsyncSession, file_id: UUID, user_id: UUID) -> bool:
    """Whether a file is a paper of a customer's own."""
    query = of_user(user_id).where(PaperFile.file_id == file_id).limit(1)
    return (await session.execute(query)).first() is not None


async def is_own(session: AsyncSession, paper_id: UUID, user_id: UUID) -> bool:
    """Whether a paper is a customer's own, or their company's."""
    query = of_user(user_id).where(Paper.id == paper_id).limit(1)
    return (await session.execute(query)).first() is not None


async def sheet(session: AsyncSession, query: Select[Paper, UUID | None]) -> str:
    """Papers as CSV, a row for each rate of tax, as accountants enter them; oldest first.

    Credit notes are below zero here, so that a column sums up to what was sold.
    """
    papers = await session.scalars(
        query.with_only_columns(Paper).order_by(Paper.id).limit(LARGEST_SHEET)
    )
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(
        [gettext("Number"), gettext("Kind"), gettext("Day"), gettext("Buyer"),
         gettext("Tax number"), gettext("Tax rate"), gettext("Net"), gettext("Tax"),
         gettext("With tax"), gettext("Currency"), gettext("Refers to")]
    )  # fmt: skip
    for paper in papers:
        sheet.writerows(_rows(paper))
    return "\ufeff" + written.getvalue()  # by which spreadsheets know that it is UTF-8


def _rows(paper: Paper) -> Iterable[list[str]]:
    content = content_of(paper)
    sign = -1 if paper.kind == "credit_note" else 1
    first = [paper.number, str(PAPER_KINDS[paper.kind]), paper.issued_on.isoformat()]
    first += [_plain(content.buyer.name), _plain(content.buyer.tax_number)]
    about = content.refers_to.number if content.refers_to else ""
    for each in content.taxes():
        sums = [str(sign * amount) for amount in (each.net, each.tax, each.gross)]
        yield [*first, str(each.rate), *sums, paper.currency, about]


def _plain(text: str) -> str:
    """As text: a spreadsheet would compute what begins so."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text

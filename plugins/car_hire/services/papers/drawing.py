"""The PDF of a paper: drawn by a job, kept with its mark, and sent to whom it is for."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, mail
from core.db import outside
from core.documents import drawing
from core.documents.letterhead import letterhead
from core.money import Money
from core.storage import services as storage
from plugins.car_hire.models import PAPER_KINDS, Company, Customer, Paper, PaperFile, Statement
from plugins.car_hire.services.papers import issuing
from plugins.car_hire.services.papers.sheets import sheet_of

AREA = "car_hire.papers"
"""Where the files are, and who may read them (``plugin.py``)."""


async def draw(session: AsyncSession, paper_id: UUID) -> None:
    """Draw a paper that was issued, keep the file, and send it. However often it is asked for and
    whenever a worker dies in between, there is one file and one letter.

    Raises:
        StorageAway, ComputationFailed: to be tried again.
    """
    paper = await issuing.one(session, paper_id)
    if await session.get(PaperFile, paper_id) is not None:
        return
    sheet = sheet_of(paper, await letterhead(session))
    drawn = await outside(session, lambda: drawing.pdf(sheet))
    name = f"{paper.number.replace(' ', '-').replace('/', '-')}.pdf"
    file = await storage.keep(session, AREA, name, drawn)
    first = await session.scalar(
        insert(PaperFile)
        .values(paper_id=paper_id, file_id=file.id, sha256=file.sha256, drawn_at=clock.now())
        .on_conflict_do_nothing(index_elements=[PaperFile.paper_id])
        .returning(PaperFile.file_id)
    )
    if first is None:  # another delivery of the same job was faster
        await storage.discard(session, file.id)
        return
    await _send(session, paper, file.id)


async def _send(session: AsyncSession, paper: Paper, file_id: UUID) -> None:
    reader = await _reader(session, paper)
    if reader is None:
        return
    name, email, locale = reader
    await mail.send(
        session,
        "car_hire/mail/paper",
        email,
        context={
            "name": name,
            "kind": PAPER_KINDS[paper.kind],
            "paper": paper,
            "total": paper.total,
            "owed": Money(issuing.content_of(paper).owed or Decimal(0), paper.currency),
        },
        locale=locale,
        key=f"car_hire/mail/paper:{paper.id}",
        attached=[file_id],
    )


async def _reader(session: AsyncSession, paper: Paper) -> tuple[str, str, str | None] | None:
    """Name, address and language of whom a paper is sent to: a statement goes to the company."""
    if paper.kind == "statement":
        to = select(Company).join(Statement, Statement.company_id == Company.id)
        company = await session.scalar(to.where(Statement.paper_id == paper.id))
        return None if company is None else (company.contact_name, company.contact_email, None)
    customer = await session.get(Customer, paper.customer_id) if paper.customer_id else None
    if customer is None or customer.email.endswith("@erased.invalid"):
        return None
    return customer.name, customer.email, customer.locale

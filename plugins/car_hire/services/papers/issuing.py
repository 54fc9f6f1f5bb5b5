"""Give a paper its number: one after the other, none left out, none twice."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.audit import services as audit
from core.auth import identity
from core.errors import Conflict, NotFound
from core.i18n import _
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Customer, Paper, PaperSeries
from plugins.car_hire.services import emitting
from plugins.car_hire.services.papers.content import Content, Party, address, plain

DRAW: Final = "car_hire.draw_paper"
"""The job that makes the PDF of a paper, and sends it."""


class SellerUnknown(Conflict):
    """A paper without the seller's legal name and tax number is none."""

    code = "car_hire.seller_unknown"
    title = _("Enter the legal name and tax number of the business in the settings first")


async def issue(
    session: AsyncSession,
    kind: str,
    content: Content,
    *,
    key: str,
    customer_id: UUID | None = None,
    booking_id: UUID | None = None,
    refers_to: UUID | None = None,
) -> Paper:
    """Issue a paper of ``kind``; asked again with the same ``key``, it answers with the first.

    The row of the series is locked until the transaction ends: nobody has the next number before
    this one is there for good, and where it is undone its number was never given. So it is called
    last, when everything else of the transaction is decided. A job draws it.

    Raises:
        SellerUnknown: the business has not said who it is.
    """
    rules = await policy.read(session)
    if not (content.seller.name and content.seller.tax_number):
        raise SellerUnknown
    tenant: Tenant = session.info["tenant"]
    now = clock.now()
    prefix = getattr(rules, f"{kind}_prefix")
    series = f"{prefix} {clock.local(now, tenant.zone).year}"
    last, issued_at = await _lock(session, series, now)
    if (known := await of_key(session, key)) is not None:
        return known
    await _count(session, series, last + 1)
    person = identity.current()
    made = Paper(
        id=new_id(),
        kind=kind,
        series=series,
        sequence=last + 1,
        number=f"{series}/{last + 1}",
        key=key,
        issued_at=issued_at,
        issued_on=clock.local(issued_at, tenant.zone).date(),
        issued_by=person.user_id if person else None,
        locale=tenant.locale,
        buyer=content.buyer.name,
        currency=content.currency,
        net=content.net.amount,
        tax=content.tax.amount,
        gross=content.gross.amount,
        customer_id=customer_id,
        booking_id=booking_id,
        refers_to=refers_to,
        content=msgspec.to_builtins(content),
    )
    session.add(made)
    await session.flush()
    told = {"number": made.number, "gross": str(plain(made.gross)), "currency": made.currency}
    await audit.record(session, f"car_hire.{kind}_issued", "car_hire.paper", made.id, told)
    await emitting.issued(session, made)
    await jobs.put(session, DRAW, {"paper_id": made.id}, key=f"draw:{made.id}")
    return made


async def _lock(session: AsyncSession, series: str, now: datetime) -> tuple[int, datetime]:
    """The last number of the series, begun if need be, and when the next paper is issued."""
    given = insert(PaperSeries).values(name=series, last=0, issued_at=now)
    later = func.greatest(PaperSeries.issued_at, now)
    locked = given.on_conflict_do_update(
        index_elements=[PaperSeries.name], set_={"issued_at": later}
    ).returning(PaperSeries.last, PaperSeries.issued_at)
    last, issued_at = (await session.execute(locked)).one()
    return last, issued_at


async def _count(session: AsyncSession, series: str, last: int) -> None:
    row = await session.get_one(PaperSeries, series, populate_existing=True)
    row.last = last


async def of_key(session: AsyncSession, key: str) -> Paper | None:
    """The paper that was issued for something, if one was."""
    return await session.scalar(select(Paper).where(Paper.key == key))


async def one(session: AsyncSession, paper_id: UUID) -> Paper:
    """One paper.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Paper, paper_id)
    if found is None:
        raise NotFound(_("There is no such paper"))
    return found


def content_of(paper: Paper) -> Content:
    """What is printed on it."""
    return msgspec.convert(paper.content, Content)


async def seller(session: AsyncSession) -> Party:
    """Who sells: the business as its settings say.

    Raises:
        SellerUnknown: they do not.
    """
    rules = await policy.read(session)
    if not rules.issues_papers:
        raise SellerUnknown
    return Party(
        name=rules.legal_name,
        tax_number=rules.seller_tax_number,
        address=address(rules.seller_address),
        more=address(rules.seller_more),
    )


def buyer(customer: Customer) -> Party:
    """Who buys: the customer, or whom they named for their invoices."""
    return Party(
        name=customer.billing_name or customer.name,
        tax_number=customer.tax_number,
        address=address(customer.billing_address),
    )

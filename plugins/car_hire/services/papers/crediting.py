"""Credit notes: an invoice is never changed; what is taken off it is a paper of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import FieldError, Invalid, NotFound
from core.i18n import _, fill
from core.money import Money
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Paper
from plugins.car_hire.services.companies import account
from plugins.car_hire.services.papers import issuing
from plugins.car_hire.services.papers.content import Content, Paid, PaperLine, Referred, plain

Plan = Callable[[Paper, Money], Awaitable[tuple[Paid, ...]]]
"""From which payments of an invoice an amount goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A line of an invoice, and how much of it no credit note has taken off yet."""

    position: int
    """From 0, as the invoice has it."""
    line: PaperLine
    net: Decimal
    tax: Decimal


async def left(session: AsyncSession, invoice: Paper) -> list[Left]:
    """What of each line may still be credited."""
    taken = [
        line for note in await notes(session, invoice.id) for line in issuing.content_of(note).lines
    ]
    found = []
    for position, line in enumerate(issuing.content_of(invoice).lines):
        mine = [each for each in taken if each.of == position]
        found.append(
            Left(
                position=position,
                line=line,
                net=line.net - sum((each.net for each in mine), Decimal(0)),
                tax=line.tax - sum((each.tax for each in mine), Decimal(0)),
            )
        )
    return found


async def notes(session: AsyncSession, invoice_id: UUID) -> Sequence[Paper]:
    """The credit notes to an invoice, the oldest first."""
    query = select(Paper).where(Paper.refers_to == invoice_id, Paper.kind == "credit_note")
    return (await session.scalars(query.order_by(Paper.id))).all()


async def credit(
    session: AsyncSession,
    invoice_id: UUID,
    wanted: Mapping[int, Decimal],
    reason: str,
    *,
    key: str,
    back: Plan,
) -> Paper:
    """Take ``wanted`` (net amounts by the position of the line) off an invoice; ``back`` says from
    which payments how much goes back. What is taken off an invoice on account comes off that: the
    next statement says so.

    Invoices are locked one at a time, so that two clerks cannot take off the same amount twice.
    ``key`` names this act: asked for twice under one, it is done once.

    Raises:
        NotFound: there is no such paper.
        NotNow: the paper is no invoice.
        Invalid: nothing is taken off, or more than is left; with the line as ``lines.POSITION``.
    """
    if (known := await issuing.of_key(session, key)) is not None:
        return known
    # Locked by its id: nobody may change the row of a paper, nor lock it.
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(str(invoice_id), 0)))
    )
    invoice = await session.get(Paper, invoice_id)
    if invoice is None:
        raise NotFound(_("There is no such paper"))
    if invoice.kind != "invoice":
        raise NotNow
    rest = await left(session, invoice)
    before = issuing.content_of(invoice)
    lines = _lines(rest, wanted, before.currency)
    content = Content(
        currency=before.currency,
        seller=before.seller,
        buyer=before.buyer,
        facts=before.facts,
        lines=lines,
        refers_to=Referred(number=invoice.number, issued_on=invoice.issued_on),
        reason=reason,
    )
    if content.gross.amount <= 0:
        raise Invalid(_("Enter what is to be taken off."), field="reason")
    content = msgspec.structs.replace(content, payments=await back(invoice, content.gross))
    note = await issuing.issue(
        session,
        "credit_note",
        content,
        key=key,
        customer_id=invoice.customer_id,
        booking_id=invoice.booking_id,
        refers_to=invoice.id,
    )
    if (company_id := await account.of_paper(session, invoice.id)) is not None:
        await account.enter(session, company_id, note, -note.gross)
    return note


def _lines(
    rest: Sequence[Left], wanted: Mapping[int, Decimal], currency: str
) -> tuple[PaperLine, ...]:
    known = {each.position: each for each in rest}
    errors: list[FieldError] = []
    made: list[PaperLine] = []
    for position, net in wanted.items():
        here = known.get(position)
        if here is None or not _fits(net, here.net):
            most = Money(here.net if here else Decimal(0), currency)
            text = fill(_("At most {amount} of this line is left."), amount=most)
            errors.append(FieldError(f"lines.{position}", text))
        elif net:
            made.append(_line(here, net, currency))
    if errors:
        raise Invalid(errors=errors)
    return tuple(made)


def _fits(net: Decimal, most: Decimal) -> bool:
    """A line that takes something off is credited by an amount below zero."""
    return net.is_finite() and (0 <= net <= most or most <= net <= 0)


def _line(here: Left, net: Decimal, currency: str) -> PaperLine:
    """The last of a line takes the last of its tax: together they come to what was invoiced."""
    line = here.line
    tax = here.tax if net == here.net else Money(net * line.tax_rate, currency).rounded().amount
    whole = net == line.net
    return PaperLine(
        text=line.text,
        rule=line.rule,
        quantity=line.quantity if whole else Decimal(1),
        unit_price=line.unit_price if whole else plain(net),
        net=plain(net),
        tax_rate=line.tax_rate,
        tax=plain(tax),
        gross=plain(net + tax),
        of=here.position,
    )

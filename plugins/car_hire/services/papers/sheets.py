"""From a paper's content to a sheet that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent

from core import clock
from core.documents.letterhead import Letterhead
from core.documents.sheet import Block, Facts, Prose, Row, Sheet, Table
from core.i18n import gettext, locale, reading_in
from core.money import Money
from plugins.car_hire.models import PAPER_KINDS, Paper
from plugins.car_hire.services.papers.content import Content, Party
from plugins.car_hire.services.papers.issuing import content_of


def sheet_of(paper: Paper, head: Letterhead) -> Sheet:
    """What is drawn: the same for the same paper and letterhead."""
    content = content_of(paper)
    with reading_in(paper.locale):
        return Sheet(
            title=f"{PAPER_KINDS[paper.kind]} {paper.number}",
            subtitle=gettext("Issued on %(day)s") % {"day": day(paper.issued_on)},
            language=paper.locale,
            business=head.business,
            color=head.color,
            logo=head.logo,
            day=(paper.issued_on.year, paper.issued_on.month, paper.issued_on.day),
            page=gettext("Page {page} of {pages}"),
            address=_letterhead(content.seller),
            footer=f"{content.seller.name} · {paper.number}",
            blocks=tuple(_blocks(content)),
        )


def _letterhead(seller: Party) -> tuple[str, ...]:
    number = gettext("Tax number %(number)s") % {"number": seller.tax_number}
    return (seller.name, number, *seller.address, *seller.more)


def _blocks(content: Content) -> Iterator[Block]:
    yield Facts(tuple(_buyer(content.buyer)), title=gettext("To"))
    if content.refers_to is not None:
        about = {"number": content.refers_to.number, "day": day(content.refers_to.issued_on)}
        pairs = [(gettext("Refers to"), gettext("%(number)s of %(day)s") % about)]
        if content.reason:
            pairs.append((gettext("Reason"), content.reason))
        yield Facts(tuple(pairs))
    if content.facts:
        yield Facts(content.facts, title=gettext("About"))
    if content.lines:
        yield _lines(content)
        yield _taxes(content)
    if content.entries:
        yield _entries(content)
    yield from _payments(content)
    if content.notes:
        yield Prose(content.notes, small=True)


def _buyer(buyer: Party) -> Iterator[tuple[str, str]]:
    yield gettext("Name"), buyer.name
    if buyer.tax_number:
        yield gettext("Tax number"), buyer.tax_number
    for position, line in enumerate(buyer.address):
        yield "" if position else gettext("Address"), line


def _lines(content: Content) -> Table:
    return Table(
        (gettext("What"), gettext("Quantity"), gettext("Price"), gettext("Tax"), gettext("Net")),
        ("left", "right", "right", "right", "right"),
        tuple(
            Row((
                each.text,
                number(each.quantity),
                money(each.unit_price, content),
                percent(each.tax_rate),
                money(each.net, content),
            ))
            for each in content.lines
        ),
    )  # fmt: skip


def _taxes(content: Content) -> Table:
    rows = [
        Row((percent(each.rate), *(money(x, content) for x in (each.net, each.tax, each.gross))))
        for each in content.taxes()
    ]
    sums = (content.net.amount, content.tax.amount, content.gross.amount)
    total = Row((gettext("Total"), *(money(each, content) for each in sums)), strong=True)
    return Table(
        (gettext("Tax rate"), gettext("Net"), gettext("Tax"), gettext("With tax")),
        ("left", "right", "right", "right"),
        (*rows, total),
        title=gettext("Sum"),
    )


def _entries(content: Content) -> Table:
    rows = [
        Row((each.text, day(each.on) if each.on else "", money(each.amount, content)))
        for each in content.entries
    ]
    head = (gettext("Invoice"), gettext("Day"), gettext("Amount"))
    return Table(head, ("left", "left", "right"), tuple(rows), title=gettext("Invoices"))


def _payments(content: Content) -> Iterator[Block]:
    rows = [
        Row((each.text, day(each.on) if each.on else "", money(each.amount, content)))
        for each in content.payments
    ]
    if content.owed is not None and content.owed > 0:
        due = day(content.due_on) if content.due_on else ""
        rows.append(Row((gettext("Still to pay"), due, money(content.owed, content)), strong=True))
    elif content.entries:
        rows.append(Row((gettext("Nothing to pay"), "", money(Decimal(0), content)), strong=True))
    elif rows and content.owed is not None:
        rows.append(Row((gettext("Paid in full"), "", money(Decimal(0), content)), strong=True))
    if rows:
        head = (gettext("Paid by"), gettext("Day"), gettext("Amount"))
        yield Table(head, ("left", "left", "right"), tuple(rows), title=gettext("Payments"))


def money(amount: Decimal, content: Content) -> str:
    """An amount of the paper, as its readers write it."""
    return str(Money(amount, content.currency))


def number(value: Decimal) -> str:
    """A quantity."""
    return format_decimal(value, locale=locale())


def percent(rate: Decimal) -> str:
    """A rate of tax: 23 %, 5.5 %."""
    return format_percent(rate, "#,##0.##%", locale=locale())


def day(value: date) -> str:
    """A day of the calendar, in full figures."""
    return format_date(value, "medium", locale=locale())


def moment(at: datetime, zone: str) -> str:
    """A time as the business's clock shows it, in the reader's language."""
    here = clock.local(at, zone)
    day = format_date(here, "medium", locale=locale())
    return f"{day}, {format_time(here, 'short', locale=locale())}"

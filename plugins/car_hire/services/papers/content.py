"""Everything that is printed on a paper, frozen on the day on which it was issued.

Texts are in the paper's language; amounts are in its currency. It is kept as JSON beside the
number, and the PDF is drawn from it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from core.money import Money, round_to


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something kept with a paper."""


class Party(Kept, frozen=True, kw_only=True):
    """Seller or buyer; ``address`` in lines."""

    name: str
    tax_number: str = ""
    address: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """What else the law wants there: a register, a telephone."""


class PaperLine(Kept, frozen=True, kw_only=True):
    """What is sold. ``rule`` made the line; ``of`` is the line of the invoice that it credits."""

    text: str
    rule: str
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    tax_rate: Decimal
    tax: Decimal
    gross: Decimal
    of: int | None = None


class TaxSum(Kept, frozen=True, kw_only=True):
    """What is taxed at one rate; the rate is a fraction: 0.23 for 23 %."""

    rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


class Paid(Kept, frozen=True, kw_only=True):
    """A payment that was there when the paper was issued; less than zero where it went back."""

    text: str
    on: date | None = None
    amount: Decimal
    payment_id: UUID | None = None
    """Of the ledger; on a credit note, the payment from which it goes back."""


class Referred(Kept, frozen=True, kw_only=True):
    """The paper that this one is about."""

    number: str
    issued_on: date


class Content(Kept, frozen=True, kw_only=True):
    """The whole paper, without its number and day."""

    currency: str
    seller: Party
    buyer: Party
    lines: tuple[PaperLine, ...]
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values: booking, car, from when until when."""
    payments: tuple[Paid, ...] = ()
    entries: tuple[Paid, ...] = ()
    """Of a statement: the invoices that it sums up."""
    owed: Decimal | None = None
    due_on: date | None = None
    refers_to: Referred | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()

    @property
    def net(self) -> Money:
        """Of all lines, before tax; of a receipt, what was paid; of a statement, its invoices."""
        amounts = [each.net for each in self.lines] or [
            each.amount for each in self.entries or self.payments
        ]
        return Money(sum(amounts, Decimal(0)), self.currency)

    @property
    def tax(self) -> Money:
        """Of all lines."""
        return Money(sum((each.tax for each in self.lines), Decimal(0)), self.currency)

    @property
    def gross(self) -> Money:
        """Of all lines, tax included."""
        return self.net + self.tax

    def taxes(self) -> list[TaxSum]:
        """Net, tax and gross by rate, the highest first."""
        return by_rate(self.lines)


def by_rate(lines: Iterable[PaperLine]) -> list[TaxSum]:
    """Lines summed by their rate of tax, the highest first."""
    sums: dict[Decimal, list[PaperLine]] = {}
    for each in lines:
        sums.setdefault(each.tax_rate.normalize(), []).append(each)
    return [_summed(rate, sums[rate]) for rate in sorted(sums, reverse=True)]


def _summed(rate: Decimal, lines: Sequence[PaperLine]) -> TaxSum:
    net = sum((each.net for each in lines), Decimal(0))
    tax = sum((each.tax for each in lines), Decimal(0))
    return TaxSum(rate=rate, net=net, tax=tax, gross=net + tax)


def address(text: str) -> tuple[str, ...]:
    """The lines of an address, as somebody typed it."""
    return tuple(each.strip() for each in text.splitlines() if each.strip())


def plain(amount: Decimal) -> Decimal:
    """As it is kept: without the zeros that a column of six decimals adds."""
    return round_to(amount, 2) if amount == round_to(amount, 2) else amount.normalize()

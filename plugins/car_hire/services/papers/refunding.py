"""What a credit note gives back, and from which payments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.errors import Invalid
from core.i18n import _, fill, gettext
from core.ids import new_id
from core.money import Money
from core.payments.models import BY_CARD, Payment
from core.payments.services import by_hand
from core.payments.services.payments import Payments
from core.payments.states import TOOK_MONEY
from plugins.car_hire.models import Paper
from plugins.car_hire.services import cash, hires, telling
from plugins.car_hire.services.companies import account
from plugins.car_hire.services.papers import crediting, invoices, issuing
from plugins.car_hire.services.papers.content import Paid, plain

GIVE_BACK: Final = "car_hire.give_back_credit"
"""The job that gives back what a credit note says."""


async def credit_and_refund(
    session: AsyncSession, invoice_id: UUID, wanted: dict[int, Decimal], reason: str, key: str
) -> Paper:
    """Take something off an invoice, and give it back to the cards that paid; once for a ``key``.

    Raises:
        Invalid: as ``crediting.credit``, or the cards did not pay that much.
    """

    async def plan(invoice: Paper, amount: Money) -> tuple[Paid, ...]:
        return await _plan(session, invoice, amount)

    note = await crediting.credit(session, invoice_id, wanted, reason, key=key, back=plan)
    await jobs.put(session, GIVE_BACK, {"paper_id": note.id}, key=f"credit:{note.id}")
    return note


async def credit_alone(
    session: AsyncSession, invoice_id: UUID, wanted: dict[int, Decimal], reason: str, key: str
) -> Paper:
    """Take something off an invoice that was not paid, or is given back by other means.

    Raises:
        Invalid: as ``crediting.credit``.
    """

    async def nothing(_invoice: Paper, _amount: Money) -> tuple[Paid, ...]:
        return ()

    return await crediting.credit(session, invoice_id, wanted, reason, key=key, back=nothing)


async def credit_by_hand(
    method: str,
    session: AsyncSession,
    invoice_id: UUID,
    wanted: dict[int, Decimal],
    reason: str,
    key: str,
) -> Paper:
    """Take something off an invoice, and note that it was given back by ``method``, of what was
    received by hand; once for a ``key``.

    Raises:
        Invalid: as ``crediting.credit``, or less was received by hand.
    """

    async def plan(invoice: Paper, amount: Money) -> tuple[Paid, ...]:
        made = await _plan(session, invoice, amount, by_card=False)
        for each in made:
            assert each.payment_id is not None
            part = Money(each.amount, invoice.currency)
            await by_hand.given_back(session, each.payment_id, part, key=key)
        if method == "cash":
            about = invoice.booking_id
            await cash.move(session, "given_back", -amount, key=f"given:{key}", booking_id=about)
        return made

    return await crediting.credit(session, invoice_id, wanted, reason, key=key, back=plan)


Way = Callable[[AsyncSession, UUID, dict[int, Decimal], str, str], Awaitable[Paper]]
WAYS: Final[Mapping[str, Way]] = {
    "card": credit_and_refund,
    "none": credit_alone,
    **{method: partial(credit_by_hand, method) for method in by_hand.WAYS},
}
"""What becomes of the money, by what a form says."""


def fresh_key() -> str:
    """The name of one act; a form sent twice is told apart by its own key before it comes here."""
    return f"credit:{new_id()}"


async def give_back(session: AsyncSession, paper_id: UUID) -> None:
    """Give back what a credit note says, each payment's part once however often this runs."""
    note = await issuing.one(session, paper_id)
    for each in issuing.content_of(note).payments:
        if each.payment_id is not None:
            amount = Money(each.amount, note.currency)
            await Payments(session).refund(each.payment_id, amount, key=_refund_key(note))


def _refund_key(note: Paper) -> str:
    return f"credit:{note.id}"


async def _plan(
    session: AsyncSession, invoice: Paper, amount: Money, *, by_card: bool = True
) -> tuple[Paid, ...]:
    """The latest payments first: those of the return, then that of the booking.

    Nothing was paid for an invoice on account: what is credited comes off the next statement.
    """
    if await account.of_paper(session, invoice.id) is not None:
        if by_card:
            return ()
        raise Invalid(_("Nothing was received for this: it is on account."), field="back")
    rest, made = amount, []
    for payment in await _payments(session, invoice, by_card=by_card):
        left = await Payments(session).refundable(payment)
        part = min(rest, left - await _promised(session, invoice, payment))
        if part.amount > 0:
            text = gettext("Given back: %(way)s") % {"way": invoices.way_of(payment)}
            made.append(Paid(text=text, amount=plain(part.amount), payment_id=payment.id))
            rest -= part
    if rest.amount > 0:
        short = _("The cards paid {amount} less than that.")
        if not by_card:
            short = _("By hand {amount} less than that was received.")
        problem = fill(short, amount=rest)
        raise Invalid(problem, field="back")
    return tuple(made)


async def _promised(session: AsyncSession, invoice: Paper, payment: Payment) -> Money:
    """What earlier credit notes give back of a payment by jobs that have not run yet."""
    promised = Money.zero(payment.currency)
    for note in await crediting.notes(session, invoice.id):
        for each in issuing.content_of(note).payments:
            if each.payment_id != payment.id or payment.method != BY_CARD:
                continue
            if not await Payments(session).knows_refund(payment, _refund_key(note)):
                promised += Money(each.amount, payment.currency)
    return promised


async def _payments(session: AsyncSession, invoice: Paper, *, by_card: bool) -> list[Payment]:
    if invoice.booking_id is None:
        return []
    if (later := invoice.key.removeprefix("later:")) != invoice.key:
        found = list(await Payments(session).of(telling.LATER, later))
    else:
        found = list(await Payments(session).of(telling.BOOKING, invoice.booking_id))
        hire = await hires.of_booking(session, invoice.booking_id)
        if hire is not None:
            found += await Payments(session).of(telling.HIRE, hire.id)
    return [
        each
        for each in reversed(found)
        if each.standing in TOOK_MONEY and (each.method == BY_CARD) == by_card
    ]

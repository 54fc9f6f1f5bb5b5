"""What car hire does by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.events import Event
from core.i18n import _
from core.jobs import Actor, Schedule, actor
from core.payments.events import PaymentAuthorised, PaymentFailed
from plugins.car_hire.services import announcing, paying, quotes, reminders, telling
from plugins.car_hire.services.companies import statements
from plugins.car_hire.services.later import charging
from plugins.car_hire.services.papers import agreements, drawing, issuing, refunding, settled
from plugins.car_hire.services.paying import kept
from plugins.car_hire.services.vehicles import documents
from plugins.car_hire.services.waiting import freeing, serving


@actor("car_hire.payment_authorised")
async def payment_authorised(session: AsyncSession, event: PaymentAuthorised) -> None:
    """Money was reserved for a booking or a hire of ours."""
    await paying.authorised(session, event)
    await charging.authorised(session, event)


@actor("car_hire.payment_failed")
async def payment_failed(session: AsyncSession, event: PaymentFailed) -> None:
    """Money was not to be had, or is reserved no more."""
    await telling.payment_failed(session, event)


@actor(paying.COLLECT)
async def collect(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """Collect a confirmed booking's price, and tell the customer."""
    await paying.collect(session, booking_id, payment_id)


@actor(paying.GIVE_BACK)
async def give_back(session: AsyncSession, booking_id: UUID) -> None:
    """Release or refund what was taken for a booking that is not to be."""
    await paying.give_back(session, booking_id)


@actor(paying.RELEASE_HOLD)
async def release_hold(session: AsyncSession, booking_id: UUID) -> None:
    """Free the car of a booking that nobody paid."""
    await paying.release_hold(session, booking_id)


@actor(paying.RENEW, max_attempts=20)
async def renew_deposit(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """Hold the deposit of a car that is out anew, before the bank lets go of it."""
    await paying.renew(session, hire_id, payment_id)


@actor(paying.RELEASE_DEPOSIT, max_attempts=20)
async def release_deposit(session: AsyncSession, payment_id: UUID) -> None:
    """Release a hold that another took the place of."""
    await paying.release(session, payment_id)


@actor(paying.RELEASE_KEPT, max_attempts=20)
async def release_kept_deposit(session: AsyncSession, hire_id: UUID) -> None:
    """Release the deposit of a car that is back, and settle its bill by other means."""
    await kept.released(session, hire_id)


@actor(paying.SETTLE)
async def settle(session: AsyncSession, hire_id: UUID) -> None:
    """Take the bill from the deposit, release the rest, send the receipt."""
    await paying.settle(session, hire_id)


@actor(paying.INVOICE)
async def invoice(session: AsyncSession, booking_id: UUID) -> None:
    """Issue the invoice of a booking that was paid and nobody came for."""
    await settled.without_a_hire(session, booking_id)


@actor(issuing.DRAW)
async def draw_paper(session: AsyncSession, paper_id: UUID) -> None:
    """Draw a paper that was issued, and send it."""
    await drawing.draw(session, paper_id)


@actor(agreements.DRAW)
async def draw_agreement(session: AsyncSession, hire_id: UUID) -> None:
    """Draw what was agreed when a car left, and send it."""
    await agreements.draw(session, hire_id)


@actor(charging.CHARGE, max_attempts=20)
async def charge_later(session: AsyncSession, later_id: UUID, by_link: bool) -> None:
    """Ask the card that was kept for a fine or toll, or send the customer a link."""
    await charging.ask(session, later_id, by_link)


@actor("car_hire.state_companies")
async def state_companies(session: AsyncSession) -> None:
    """A month is over: have each company's statement made."""
    await statements.ask_for_all(session)


@actor(statements.STATE)
async def state_company(session: AsyncSession, company_id: UUID, before: date) -> None:
    """Make one company's statement of a month."""
    await statements.state(session, company_id, before)


@actor(refunding.GIVE_BACK)
async def give_back_credit(session: AsyncSession, paper_id: UUID) -> None:
    """Give back to the card what a credit note says."""
    await refunding.give_back(session, paper_id)


@actor(reminders.REMIND_OF_DEPOSIT)
async def remind_of_deposit(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """Tell the desk of a deposit that lapses while the car is out."""
    await reminders.deposit_lapses(session, hire_id, payment_id)


@actor(reminders.REMIND_OF_BANK)
async def remind_of_bank(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """Tell a customer that their bank still waits for an answer."""
    await reminders.bank_waits(session, booking_id, payment_id)


@actor(announcing.TELL_OF_CHANGE)
async def tell_of_change(
    session: AsyncSession,
    booking_id: UUID,
    class_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    before: Decimal,
) -> None:
    """Write to a customer whose booking was changed."""
    await announcing.tell_of_change(session, booking_id, class_id, starts_at, ends_at, before)


@actor(announcing.PICK_UP_NEARS)
async def pick_up_nears(session: AsyncSession, booking_id: UUID, at: datetime) -> None:
    """Remind a customer that their car waits tomorrow."""
    await announcing.pick_up_nears(session, booking_id, at)


@actor(announcing.RETURN_NEARS)
async def return_nears(session: AsyncSession, booking_id: UUID, at: datetime) -> None:
    """Remind a customer that the car is due back."""
    await announcing.return_nears(session, booking_id, at)


@actor(announcing.ASK_REVIEW)
async def ask_review(session: AsyncSession, hire_id: UUID) -> None:
    """Ask a customer how the hire was."""
    await announcing.ask_review(session, hire_id)


@actor("car_hire.purge_quotes")
async def purge_quotes(session: AsyncSession) -> None:
    """Forget prices that nobody booked: a batch, and what is left in a job after this one."""
    if await quotes.purge(session):
        await purge_quotes.enqueue(session)


@actor("car_hire.remind_of_papers")
async def remind_of_papers(session: AsyncSession) -> None:
    """Tell staff of cars' papers that lapse soon: a batch, and the rest in a job after this one."""
    if await documents.remind(session):
        await remind_of_papers.enqueue(session)


@actor(freeing.SERVE)
async def serve_waiting(session: AsyncSession, class_id: UUID) -> None:
    """Offer the cars of a class that are free to the first who wait for them."""
    await serving.serve(session, class_id)


@actor(freeing.LAPSE)
async def offer_lapses(session: AsyncSession, wait_id: UUID) -> None:
    """Give an offer that nobody took to the next."""
    await serving.lapse(session, wait_id)


@actor("car_hire.tidy_waiting")
async def tidy_waiting(session: AsyncSession) -> None:
    """Look at every waiting list, and forget who waited long ago."""
    await serving.tidy(session)


ACTORS: Final = (
    payment_authorised, payment_failed, collect, give_back, release_hold, renew_deposit,
    release_deposit, release_kept_deposit, settle, remind_of_deposit,
    remind_of_bank, tell_of_change, pick_up_nears, return_nears, ask_review, purge_quotes,
    invoice, draw_paper, draw_agreement, charge_later, give_back_credit,
    state_companies, state_company,
    remind_of_papers, serve_waiting, offer_lapses, tidy_waiting,
)  # fmt: skip
SCHEDULES: Final = (
    Schedule(
        actor=state_companies,
        cron="30 2 1 * *",
        title=_("Companies that hire on account get their statement of the month"),
    ),
    Schedule(
        actor=purge_quotes, cron="20 3 * * *", title=_("Prices that are good no more are forgotten")
    ),
    Schedule(
        actor=remind_of_papers,
        cron="40 6 * * *",
        title=_("Staff hear of cars' papers that lapse soon"),
    ),
    Schedule(actor=tidy_waiting, cron="5,35 * * * *", title=_("Waiting lists are looked at again")),
)
LISTENERS: Final[Mapping[type[Event], tuple[Actor, ...]]] = {
    PaymentAuthorised: (payment_authorised,),
    PaymentFailed: (payment_failed,),
}

"""Companies on account: the limit holds, one statement a month, one effect of each transfer."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Select, select, update

from atrium.testing.site import Site
from core import clock
from core.auth.authority import LOCAL_COOKIE
from core.errors import EditedMeanwhile, Invalid
from core.mail.models import Mail
from core.money import Money
from core.payments.services import Payments
from core.permissions import Role
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import AccountEntry, Booking, Company, Customer, Hire, Paper, Statement
from plugins.car_hire.schemas_companies import MemberInput
from plugins.car_hire.services import bookings, fleet, hires, paying
from plugins.car_hire.services.companies import hiring, keeping, owing, statements
from plugins.car_hire.services.papers import drawing, issuing, refunding
from plugins.car_hire.services.papers.content import plain
from tests.plugins.car_hire.shop import Shop, company_input
from tests.plugins.car_hire.test_cancelling import house
from tests.plugins.car_hire.test_papers import prefix
from tests.plugins.car_hire.test_paying import Till, _running, standin, till

__all__ = ["_running", "prefix", "standin", "till"]

NEXT = (clock.now().date().replace(day=1) + timedelta(days=32)).replace(day=1)
"""The first of the month after this one, whatever the zone."""


async def company(shop: Shop, **changes: object) -> Company:
    async with shop.transaction() as session:
        made = await keeping.add(session, company_input(**changes))
        member = MemberInput(email=shop.customer.email.upper(), sees_statements=True)
        await keeping.put_member(session, made.id, member)
    return made


async def on_account(shop: Shop, booking_id: UUID) -> Booking:
    async with shop.transaction() as session:
        return await hiring.book(session, booking_id)


async def brought_back(shop: Shop, booking: Booking) -> None:
    async with shop.transaction() as session:
        car = await fleet.vehicle(session, booking.vehicle_id)
        at, fuel = car.odometer_km, car.fuel_eighths
        given = shop.readings(booking, odometer_km=at, fuel_eighths=fuel)
        hire = await hires.prepare(session, given)
        assert hire.state == "out"  # no deposit is asked for
    await shop.back(hire.id, odometer_km=at + 900)
    for _ in range(3):
        async with shop.transaction() as session:
            await paying.settle(session, hire.id)
    async with shop.transaction() as session:
        assert (await session.get_one(Hire, hire.id)).state == "closed"


async def stated(shop: Shop, company_id: UUID, before: date = NEXT) -> Statement | None:
    async with shop.transaction() as session:
        return await statements.state(session, company_id, before)


@pytest.mark.usefixtures("prefix")
async def test_two_bookings_at_once_do_not_both_use_the_last_of_the_limit(shop: Shop) -> None:
    first, second = await shop.book(), await shop.book()
    made = await company(shop, credit_limit=first.gross + second.gross - 1)
    results = await asyncio.gather(
        *(on_account(shop, each.id) for each in (first, second, first)), return_exceptions=True
    )
    refused = [each for each in results if isinstance(each, hiring.OverLimit)]
    assert 1 <= len(refused) <= 2
    async with shop.transaction() as session:
        found = [await bookings.one(session, each.id) for each in (first, second)]
        owed = await owing.of_one(session, made, clock.now().date())
    assert sorted(each.state for each in found) == ["confirmed", "pending_payment"]
    assert owed.all == next(each.gross for each in found if each.company_id == made.id)


async def test_a_month_has_one_statement_whatever_comes_ten_times(
    site: Site, shop: Shop, prefix: str
) -> None:
    """Two hires, ten jobs at once; the sum is of the invoices; drawn and sent to the contact."""
    made = await company(shop, terms_days=15)
    for _ in range(2):
        booking = await on_account(shop, (await shop.book()).id)
        await brought_back(shop, booking)
    async with shop.transaction() as session:
        rows = (await session.scalars(_entries(made))).all()
        papers = [await session.get_one(Paper, each.paper_id) for each in rows]
        assert await Payments(session).of(paying.BOOKING, booking.id) == []
    assert {each.buyer for each in papers} == {made.name}
    results = await asyncio.gather(*(stated(shop, made.id) for _ in range(10)))
    (paper_id,) = {each.paper_id for each in results if each is not None}
    assert await stated(shop, made.id, (NEXT + timedelta(days=32)).replace(day=1)) is None
    async with shop.transaction() as session:
        paper = await session.get_one(Paper, paper_id)
        content = issuing.content_of(paper)
        await drawing.draw(session, paper_id)
        written = select(Mail).where(Mail.key == f"car_hire/mail/paper:{paper_id}")
        (letter,) = (await session.scalars(written)).all()
        sheet = await statements.sheet(session, paper_id)
    assert paper.gross == sum(each.gross for each in papers) == content.owed
    assert [each.text.partition(" · ")[0] for each in content.entries] == [
        each.number for each in sorted(papers, key=lambda each: each.number)
    ]
    assert letter.recipient == made.contact_email
    assert all(each.number in sheet for each in papers)
    async with shop.transaction() as session:
        late = {"starts_at": datetime(2026, 7, 1, 23, 30, tzinfo=UTC)}
        await session.execute(update(Booking).where(Booking.id == booking.id).values(**late))
        assert "2026-07-02" in await statements.sheet(session, paper_id), "by the clock in Lisbon"
        await session.rollback()


async def test_a_transfer_has_one_effect_and_a_part_leaves_the_rest(
    shop: Shop, prefix: str
) -> None:
    """The same transfer noted five times at once; more than is left is refused; ages tell."""
    made = await company(shop)
    await brought_back(shop, await on_account(shop, (await shop.book()).id))
    statement = await stated(shop, made.id)
    assert statement is not None

    async def receive(amount: Decimal, version: int) -> Statement:
        async with shop.transaction() as session:
            return await statements.received(session, statement.paper_id, amount, version)

    part = Decimal("20.00")
    results = await asyncio.gather(*(receive(part, 1) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, EditedMeanwhile) for each in results) == 4
    with pytest.raises(Invalid):
        await receive(statement.amount, 2)
    async with shop.transaction() as session:
        late = statement.due_on + timedelta(days=40)
        owed = await owing.of_one(session, made, late)
        assert owed.ages == (0, 0, statement.amount - part, 0)
        assert (await owing.of_one(session, made, statement.due_on)).late == 0
    await receive(statement.amount - part, 2)
    async with shop.transaction() as session:
        payments = await Payments(session).of(statements.SUBJECT, statement.paper_id)
        assert sum(each.captured for each in payments) == statement.amount
        assert (await owing.of_one(session, made, late)).all == 0


async def test_who_cancels_late_or_does_not_come_leaves_the_company_a_fee_once(
    site: Site, till: Till, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled three times at once, every job five times: one invoice each, owed in full, and a
    line of the statement with its own rule. The desk is told before whose account it goes on."""
    shop = till.shop
    house(monkeypatch, cancel_free_hours=48, cancel_percent=30, no_show_percent=100)
    made = await company(shop)
    late = await on_account(shop, (await shop.book(starts_in=24)).id)
    absent = await on_account(shop, (await shop.book(starts_in=0.01)).id)
    async with await site.person(shop.tenant, Role.OWNER) as desk:
        page = await desk.get(f"/car-hire/desk/bookings/{late.id}")
        cost = (await desk.get(f"/api/v1/car-hire/bookings/{late.id}/cancellation")).json()
    assert f"goes on the account of {made.name}" in page.text
    assert cost["on_account"]

    async def cancel() -> None:
        async with shop.transaction() as session:
            await paying.cancel(session, late.id)

    results = await asyncio.gather(*(cancel() for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(each, NotNow) for each in results) == 2
    with monkeypatch.context() as later:
        now = clock.now() + timedelta(hours=2)
        later.setattr(clock, "now", lambda: now)
        async with shop.transaction() as session:
            await paying.no_show(session, absent.id)
    await till.work(times=5)
    statement = await stated(shop, made.id)
    assert statement is not None
    async with shop.transaction() as session:
        rows = await statements.entries(session, statement.paper_id)
        paper = await issuing.one(session, statement.paper_id)
        letter = select(Mail.text).where(Mail.key == f"car_hire/mail/cancellation:{late.id}")
        assert "your company's account" in (await session.scalar(letter) or "")
        assert (await owing.of_one(session, made, statement.due_on)).all == statement.amount
    fees = {booking.id: (paper.gross, issuing.content_of(paper)) for _e, paper, booking, _n in rows}
    share = Money(late.gross * 30 / 100, late.currency).rounded().amount
    assert {key: gross for key, (gross, _) in fees.items()} == {
        late.id: share, absent.id: absent.gross
    }  # fmt: skip
    assert [[line.rule for line in fees[each.id][1].lines] for each in (late, absent)] == [
        ["fee.cancelled"], ["fee.no_show"]
    ]  # fmt: skip
    assert all(content.owed == gross for gross, content in fees.values())
    told = issuing.content_of(paper).entries
    assert sorted(each.text.split(" · ")[1] for each in told) == ["Cancelled late", "Not picked up"]


async def test_a_credit_note_of_a_stated_invoice_comes_off_the_next_statement(
    site: Site, shop: Shop, prefix: str
) -> None:
    """Asked for twice at once, it comes off once. A statement below nothing asks for nothing, and
    the next takes its rest; a month with such a rest alone has none."""
    made = await company(shop)
    await brought_back(shop, await on_account(shop, (await shop.book()).id))
    first = await stated(shop, made.id)
    assert first is not None
    async with shop.transaction() as session:
        ((_entry, invoice, _booking, _name),) = await statements.entries(session, first.paper_id)
        net = issuing.content_of(invoice).lines[0].net

    async def credit(key: str, amount: Decimal) -> Paper:
        async with shop.transaction() as session:
            way = refunding.WAYS["card"]  # none paid: nothing goes back, nor is that refused
            return await way(session, invoice.id, {0: amount}, "Goodwill", key)

    part = Decimal("10.00")
    results = await asyncio.gather(*(credit(f"c:{made.id}", part) for _ in range(3)))
    (note,) = {each.id: each for each in results}.values()
    async with shop.transaction() as session:
        given = (session, invoice.id, {0: part}, "Goodwill", f"d:{made.id}")
        with pytest.raises(Invalid):
            await refunding.WAYS["cash"](*given)
    async with shop.transaction() as session:
        owed = await owing.of_one(session, made, first.due_on)
    assert (owed.invoiced, owed.all) == (-note.gross, first.amount - note.gross)

    after = [_months(count) for count in range(1, 5)]
    second = await stated(shop, made.id, after[0])
    assert second is not None
    assert (second.amount, second.left.amount) == (0, 0)
    assert await stated(shop, made.id, after[1]) is None
    await brought_back(shop, await on_account(shop, (await shop.book()).id))
    rest = await credit(f"e:{made.id}", net - part)
    third = await stated(shop, made.id, after[2])
    assert third is not None
    async with shop.transaction() as session:
        rows = await statements.entries(session, third.paper_id)
        paper = await issuing.one(session, third.paper_id)
        texts = [each.text for each in issuing.content_of(paper).entries]
        owed = await owing.of_one(session, made, first.due_on)
        sheet = await statements.sheet(session, third.paper_id)
        await drawing.draw(session, second.paper_id)
        written = select(Mail.text).where(Mail.key == f"car_hire/mail/paper:{second.paper_id}")
        assert "Nothing is to be paid" in (await session.scalar(written) or "")
    assert sorted((paper.kind, entry.amount) for entry, paper, *_rest in rows) == [
        ("credit_note", -rest.gross), ("invoice", first.amount), ("statement", -note.gross)
    ]  # fmt: skip
    assert third.amount == max(first.amount - rest.gross - note.gross, Decimal(0))
    assert owed.all == first.amount + first.amount - rest.gross - note.gross
    assert any(f"Credit to {invoice.number}" in each for each in texts)
    assert f"-{plain(rest.gross)}" in sheet
    async with await site.person(shop.tenant, Role.OWNER) as desk:
        page = await desk.get(f"/car-hire/desk/papers/{invoice.id}")
        assert "comes off the company" in page.text
        assert "nothing to pay" in (await desk.get(f"/car-hire/desk/companies/{made.id}")).text


async def test_pages_of_the_desk_and_of_the_contact(site: Site, shop: Shop, prefix: str) -> None:
    """Added, agreed, booked on account at the desk; the contact sees the statement, others not."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        (await session.get_one(Customer, shop.customer.id)).user_id = user_id
        token = await site.sessions.begin(session, user_id)
    here, booking = "/car-hire/desk/companies", await shop.book()
    number = f"PT{random.randrange(10**9)}"
    given = {
        "name": "Obras do Tejo", "tax_number": number, "contact_name": "Rita",
        "contact_email": "rita@example.com", "terms_days": "30", "credit_limit": "",
        "deposit": "none", "on_account": "true",
    }  # fmt: skip
    async with await site.person(shop.tenant, Role.OWNER) as desk:
        wrong = await desk.post(f"{here}/new", data=given | {"terms_days": "999"})
        assert (wrong.status_code, number in wrong.text) == (422, True)
        assert (await desk.post(f"{here}/new", data=given)).status_code == 303
        assert (await desk.post(f"{here}/new", data=given)).status_code == 422
        async with shop.transaction() as session:
            found = select(Company).where(Company.tax_number == number)
            made = (await session.scalars(found)).one()
        member = {"email": shop.customer.email, "sees_statements": "true"}
        assert (await desk.post(f"{here}/{made.id}/members", data=member)).status_code == 303
        page = await desk.get(f"/car-hire/desk/bookings/{booking.id}")
        assert f"/car-hire/desk/bookings/{booking.id}/on-account" in page.text
        booked = await desk.post(f"/car-hire/desk/bookings/{booking.id}/on-account")
        assert booked.status_code == 303
        await brought_back(shop, booking)
        statement = await stated(shop, made.id)
        assert statement is not None
        pay = f"{here}/statements/{statement.paper_id}/payment"
        wrong = await desk.post(pay, data={"amount": "99999", "version": "1"})
        assert (wrong.status_code, "99999" in wrong.text) == (422, True)
        assert "Obras do Tejo" in (await desk.get(here)).text
        sheet = await desk.get(f"{here}/statements/{statement.paper_id}/sheet")
        assert booking.number in sheet.text
        api = await desk.get(f"/api/v1/car-hire/companies/{made.id}/statements")
        assert api.json()["items"][0]["paper_id"] == str(statement.paper_id)
    own = f"/car-hire/papers/{statement.paper_id}/sheet"
    async with site.visitor(shop.tenant) as contact:
        contact.cookies.set(LOCAL_COOKIE, token)
        assert own in (await contact.get("/car-hire/papers")).text
        assert booking.number in (await contact.get(own)).text
    async with await site.person(shop.tenant, Role.MEMBER) as stranger:
        assert (await stranger.get(own)).status_code == 404


def _months(count: int) -> date:
    """The first of the month so many after ``NEXT``."""
    year, month = divmod(NEXT.month - 1 + count, 12)
    return date(NEXT.year + year, month + 1, 1)


def _entries(made: Company) -> Select[AccountEntry]:
    return select(AccountEntry).where(AccountEntry.company_id == made.id)

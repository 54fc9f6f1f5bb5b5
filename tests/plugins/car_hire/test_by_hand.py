"""Cash, terminals and transfers: one ledger, one drawer, and nothing twice."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from atrium.testing.site import Site
from core import clock
from core.db import Databases
from core.errors import Invalid
from core.mail.models import Mail
from core.money import Money
from core.payments.models import Payment
from core.payments.services import Payments
from core.payments.services.by_hand import given_back
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, CashMovement
from plugins.car_hire.services import bookings, cash, hires, paying, paying_by_hand, transfers
from plugins.car_hire.services.papers import settled
from tests.plugins.car_hire.shop import Shop

ZERO = Money.zero("EUR")


@pytest.fixture
async def mine(site: Site, databases: Databases) -> Shop:
    """A business of this test's own: a drawer is one for all of a business."""
    tenant = await site.world.provision(f"till-{secrets.token_hex(3)}")
    return await Shop.open(databases, tenant)


async def paid(shop: Shop, booking: Booking) -> list[Payment]:
    async with shop.transaction() as session:
        found = list(await Payments(session).of(paying.BOOKING, booking.id))
        hire = await hires.of_booking(session, booking.id)
        return found + list(await Payments(session).of(paying.HIRE, hire.id) if hire else [])


async def test_cash_for_a_booking_confirms_it_once(mine: Shop) -> None:
    """Ten clicks are one payment and one movement; the drawer opens by itself."""
    booking = await mine.book()

    async def take() -> None:
        async with mine.transaction() as session:
            await paying_by_hand.take_price(session, booking.id, "cash")

    done = await asyncio.gather(*(take() for _ in range(10)), return_exceptions=True)
    assert sum(each is None for each in done) == 1
    assert all(each is None or isinstance(each, NotNow) for each in done)
    (payment,) = await paid(mine, booking)
    assert (payment.method, payment.state, payment.captured) == ("cash", "captured", booking.gross)
    async with mine.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "confirmed"
        desk = await cash.opened(session)
        assert desk is not None
        assert (await cash.drawer(session, desk)).expected == Money(booking.gross, "EUR")


async def test_a_cash_deposit_pays_the_bill_and_the_rest_goes_back(mine: Shop) -> None:
    """Off with cash in the drawer; back with a bill; what is left is given back, once."""
    booking = await mine.book()
    async with mine.transaction() as session:
        await cash.open_with(session, Decimal(100))
        await paying_by_hand.take_price(session, booking.id, "terminal")
    async with mine.transaction() as session:
        hire = await hires.prepare(session, mine.readings(booking))
    async with mine.transaction() as session:
        assert (await paying_by_hand.take_deposit(session, hire.id, "cash")).state == "out"
        away = await bookings.one(session, booking.id)
        assert await paying_by_hand.to_give_back(session, away) == ZERO
    await mine.back(hire.id, odometer_km=10_500)
    async with mine.transaction() as session:
        await paying.settle(session, hire.id)
    async with mine.transaction() as session:
        found = await hires.one(session, hire.id)
        assert found.state == "closed"
        assert found.billed is not None
        back = await paying_by_hand.give_back(session, booking.id, "cash", "Deposit", "a")
        assert back == Money(300 - found.billed, "EUR")
    async with mine.transaction() as session:
        with pytest.raises(NotNow):
            await paying_by_hand.give_back(session, booking.id, "cash", "Again", "b")
        desk = await cash.opened(session)
        assert desk is not None
        assert (await cash.drawer(session, desk)).expected.amount == 100 + found.billed
        with pytest.raises(Invalid):
            await cash.close(session, Decimal(90), "")
        closed = await cash.close(session, Decimal(90), "Ten missing, looked for")
        assert (await cash.drawer(session, closed)).difference == Money(
            Decimal(90) - 100 - found.billed, "EUR"
        )
        assert await cash.opened(session) is None


async def test_a_transfer_is_waited_for_and_comes_once(mine: Shop) -> None:
    """The booking is kept for its customer, its car is not handed over before the money came."""
    booking = await mine.book()
    until = clock.today(mine.tenant.zone) + timedelta(days=3)
    async with mine.transaction() as session:
        expected = await transfers.expect(session, booking.id, until)
    async with mine.transaction() as session:
        with pytest.raises(NotNow):
            await transfers.expect(session, booking.id, until)
        found = await bookings.one(session, booking.id)
        assert (found.state, found.owed_at_pick_up) == ("confirmed", True)
    for _ in range(3):
        async with mine.transaction() as session:
            await transfers.received(session, expected.id)
    (payment,) = await paid(mine, booking)
    assert (payment.method, payment.captured) == ("transfer", booking.gross)
    async with mine.transaction() as session:
        assert not (await bookings.one(session, booking.id)).owed_at_pick_up
        with pytest.raises(NotNow):
            await transfers.give_up(session, expected.id)
        assert await session.scalar(select(func.count()).select_from(CashMovement)) == 0


async def test_what_was_paid_by_hand_is_not_given_back_by_a_provider(mine: Shop) -> None:
    """A cancelled booking that was paid in cash: the job asks nobody, the desk gives it back."""
    booking = await mine.book()
    async with mine.transaction() as session:
        await paying_by_hand.take_price(session, booking.id, "cash")
    async with mine.transaction() as session:
        await paying.cancel(session, booking.id)
    async with mine.transaction() as session:
        await paying.give_back(session, booking.id)
    (payment,) = await paid(mine, booking)
    assert payment.refunded == 0
    async with mine.transaction() as session:
        found = await bookings.one(session, booking.id)
        rest = await paying_by_hand.to_give_back(session, found)
        assert rest == Money(booking.gross - (found.fee or 0), "EUR")
        await given_back(session, payment.id, rest, key="x")
        await given_back(session, payment.id, rest, key="x")
        with pytest.raises(Invalid):
            await given_back(session, payment.id, rest, key="y")


async def test_the_desk_does_it_on_its_pages(site: Site, mine: Shop) -> None:
    """Open, take, expect, count: each page shows what came of it, and keeps what was typed."""
    booking, other = await mine.book(), await mine.book()
    here = "/car-hire/desk"
    due = (clock.today(mine.tenant.zone) + timedelta(days=2)).isoformat()
    async with await site.person(mine.tenant) as desk:
        assert (await desk.post(f"{here}/cash/opening", data={"opening": "50"})).status_code == 303
        cash_paid = await desk.post(
            f"{here}/bookings/{booking.id}/desk-payment", data={"method": "cash"}
        )
        assert cash_paid.status_code == 303
        drawer = await desk.get(f"{here}/cash")
        assert str(booking.id) in drawer.text
        promised = await desk.post(f"{here}/bookings/{other.id}/transfer", data={"due_on": due})
        assert promised.status_code == 303
        listed = await desk.get(f"{here}/transfers", params={"text": other.number})
        assert other.number in listed.text
        assert (await desk.get(f"{here}/bookings/{other.id}")).status_code == 200
        wrong = await desk.post(f"{here}/cash/count", data={"counted": "1.23", "note": ""})
        assert (wrong.status_code, "1.23" in wrong.text) == (422, True)


async def test_wrong_forms_of_money_keep_what_was_typed(site: Site, mine: Shop) -> None:
    """A transfer due in the past, more given back than there is: beside the field, nothing lost;
    then a part goes back, and the rest."""
    booking, other = await mine.book(), await mine.book()
    async with mine.transaction() as session:
        await paying_by_hand.take_price(session, booking.id, "cash")
    async with mine.transaction() as session:
        await paying.cancel(session, booking.id)
    here = f"/car-hire/desk/bookings/{booking.id}/given-back"
    async with await site.person(mine.tenant) as desk:
        late = await desk.post(
            f"/car-hire/desk/bookings/{other.id}/transfer", data={"due_on": "2020-02-03"}
        )
        assert (late.status_code, "2020-02-03" in late.text) == (422, True)
        typed = {"method": "transfer", "reason": "Rang us up", "amount": "99999"}
        wrong = await desk.post(here, data=typed)
        assert wrong.status_code == 422
        assert all(each in wrong.text for each in ("Rang us up", "99999"))
        assert (await desk.post(here, data=typed | {"amount": "10"})).status_code == 303
        assert (await desk.post(here, data=typed | {"amount": ""})).status_code == 303
    (payment,) = await paid(mine, booking)
    assert payment.refunded == payment.captured


async def test_a_fee_that_is_kept_has_its_receipt_without_papers(mine: Shop) -> None:
    """Nobody came, the business issues no papers: a letter says what was kept, once."""
    booking = await mine.book(starts_in=0.01)
    async with mine.transaction() as session:
        await paying_by_hand.take_price(session, booking.id, "cash")
    async with mine.transaction() as session:
        found = await bookings.locked(session, booking.id)
        found.state, found.fee = "no_show", found.gross
    for _ in range(2):
        async with mine.transaction() as session:
            await settled.without_a_hire(session, booking.id)
    async with mine.transaction() as session:
        written = select(Mail).where(Mail.key == f"car_hire/mail/fee:{booking.id}")
        (letter,) = (await session.scalars(written)).all()
    assert booking.number in letter.subject

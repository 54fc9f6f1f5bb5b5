"""Money: one hire, one charge, however often it is said; against the Stripe stand-in."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core import clock
from core.errors import EditedMeanwhile
from core.mail.models import Mail
from core.money import Money
from core.payments import gateway
from core.payments.events import PaymentAuthorised
from core.payments.models import Payment, PaymentOperation
from core.payments.provider import Declined
from core.payments.services import Payments, accounts, reconcile
from core.payments.stripe_gateway import StripeGateway
from core.permissions import Role
from plugins.car_hire import tasks
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import bookings, hires, occupying, paying
from tests.plugins.car_hire.shop import Shop
from tests.standin.conftest import StandIn, _running, free_port, standin

__all__ = ["_running", "standin"]

VISA = "pm_card_visa"
THREE_D_SECURE = "pm_card_authenticationRequired"


@dataclass
class Till:
    """A shop that takes cards, and the jobs that its requests asked for."""

    shop: Shop
    dsn: str
    standin: StandIn
    key: str

    async def waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """Take the jobs and events of car hire that are due out of the outbox."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch(
                "UPDATE outbox.messages SET state = 'done' WHERE tenant = $1 AND state = 'pending'"
                " AND (actor LIKE 'car_hire.%' OR actor = 'core.fan_out') AND"
                " (due_at IS NULL OR due_at <= now()) RETURNING actor, args",
                self.shop.tenant.id,
            )
        finally:
            await connection.close()
        return [(row["actor"], json.loads(row["args"])) for row in rows]

    async def run(self, actor: str, args: dict[str, Any]) -> None:
        """One delivery of one message, as the worker does it."""
        if actor == "core.fan_out":
            if args["event"] != PaymentAuthorised.name:
                return
            event = msgspec.convert(args["body"], PaymentAuthorised)
            async with self.shop.transaction() as session:
                await tasks.payment_authorised.body(session, event=event)
            return
        wanted = next(each for each in tasks.ACTORS if each.name == actor)
        async with self.shop.transaction() as session:
            await wanted.body(session, **wanted.read(args))

    async def work(self, times: int = 1) -> None:
        """Deliver everything ``times`` times, shuffled, until nothing new is asked for."""
        seen: list[tuple[str, dict[str, Any]]] = []
        while new := await self.waiting():
            seen += new
            deliveries = new + [random.choice(seen) for _ in range((times - 1) * len(new))]
            random.shuffle(deliveries)
            for actor, args in deliveries:
                await self.run(actor, args)

    async def charges(self) -> list[dict[str, Any]]:
        """What the stand-in holds for this shop's account."""
        async with httpx.AsyncClient(
            base_url=self.standin.base, headers={"Authorization": f"Bearer {self.key}"}
        ) as http:
            reply = await http.get("/v1/payment_intents", params={"limit": 100})
            found: list[dict[str, Any]] = reply.json()["data"]
            return found

    async def pay(self, booking: Booking, method: str = VISA) -> Payment:
        """What the payment page's form does."""
        async with self.shop.transaction() as session:
            return await paying.pay_booking(session, booking.id, method)

    async def mails(self, booking: Booking) -> list[str]:
        """The subjects of the letters about a booking."""
        async with self.shop.transaction() as session:
            written = await session.scalars(select(Mail))
            return [each.subject for each in written if booking.number in each.subject + each.text]

    async def out(self) -> tuple[Booking, UUID]:
        """A car that has driven off with its deposit held."""
        booking = await self.shop.confirmed()
        async with self.shop.transaction() as session:
            hire = await hires.prepare(session, self.shop.readings(booking))
        async with self.shop.transaction() as session:
            await paying.pay_deposit(session, hire.id, VISA)
        return booking, hire.id


@pytest.fixture
async def till(site: Site, shop: Shop, standin: StandIn) -> AsyncIterator[Till]:
    """Acme with an account of this test's own at the stand-in."""
    before = gateway.installed()
    made = StripeGateway(
        api_base=standin.base,
        script_url=f"{standin.base}/js.stripe.com/v3/",
        public_url=f"http://localhost:{free_port()}",
        timeout=httpx.Timeout(5.0),
        retry_for=8.0,
    )
    gateway.install(made)
    key = f"sk_test_{secrets.token_hex(8)}"
    async with shop.transaction() as session:
        await accounts.connect(session, publishable_key=key.replace("sk_", "pk_"), secret_key=key)
    till = Till(shop, site.world.superuser_dsn(shop.tenant), standin, key)
    await till.waiting()
    yield till
    await made.close()
    gateway.install(before)


async def test_a_booking_is_paid_confirmed_and_captured_once(till: Till) -> None:
    """Ten deliveries of everything, shuffled, and ten clicks: one charge of the quoted price."""
    booking = await till.shop.book()
    payments = await asyncio.gather(*(till.pay(booking) for _ in range(5)), return_exceptions=True)
    assert any(isinstance(each, Payment) for each in payments), payments
    await till.work(times=10)
    async with till.shop.transaction() as session:
        found = await bookings.one(session, booking.id)
        (payment,) = await Payments(session).of(paying.BOOKING, booking.id)
    assert (found.state, payment.state) == ("confirmed", "captured")
    assert payment.captured == booking.gross
    (charge,) = await till.charges()
    assert charge["amount"] == int(booking.gross * 100)
    assert len(await till.mails(booking)) == 1


async def test_a_declined_card_leaves_the_booking_waiting(till: Till) -> None:
    """The customer may try another card, and the car is still theirs."""
    booking = await till.shop.book()
    with pytest.raises(Declined):
        await till.pay(booking, "pm_card_chargeDeclined")
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "pending_payment"
    await till.pay(booking)
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "confirmed"


async def test_a_cancelled_booking_gives_its_money_back(till: Till) -> None:
    """Captured money is refunded, once, however often the job runs."""
    booking = await till.shop.book()
    await till.pay(booking)
    await till.work()
    async with till.shop.transaction() as session:
        await paying.cancel(session, booking.id)
    await till.work(times=10)
    async with till.shop.transaction() as session:
        (payment,) = await Payments(session).of(paying.BOOKING, booking.id)
    assert (payment.state, payment.refunded) == ("refunded", booking.gross)
    assert len(await till.mails(booking)) == 2


async def test_money_for_a_car_that_is_gone_is_released(till: Till) -> None:
    """The hold expired, all cars went, and then the bank said yes: nothing is kept."""
    booking = await till.shop.book()
    others = [await till.shop.quote() for _ in range(3)]
    async with till.shop.transaction() as session:
        payment = await Payments(session).authorise(
            subject_type=paying.BOOKING,
            subject_id=booking.id,
            purpose=paying.CHARGE,
            amount=Money(booking.gross, booking.currency),
            method=VISA,
            description="late",
        )
    async with till.shop.transaction() as session:
        past = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Booking).where(Booking.id == booking.id).values(hold_until=past)
        )
    async with till.shop.transaction() as session:
        await bookings.expire(session, booking.id)
    for quote in others:
        await till.shop.place(quote)
    await till.work(times=5)
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "expired"
        assert (await Payments(session).get(payment.id)).state == "voided"


async def test_money_for_a_seat_that_is_gone_is_released(till: Till) -> None:
    """The hold expired and somebody else took the last seat: a car alone is not what was paid."""
    seat = await till.shop.extra(stock=1)
    booking = await till.shop.book(extras={seat: 1})
    async with till.shop.transaction() as session:
        payment = await Payments(session).authorise(
            subject_type=paying.BOOKING,
            subject_id=booking.id,
            purpose=paying.CHARGE,
            amount=Money(booking.gross, booking.currency),
            method=VISA,
            description="late",
        )
        past = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Booking).where(Booking.id == booking.id).values(hold_until=past)
        )
    async with till.shop.transaction() as session:
        await bookings.expire(session, booking.id)
    await till.shop.book(extras={seat: 1})
    await till.work(times=3)
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "expired"
        assert await occupying.period_of(session, booking.id) is None
        assert (await Payments(session).get(payment.id)).state == "voided"


async def test_word_of_money_that_was_released_confirms_nothing(till: Till) -> None:
    """The worker was away: the hold ends and gives the money back before it hears of it."""
    booking = await till.shop.book()
    async with till.shop.transaction() as session:
        payment = await Payments(session).authorise(
            subject_type=paying.BOOKING,
            subject_id=booking.id,
            purpose=paying.CHARGE,
            amount=Money(booking.gross, booking.currency),
            method=VISA,
            description="unheard",
        )
    async with till.shop.transaction() as session:
        past = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Booking).where(Booking.id == booking.id).values(hold_until=past)
        )
    async with till.shop.transaction() as session:
        await paying.release_hold(session, booking.id)
    async with till.shop.transaction() as session:
        await paying.give_back(session, booking.id)
    await till.work(times=3)
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).state == "expired"
        assert (await Payments(session).get(payment.id)).state == "voided"
    assert await till.mails(booking) == []


async def test_money_of_a_booking_that_stands_is_not_given_back(till: Till) -> None:
    """The hold ended and money came at once: the job that was to give it back finds it used."""
    booking = await till.shop.book()
    await till.pay(booking)
    async with till.shop.transaction() as session:
        await paying.give_back(session, booking.id)
    await till.work()
    async with till.shop.transaction() as session:
        (payment,) = await Payments(session).of(paying.BOOKING, booking.id)
    assert payment.state == "captured"


async def test_an_unpaid_booking_expires_and_cannot_be_paid(till: Till) -> None:
    """After the hold, paying is refused before the bank is asked."""
    booking = await till.shop.book()
    async with till.shop.transaction() as session:
        past = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Booking).where(Booking.id == booking.id).values(hold_until=past)
        )
    with pytest.raises(NotNow):
        await till.pay(booking)
    assert await till.charges() == []


async def test_the_deposit_starts_the_hire_and_pays_the_bill(till: Till) -> None:
    """Held at the start; at the return the bill is captured from it, once, and mailed."""
    booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        assert (await hires.one(session, hire_id)).state == "out"
    given = ReturnInput(odometer_km=10_900, fuel_eighths=6)
    for _ in range(3):
        async with till.shop.transaction() as session:
            await hires.take_back(session, hire_id, given)
            await paying.settle_soon(session, hire_id)
    await till.work(times=10)
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
    assert (hire.state, deposit.state) == ("closed", "captured")
    assert deposit.captured == hire.billed
    assert 0 < deposit.captured < deposit.amount
    assert len(await till.mails(booking)) == 1


async def test_a_clean_return_releases_the_deposit(till: Till) -> None:
    """Nothing billed: nothing captured."""
    _booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_050, fuel_eighths=8))
        await paying.settle_soon(session, hire_id)
    await till.work(times=5)
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
        assert (await hires.one(session, hire_id)).state == "closed"
    assert (deposit.state, deposit.captured) == ("voided", 0)


@pytest.mark.parametrize(
    ("odometer_km", "path", "state"),
    [(10_900, "/capture$", "captured"), (10_050, "/cancel$", "voided")],
    ids=["taken", "released"],
)
async def test_a_bank_whose_answer_is_lost_is_asked_again_before_anybody_is_told(
    till: Till, odometer_km: int, path: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears that something is still to pay while it is not known what was taken; and a
    release that is under way holds up nothing."""
    monkeypatch.setattr("core.payments.services.payments.WAIT", 0.2)
    booking, hire_id = await till.out()
    till.standin.fault("drop_after", path, times=40)
    async with till.shop.transaction() as session:
        given = ReturnInput(odometer_km=odometer_km, fuel_eighths=8)
        await hires.take_back(session, hire_id, given)
    for _ in range(2):  # the message comes twice
        async with till.shop.transaction() as session:
            await paying.settle(session, hire_id)
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
    assert hire.state == ("returned" if state == "captured" else "closed")
    assert bool(await till.mails(booking)) == (state == "voided")
    till.standin.control("DELETE", "/faults")
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
        for each in await session.scalars(
            select(PaymentOperation).where(PaymentOperation.payment_id == deposit.id)
        ):
            await reconcile.reconcile(session, each.id)
    async with till.shop.transaction() as session:
        await paying.settle(session, hire_id)
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
        assert (await hires.one(session, hire_id)).state == "closed"
    assert deposit.state == state
    assert len(await till.mails(booking)) == 1


async def test_what_the_deposit_does_not_cover_is_paid_at_the_desk(till: Till) -> None:
    """A bill above the deposit leaves the hire open until the rest is taken."""
    _booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=15_000, fuel_eighths=0))
        await paying.settle_soon(session, hire_id)
    await till.work(times=5)
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        owed = await paying.outstanding(session, hire)
    assert hire.state == "returned"
    assert owed.amount == (hire.billed or 0) - 300
    async with till.shop.transaction() as session:
        await paying.pay_rest(session, hire_id, VISA)
    await till.work(times=5)
    async with till.shop.transaction() as session:
        assert (await hires.one(session, hire_id)).state == "closed"


async def test_cancelling_while_the_deposit_is_awaited_frees_the_car(till: Till) -> None:
    """A hire that never left does not keep its car from the next customer."""
    booking = await till.shop.confirmed()
    async with till.shop.transaction() as session:
        hire = await hires.prepare(session, till.shop.readings(booking))
    async with till.shop.transaction() as session:
        await paying.cancel(session, booking.id)
    async with till.shop.transaction() as session:
        assert (await hires.one(session, hire.id)).state == "abandoned"
    for _ in range(3):
        again = await till.shop.confirmed()
        async with till.shop.transaction() as session:
            await hires.prepare(session, till.shop.readings(again))


async def test_a_cancellation_that_is_refused_stops_nothing(till: Till) -> None:
    """Whoever saw an older booking is told; the deposit that is under way stays so."""
    booking = await till.shop.confirmed()
    async with till.shop.transaction() as session:
        hire = await hires.prepare(session, till.shop.readings(booking))
    async with till.shop.transaction() as session:
        await paying.pay_deposit(session, hire.id, THREE_D_SECURE)
    with pytest.raises(EditedMeanwhile):
        async with till.shop.transaction() as session:
            await paying.cancel(session, booking.id, expected=99)
    async with till.shop.transaction() as session:
        assert (await hires.one(session, hire.id)).state == "awaiting_deposit"
        (deposit,) = await Payments(session).of(paying.HIRE, hire.id)
    assert deposit.state == "requires_action"


async def test_pages_with_a_card_field(till: Till, site: Site) -> None:
    """The payment page carries the field and allows its script; paid, it says so."""
    booking = await till.shop.book()
    async with await site.person(till.shop.tenant) as client:
        page = f"/car-hire/desk/bookings/{booking.id}"
        shown = await client.get(page)
        assert "<card-payment" in shown.text
        assert till.standin.base in shown.headers["content-security-policy"]
        bad = await client.post(
            f"{page}/payment", data={"payment_method": "pm_card_chargeDeclined"}
        )
        assert bad.status_code == 402, bad.text[:500]
        paid = await client.post(f"{page}/payment", data={"payment_method": VISA})
        assert paid.status_code == 303, paid.text[:3000]
        assert (await client.get(page)).status_code == 200
    async with await site.person(till.shop.tenant, Role.OWNER) as client:
        path = "/api/v1/car-hire"
        other = await till.shop.book(starts_in=100)
        paid = await client.post(
            f"{path}/bookings/{other.id}/payment", json={"payment_method": VISA}
        )
        assert (paid.status_code, paid.json()["state"]) == (201, "authorised"), paid.text


async def test_what_was_to_be_paid_at_pick_up_is_taken_by_card(till: Till) -> None:
    """The desk takes the price of a confirmed booking once; then nothing is owed."""
    booking = await till.shop.confirmed()
    with pytest.raises(NotNow):
        await till.pay(booking)
    async with till.shop.transaction() as session:
        (await bookings.locked(session, booking.id)).owed_at_pick_up = True
    with pytest.raises(Declined):
        await till.pay(booking, "pm_card_visa_chargeDeclined")
    async with till.shop.transaction() as session:
        assert (await bookings.one(session, booking.id)).owed_at_pick_up
    await till.pay(booking)
    await till.work(times=3)
    taken = [each["amount_received"] for each in await till.charges()]
    assert sorted(taken) == [0, int(booking.gross * 100)] or taken == [int(booking.gross * 100)]
    async with till.shop.transaction() as session:
        assert not (await bookings.one(session, booking.id)).owed_at_pick_up
    with pytest.raises(NotNow):
        await till.pay(booking)

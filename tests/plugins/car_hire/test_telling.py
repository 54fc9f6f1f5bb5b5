"""Who is told of what happens to bookings and hires: by the services that do it, once, with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from sqlalchemy import delete, update

from atrium.testing.site import Site
from core import clock
from core.auth.identity import Identity, acting_as
from core.ids import new_id
from core.notices import Notice
from core.notifications.models import Notification
from core.payments.events import PaymentFailed
from core.payments.services import Payments
from core.permissions import Role
from plugins.car_hire import notices, tasks
from plugins.car_hire.models import Booking, Customer
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import hires, paying, reminders
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_paying import THREE_D_SECURE, VISA, Till, _running, standin, till

__all__ = ["_running", "standin", "till"]


class Undone(Exception):
    """Undoes a transaction."""


@dataclass(frozen=True, slots=True)
class Told:
    """A till, two people of its desk, a customer with a sign-in, and what they were told."""

    till: Till
    clerk: UUID
    colleague: UUID
    customer: UUID

    async def news(self, booking: Booking) -> list[tuple[str, UUID]]:
        """Kinds and readers of what was said of ``booking`` since this was asked last."""
        people = (self.clerk, self.colleague, self.customer)
        taken = (
            delete(Notification)
            .where(Notification.subject_type == "car_hire.booking")
            .where(Notification.subject_id == str(booking.id), Notification.user_id.in_(people))
            .returning(Notification.kind, Notification.user_id)
        )
        async with self.till.shop.transaction() as session:
            return sorted((kind, reader) for kind, reader in await session.execute(taken))

    def desk(self, notice: Notice) -> list[tuple[str, UUID]]:
        """That notice, told to everybody of the desk."""
        return [(notice.name, each) for each in sorted((self.clerk, self.colleague))]

    def theirs(self, notice: Notice) -> list[tuple[str, UUID]]:
        """That notice, told to the customer."""
        return [(notice.name, self.customer)]

    async def asked(self, actor: str) -> list[tuple[dict[str, Any], datetime]]:
        """What waits for later: the arguments, and when it is due."""
        connection = await asyncpg.connect(self.till.dsn)
        try:
            rows = await connection.fetch(
                "SELECT args, due_at FROM outbox.messages WHERE tenant = $1 AND actor = $2"
                " AND state = 'pending' AND due_at > now()",
                self.till.shop.tenant.id,
                actor,
            )
        finally:
            await connection.close()
        return [(json.loads(row["args"]), row["due_at"]) for row in rows]

    async def hear_of_failures(self) -> None:
        """Deliver what payments said of money that is no more to be had."""
        for actor, args in await self.till.waiting():
            if actor == "core.fan_out" and args["event"] == PaymentFailed.name:
                event = msgspec.convert(args["body"], PaymentFailed)
                async with self.till.shop.transaction() as session:
                    await tasks.payment_failed.body(session, event=event)


@pytest.fixture
async def told(till: Till, site: Site) -> Told:
    """People of this test's own."""
    tenant = till.shop.tenant
    clerk, colleague = [await site.enrol(tenant, Role.STAFF) for _ in range(2)]
    customer = await site.enrol(tenant, Role.MEMBER)
    async with till.shop.transaction() as session:
        mine = Customer.id == till.shop.customer.id
        await session.execute(update(Customer).where(mine).values(user_id=customer))
    return Told(till, clerk, colleague, customer)


def somebody(user_id: UUID, role: Role) -> Identity:
    """Who does something in a request."""
    return Identity(
        user_id=user_id, name="", email="", role=role, permissions=frozenset(),
        session_id=new_id(),
    )  # fmt: skip


async def _cancel_and_undo(shop: Shop, booking: Booking) -> None:
    async with shop.transaction() as session:
        await paying.cancel(session, booking.id)
        raise Undone


async def test_a_paid_booking_is_told_to_the_desk(told: Told) -> None:
    """Once, however often the jobs run, and not to the customer, who has just paid."""
    booking = await told.till.shop.book()
    assert await told.news(booking) == []
    await told.till.pay(booking)
    await told.till.work(times=3)
    assert await told.news(booking) == told.desk(notices.BOOKED)


async def test_a_cancelled_booking_is_told_to_desk_and_customer(told: Told) -> None:
    """Save whoever cancels it, and only if it really is cancelled."""
    shop = told.till.shop
    booking = await shop.confirmed()
    await told.news(booking)
    with pytest.raises(Undone):
        await _cancel_and_undo(shop, booking)
    assert await told.news(booking) == []
    with acting_as(somebody(told.clerk, Role.STAFF)):
        async with shop.transaction() as session:
            await paying.cancel(session, booking.id)
    assert await told.news(booking) == [
        (notices.CANCELLED.name, told.colleague), *told.theirs(notices.OWN_CANCELLED),
    ]  # fmt: skip
    own = await shop.confirmed(starts_in=200)
    await told.news(own)
    with acting_as(somebody(told.customer, Role.MEMBER)):
        async with shop.transaction() as session:
            await paying.cancel(session, own.id)
    assert await told.news(own) == told.desk(notices.CANCELLED)


async def test_a_customer_hears_that_their_hold_is_over(told: Told) -> None:
    """Once; the desk has nothing to do with it."""
    shop = told.till.shop
    booking = await shop.book()
    past = clock.now() - timedelta(seconds=1)
    async with shop.transaction() as session:
        mine = Booking.id == booking.id
        await session.execute(update(Booking).where(mine).values(hold_until=past))
    for _ in range(2):
        async with shop.transaction() as session:
            await paying.release_hold(session, booking.id)
    assert await told.news(booking) == told.theirs(notices.OWN_UNPAID)


async def test_a_payment_that_is_lost_after_all_is_told_to_the_desk(told: Told) -> None:
    """Once per event; a card that is declined while paying is nobody else's business."""
    shop = told.till.shop
    booking = await shop.book()
    payment = await told.till.pay(booking)
    await told.news(booking)
    async with shop.transaction() as session:
        await Payments(session).void(payment.id)
    await told.hear_of_failures()
    assert await told.news(booking) == told.desk(notices.PAYMENT_FAILED)
    given_up = await shop.book()
    payment = await told.till.pay(given_up, THREE_D_SECURE)
    async with shop.transaction() as session:
        await Payments(session).void(payment.id)
    await told.hear_of_failures()
    assert await told.news(given_up) == []


async def test_a_deposit_that_lapsed_is_told_to_the_desk(told: Told) -> None:
    """While the car is out; when it is back, letting it go is as it should be."""
    booking, hire_id = await told.till.out()
    await told.news(booking)
    async with told.till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        assert hire.deposit_payment_id is not None
        await Payments(session).void(hire.deposit_payment_id)
    await told.hear_of_failures()
    assert await told.news(booking) == told.desk(notices.DEPOSIT_LAPSED)
    other, hire_id = await told.till.out()
    await told.news(other)
    async with told.till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_050, fuel_eighths=8))
    async with told.till.shop.transaction() as session:
        await paying.settle(session, hire_id)
    await told.hear_of_failures()
    assert await told.news(other) == []


async def test_the_desk_hears_two_days_before_a_deposit_lapses(told: Told) -> None:
    """Asked for as the car leaves; nothing is said of a car that is back."""
    booking, hire_id = await told.till.out()
    await told.news(booking)
    ((args, due_at),) = [
        each
        for each in await told.asked(reminders.REMIND_OF_DEPOSIT)
        if each[0]["hire_id"] == str(hire_id)
    ]
    assert timedelta(days=4.9) < due_at - clock.now() <= timedelta(days=5)
    await told.till.run(reminders.REMIND_OF_DEPOSIT, args)
    assert await told.news(booking) == told.desk(notices.DEPOSIT_LAPSING)
    async with told.till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_050, fuel_eighths=8))
    await told.news(booking)
    await told.till.run(reminders.REMIND_OF_DEPOSIT, args)
    assert await told.news(booking) == []


async def test_a_customer_who_leaves_their_bank_unanswered_is_reminded(told: Told) -> None:
    """Some minutes later, however often they paid; not once the money is there."""
    booking = await told.till.shop.book()
    for _ in range(2):
        payment = await told.till.pay(booking, THREE_D_SECURE)
    assert payment.state == "requires_action"
    ((args, due_at),) = [
        each
        for each in await told.asked(reminders.REMIND_OF_BANK)
        if each[0]["booking_id"] == str(booking.id)
    ]
    assert timedelta(minutes=4) < due_at - clock.now() <= reminders.BANK_AFTER
    assert await told.news(booking) == []
    await told.till.run(reminders.REMIND_OF_BANK, args)
    assert await told.news(booking) == told.theirs(notices.OWN_BANK_ASKS)
    paid = await told.till.shop.book()
    payment = await told.till.pay(paid, VISA)
    await told.till.run(
        reminders.REMIND_OF_BANK, {"booking_id": str(paid.id), "payment_id": str(payment.id)}
    )
    assert await told.news(paid) == told.desk(notices.BOOKED)


async def test_a_bill_is_told_to_its_customer_and_what_is_owed_to_the_desk(told: Told) -> None:
    """A bill that the deposit covers is no work for the desk; no bill is no news."""
    for readings, customer, desk in (
        (ReturnInput(odometer_km=10_000, fuel_eighths=8), False, False),
        (ReturnInput(odometer_km=10_000, fuel_eighths=7), True, False),
        (ReturnInput(odometer_km=15_000, fuel_eighths=0), True, True),
    ):
        booking, hire_id = await told.till.out()
        await told.news(booking)
        async with told.till.shop.transaction() as session:
            await hires.take_back(session, hire_id, readings)
        async with told.till.shop.transaction() as session:
            await paying.settle(session, hire_id)
        assert await told.news(booking) == sorted(
            [
                *(told.theirs(notices.OWN_BILL) if customer else []),
                *(told.desk(notices.OWED) if desk else []),
            ]
        )


async def test_a_customer_without_a_sign_in_is_told_nothing(told: Told) -> None:
    """Letters reach them; there is no bell of theirs."""
    shop = told.till.shop
    async with shop.transaction() as session:
        mine = Customer.id == shop.customer.id
        await session.execute(update(Customer).where(mine).values(user_id=None))
    booking = await shop.confirmed()
    await told.news(booking)
    async with shop.transaction() as session:
        await paying.cancel(session, booking.id)
    assert await told.news(booking) == told.desk(notices.CANCELLED)

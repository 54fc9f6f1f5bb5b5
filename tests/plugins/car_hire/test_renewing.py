"""Deposits of long hires: always one hold, never two that stay, whatever dies in between."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core import clock
from core.mail.models import Mail
from core.notifications.models import Notification
from core.payments.models import Payment
from core.payments.services import Payments
from core.permissions import Role
from plugins.car_hire import notices
from plugins.car_hire.models import Booking, DepositRefusal
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import hires, paying
from plugins.car_hire.services.paying import renewing
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_paying import VISA, Till, _running, standin, till

__all__ = ["_running", "standin", "till"]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "before"), [(7 * 24, 72), (114, 57), (96, 54), (60, 54), (30, 29)]
)
def test_a_hold_is_renewed_with_two_days_left_to_act(hours: int, before: int) -> None:
    """Three days before it lapses; later where the bank holds for a shorter time, never at once."""
    until = NOW + timedelta(hours=hours)
    assert until - renewing.due(NOW, until) == timedelta(hours=before)


async def holds(till: Till, hire_id: UUID) -> list[Payment]:
    async with till.shop.transaction() as session:
        return list(await Payments(session).of(paying.HIRE, hire_id))


async def held(till: Till) -> list[int]:
    """What the bank holds at this moment, in cents."""
    return [each["amount_capturable"] for each in await till.charges() if each["amount_capturable"]]


async def renew(till: Till, hire_id: UUID) -> None:
    """The days go by: the job that is waiting comes, and comes again."""
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        args = {"hire_id": str(hire_id), "payment_id": str(hire.deposit_payment_id)}
    for _ in range(2):
        await till.run(paying.RENEW, args)


async def test_a_hold_is_renewed_again_and_again_and_settled_by_the_last(till: Till) -> None:
    """Three weeks; every message comes ten times, shuffled, late ones of older holds too."""
    _booking, hire_id = await till.out()
    seen = await till.waiting()
    for times in range(3):
        await renew(till, hire_id)
        assert await held(till) == [30_000, 30_000]  # never a moment without
        for actor, args in seen:
            await till.run(actor, args)
        await till.work(times=10)
        assert await held(till) == [30_000]
        assert len(await holds(till, hire_id)) == times + 2
    async with till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_900, fuel_eighths=8))
        await paying.settle_soon(session, hire_id)
    await till.work(times=3)
    states = [each.state for each in await holds(till, hire_id)]
    assert states == ["voided", "voided", "voided", "captured"]
    assert await held(till) == []


async def test_many_renewals_at_once_and_lost_answers_are_one(till: Till) -> None:
    """Five workers have the job, the first answer of the bank is lost."""
    _booking, hire_id = await till.out()
    await till.waiting()
    till.standin.fault("drop_after", "/v1/payment_intents$")
    await asyncio.gather(*(renew(till, hire_id) for _ in range(5)))
    await till.work(times=3)
    assert await held(till) == [30_000]
    assert [each.purpose for each in await holds(till, hire_id)] == ["deposit", "deposit.2"]


async def test_a_car_that_came_back_meanwhile_keeps_no_second_hold(till: Till) -> None:
    """The bank says yes just as the bill is settled: the newer hold is released."""
    _booking, hire_id = await till.out()
    await till.waiting()
    await renew(till, hire_id)
    async with till.shop.transaction() as session:
        await hires.take_back(session, hire_id, ReturnInput(odometer_km=10_100, fuel_eighths=8))
    await till.work(times=3)
    async with till.shop.transaction() as session:
        await paying.settle(session, hire_id)
    assert await held(till) == []


@pytest.mark.parametrize("code", ["authentication_required", "insufficient_funds"])
async def test_a_refusal_is_told_once_and_the_link_takes_another_card(
    till: Till, site: Site, code: str
) -> None:
    """Desk and customer hear two days before it lapses; the link needs no sign-in."""
    clerk = await site.enrol(till.shop.tenant, Role.STAFF)
    booking, hire_id = await till.out()
    await till.waiting()
    (first,) = await holds(till, hire_id)
    left = first.reserved_until - renewing.due(clock.now(), first.reserved_until)
    assert left >= timedelta(days=2)
    till.standin.control("POST", f"/cards/{first.method_ref}/refusal", {"code": code})
    await renew(till, hire_id)
    await renew(till, hire_id)
    path = await link(till.shop, booking)
    async with till.shop.transaction() as session:
        refusal = (await session.scalars(_refusals(hire_id))).one()
        told = select(Notification).where(Notification.kind == notices.DEPOSIT_REFUSED.name)
        rows = await session.scalars(told.where(Notification.subject_id == str(booking.id)))
        assert [each.user_id for each in rows].count(clerk) == 1
    assert refusal.reason == code
    assert await held(till) == [30_000]
    async with await site.person(till.shop.tenant) as desk:
        page = await desk.get(f"/car-hire/desk/bookings/{booking.id}")
        assert f"/car-hire/desk/hires/{hire_id}/deposit" in page.text
    async with site.visitor(till.shop.tenant) as customer:
        assert "card-payment" in (await customer.get(path)).text
        declined = await customer.post(path, data={"payment_method": "pm_card_chargeDeclined"})
        assert declined.status_code == 402
        taken = await customer.post(path, data={"payment_method": VISA})
        assert taken.status_code == 303, taken.text[:2000]
        await till.work(times=5)
        assert "card-payment" not in (await customer.get(path)).text
        before = len(await holds(till, hire_id))
        used = await customer.post(path, data={"payment_method": VISA})
        assert used.status_code == 303
        assert len(await holds(till, hire_id)) == before, "a link takes one card"
        assert (await customer.get(f"{path}x")).status_code == 404
    assert await held(till) == [30_000]


async def test_a_hold_that_lapsed_is_not_renewed_by_itself(till: Till) -> None:
    """The bank let it go: the desk heard, and another card at the desk holds anew."""
    _booking, hire_id = await till.out()
    await till.waiting()
    (first,) = await holds(till, hire_id)
    async with till.shop.transaction() as session:
        await session.execute(
            update(Payment).where(Payment.id == first.id).values(state="voided", unsettled=False)
        )
    await renew(till, hire_id)
    assert len(await holds(till, hire_id)) == 1
    async with till.shop.transaction() as session:
        await paying.pay_deposit(session, hire_id, VISA)
    await till.work()
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
    assert hire.deposit_payment_id != first.id


def _refusals(hire_id: UUID) -> Any:
    return select(DepositRefusal).where(DepositRefusal.hire_id == hire_id)


async def link(shop: Shop, booking: Booking) -> str:
    """The address in the one letter that was written."""
    async with shop.transaction() as session:
        written = await session.scalars(select(Mail).where(Mail.key.contains("deposit_again")))
        (letter,) = [each for each in written if booking.number in each.subject]
    found = re.search(r"/car-hire/deposits/\S+", letter.text)
    assert found is not None
    return found[0]

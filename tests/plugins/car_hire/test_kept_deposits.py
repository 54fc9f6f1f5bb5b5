"""Deposits that the desk keeps after a return: charged by hand, taken in part, or released."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from core.errors import Invalid
from core.payments.services import Payments
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.schemas_money import ChargeInput
from plugins.car_hire.services import cash, hires, paying, paying_by_hand
from plugins.car_hire.services.papers import invoices, refunding
from plugins.car_hire.services.paying import kept
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_papers import NOTHING, prefix
from tests.plugins.car_hire.test_paying import Till, _running, standin, till
from tests.plugins.car_hire.test_renewing import held, renew

__all__ = ["_running", "prefix", "standin", "till"]

NET = Decimal("40.00")


async def brought_back(till: Till) -> tuple[Booking, UUID]:
    """A car is back, and its deposit kept."""
    booking, hire_id = await till.out()
    async with till.shop.transaction() as session:
        given = ReturnInput(odometer_km=10_100, fuel_eighths=8, keep_deposit=True)
        await hires.take_back(session, hire_id, given)
        await paying.settle_soon(session, hire_id)
    await till.work(times=3)
    assert await held(till) == [30_000]
    return booking, hire_id


async def test_a_part_is_taken_by_what_the_bill_says(till: Till) -> None:
    """Two charges, one too large is refused; the hold is renewed meanwhile; then taken once."""
    booking, hire_id = await brought_back(till)
    async with till.shop.transaction() as session:
        line = await kept.charge(session, hire_id, ChargeInput(reason="Lost key", amount=NET))
        await kept.charge(session, hire_id, ChargeInput(reason="Smoke", amount=Decimal(10)))
        with pytest.raises(NotNow):
            await invoices.of_booking(session, booking.id, NOTHING)
    with pytest.raises(Invalid):
        async with till.shop.transaction() as session:
            await kept.charge(session, hire_id, ChargeInput(reason="Roof", amount=Decimal(290)))
    await renew(till, hire_id)
    await till.work(times=3)
    assert await held(till) == [30_000]
    async with till.shop.transaction() as session:
        await kept.take(session, hire_id, "The customer agrees")
    await till.work(times=5)
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        taken = await Payments(session).of(paying.HIRE, hire_id)
        with pytest.raises(NotNow):
            await kept.charge(session, hire_id, ChargeInput(reason="Late", amount=NET))
    assert line.evidence["texts"]["en"] == "Lost key"
    assert (hire.state, hire.billed) == ("closed", sum(each.captured for each in taken))
    assert hire.billed is not None
    assert hire.billed >= NET + 10
    assert await held(till) == []


async def test_a_release_takes_nothing_and_leaves_the_bill_owed(till: Till) -> None:
    _booking, hire_id = await brought_back(till)
    async with till.shop.transaction() as session:
        await kept.charge(session, hire_id, ChargeInput(reason="Lost key", amount=NET))
        await kept.release(session, hire_id, "Pays in cash")
    await till.work(times=5)
    async with till.shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        owed = await paying.outstanding(session, hire)
    assert await held(till) == []
    assert (hire.state, owed.amount) == ("returned", hire.billed)
    async with till.shop.transaction() as session:
        await paying_by_hand.take_rest(session, hire_id, "cash")
        assert (await hires.one(session, hire_id)).state == "closed"


async def test_the_page_keeps_what_was_typed_and_the_api_does_the_same(
    till: Till, site: Site
) -> None:
    booking, hire_id = await brought_back(till)
    desk_path, api = f"/car-hire/desk/hires/{hire_id}", f"/api/v1/car-hire/hires/{hire_id}"
    async with await site.person(till.shop.tenant) as desk:
        typed = {"reason": "A roof rack", "amount": "9000"}
        refused = await desk.post(f"{desk_path}/charges", data=typed)
        assert (refused.status_code, "A roof rack" in refused.text) == (422, True)
        assert "9000" in refused.text
        empty = await desk.post(f"{desk_path}/deposit-release", data={"reason": ""})
        assert empty.status_code == 422
        key = {"idempotency-key": f"k-{hire_id}"}
        body = {"reason": "Lost key", "amount": "40.00"}
        for _ in range(2):
            made = await desk.post(f"{api}/charges", json=body, headers=key)
            assert made.status_code == 201, made.text
        page = await desk.get(f"/car-hire/desk/bookings/{booking.id}")
        assert page.text.count("<td>Lost key") == 1
        done = await desk.post(f"{api}/deposit-taking", json={"reason": "Agreed"})
        assert done.status_code == 200, done.text


async def test_a_part_of_what_was_received_by_hand_goes_back_by_a_credit_note(
    shop: Shop, prefix: str
) -> None:
    """Half of a cash payment in goodwill: out of the drawer, once for a key; never more."""
    booking = await shop.book()
    async with shop.transaction() as session:
        await paying_by_hand.take_price(session, booking.id, "cash")
    async with shop.transaction() as session:
        hire = await hires.prepare(session, shop.readings(booking))
        await hires.depart(session, hire.id)
    await shop.back(hire.id)
    async with shop.transaction() as session:
        await hires.close(session, hire.id)
        before = await _in_drawer(session)
    async with shop.transaction() as session:
        paper = await invoices.of_booking(session, booking.id, NOTHING)
        way = refunding.WAYS["cash"]
        for _ in range(2):
            note = await way(session, paper.id, {0: Decimal("10.00")}, "Goodwill", f"g:{hire.id}")
        (payment,) = await Payments(session).of(paying.BOOKING, booking.id)
        assert payment.refunded == note.gross
        assert await _in_drawer(session) == before - note.gross
    with pytest.raises(Invalid):
        async with shop.transaction() as session:
            await refunding.WAYS["card"](session, paper.id, {0: Decimal(1)}, "Card", "none paid")


async def _in_drawer(session: AsyncSession) -> Decimal:
    desk = await cash.opened(session)
    assert desk is not None
    return (await cash.drawer(session, desk)).expected.amount

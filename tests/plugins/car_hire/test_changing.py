"""A booking that stands is extended, shortened, moved, swapped and upgraded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.errors import EditedMeanwhile
from plugins.car_hire.errors import Collision, NotNow
from plugins.car_hire.schemas import BlockInput, ReturnInput
from plugins.car_hire.services import blocks, bookings, changing, hires, pricing, quotes
from plugins.car_hire.services.pricing import rules
from tests.plugins.car_hire.shop import Shop, class_prices


@pytest.fixture
async def one_car(shop: Shop) -> Shop:
    return await Shop.open(shop.databases, shop.tenant, cars=1)


async def test_a_longer_hire_costs_what_was_previewed(shop: Shop) -> None:
    """The difference is shown first, by the terms of the quote, and is the new quote's then."""
    booking = await shop.book(hours=48)
    later = booking.ends_at + timedelta(hours=24)
    async with shop.transaction() as session:
        made = await changing.preview(session, booking.id, booking.starts_at, later)
    async with shop.transaction() as session:
        changed = await changing.change_dates(session, booking.id, booking.starts_at, later)
        quote = await quotes.one(session, changed.quote_id)
    assert made.difference.amount > 0
    assert changed.gross == quote.gross == booking.gross + made.difference.amount
    assert (changed.ends_at, changed.paid_quote_id) == (later, None)


@pytest.mark.parametrize("hours", [24, -24])
async def test_what_changes_after_the_payment_is_settled_with_the_bill(
    shop: Shop, hours: int
) -> None:
    """Extended or shortened while the car is out, the bill takes or gives back the difference."""
    booking, hire_id = await shop.out(hours=48)
    ends_at = booking.ends_at + timedelta(hours=hours)
    async with shop.transaction() as session:
        changed = await changing.change_dates(session, booking.id, booking.starts_at, ends_at)
        given = ReturnInput(odometer_km=10_000, fuel_eighths=8)
        await hires.take_back(session, hire_id, given)
        lines = await hires.bill_lines(session, hire_id)
    assert [line.rule for line in lines] == [rules.CHANGED]
    assert lines[0].gross == changed.gross - booking.gross
    assert (lines[0].gross > 0) == (hours > 0)


async def test_who_is_in_the_way_is_said(one_car: Shop) -> None:
    """The car cannot be kept longer while somebody else has it next, and nothing changes."""
    booking, _hire = await one_car.out(hours=24)
    following = await one_car.confirmed(starts_in=30)
    later = booking.ends_at + timedelta(hours=12)
    async with one_car.transaction() as session:
        with pytest.raises(Collision, match=following.number):
            await changing.change_dates(session, booking.id, booking.starts_at, later)
        await session.rollback()
    async with one_car.transaction() as session:
        assert (await bookings.one(session, booking.id)).ends_at == booking.ends_at


async def test_a_booking_that_is_extended_moves_where_it_may(shop: Shop) -> None:
    """Neither pinned nor out, it gets another car of its class rather than a refusal."""
    own = await Shop.open(shop.databases, shop.tenant, cars=2)
    booking = await own.confirmed(starts_in=1, hours=24)
    first, second = await own.confirmed(starts_in=27), await own.confirmed(starts_in=100)
    blocker = first if first.vehicle_id == booking.vehicle_id else None
    later = booking.ends_at + timedelta(hours=12)
    async with own.transaction() as session:
        changed = await changing.change_dates(session, booking.id, booking.starts_at, later)
    assert (changed.vehicle_id != booking.vehicle_id) == (blocker is not None)
    assert second.state == "confirmed"


async def test_two_bookings_exchange_their_cars(shop: Shop) -> None:
    """Overlapping bookings too; a car that is out stays where it is."""
    one, other = await shop.confirmed(starts_in=5), await shop.confirmed(starts_in=6)
    async with shop.transaction() as session:
        after = await changing.swap(session, one.id, other.id)
    assert [each.vehicle_id for each in after] == [other.vehicle_id, one.vehicle_id]
    out, _hire = await shop.out(starts_in=0.1, hours=2)
    async with shop.transaction() as session:
        with pytest.raises(NotNow):
            await changing.swap(session, out.id, one.id)


async def test_an_upgrade_shows_its_price_and_takes_a_car_of_the_class(shop: Shop) -> None:
    """The dearer class at its own rates; the desk may also give the car for nothing."""
    from_class = await shop.confirmed(starts_in=5)
    kept_price = await shop.confirmed(starts_in=5)
    prices = class_prices(rate=pricing.Rate(day=Decimal(99)))
    dear = await Shop.open(shop.databases, shop.tenant, cars=2, prices=prices)
    async with shop.transaction() as session:
        made = await changing.preview_upgrade(session, from_class.id, dear.vehicle_class.id)
        changed = await changing.upgrade(session, from_class.id, dear.vehicle_class.id)
        other = next(car.id for car in dear.cars if car.id != changed.vehicle_id)
        given = await changing.move(session, kept_price.id, other)
    assert changed.gross == from_class.gross + made.difference.amount > from_class.gross
    assert changed.vehicle_id in {car.id for car in dear.cars}
    assert (given.gross, given.class_id) == (kept_price.gross, dear.vehicle_class.id)


async def test_maintenance_moves_what_it_meets_or_is_refused(one_car: Shop) -> None:
    """A booking in the way is named; with another car free it moves there; the end frees it."""
    booking = await one_car.confirmed(starts_in=5, hours=24)
    given = BlockInput(starts_at=booking.starts_at, ends_at=booking.ends_at)
    async with one_car.transaction() as session:
        with pytest.raises(Collision, match=booking.number):
            await blocks.add(session, booking.vehicle_id, given)
        with pytest.raises(Collision, match=booking.number):
            await blocks.add_and_move(session, booking.vehicle_id, given)
        await session.rollback()
    async with one_car.transaction() as session:
        await bookings.cancel(session, booking.id)
        block = await blocks.add(session, booking.vehicle_id, given)
    with pytest.raises(Exception, match="No car of this class"):
        await one_car.book(starts_in=5, hours=2)
    async with one_car.transaction() as session:
        await blocks.end(session, block.id)
    await one_car.book(starts_in=5, hours=2)


async def test_two_clerks_who_change_one_booking_are_told(shop: Shop) -> None:
    """The second saw a version that is no more."""
    booking = await shop.confirmed()
    later = booking.ends_at + timedelta(hours=1)
    dates = booking.starts_at, later
    async with shop.transaction() as session:
        await changing.change_dates(session, booking.id, *dates, booking.version)
    async with shop.transaction() as session:
        with pytest.raises(EditedMeanwhile):
            await changing.change_dates(session, booking.id, *dates, booking.version)
        await session.rollback()

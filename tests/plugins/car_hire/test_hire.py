"""Hires: handing over, taking back, the bill."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from core import clock
from core.errors import EditedMeanwhile, Invalid
from core.money import Money
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Customer, Hire, Occupancy, Vehicle
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import bookings, checks, fleet, hires, occupying, pricing, quotes
from tests.plugins.car_hire.shop import Shop, class_prices, publish


async def test_a_car_drives_off_once_the_deposit_is_held(shop: Shop) -> None:
    """Prepared, it waits; departed, booking and car say so, and the hire is counted once."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        hire = await hires.prepare(session, shop.readings(booking, odometer_km=10_050))
        assert (hire.state, hire.deposit) == ("awaiting_deposit", 300)
    for _ in range(10):
        async with shop.transaction() as session:
            await hires.depart(session, hire.id)
    async with shop.transaction() as session:
        assert (await hires.one(session, hire.id)).state == "out"
        assert (await bookings.one(session, booking.id)).state == "out"
        assert (await fleet.vehicle(session, booking.vehicle_id)).odometer_km == 10_050
        counted = await session.scalar(
            text("SELECT sum(quantity) FROM usage_records WHERE key = :key"), {"key": str(hire.id)}
        )
    assert counted == 1


async def test_ten_clicks_hand_over_one_car(shop: Shop) -> None:
    """The same start, sent ten times at once, is one hire."""
    booking = await shop.confirmed()

    async def start() -> Hire:
        async with shop.transaction() as session:
            return await hires.prepare(session, shop.readings(booking))

    made = await asyncio.gather(*(start() for _ in range(10)))
    assert len({hire.id for hire in made}) == 1
    async with shop.transaction() as session:
        query = select(func.count()).select_from(Hire).where(Hire.booking_id == booking.id)
        assert await session.scalar(query) == 1


async def test_without_a_deposit_the_car_leaves_at_once(shop: Shop) -> None:
    """A class without a deposit asks for no second payment."""
    prices = class_prices(deposit=Decimal(0))
    free = await Shop.open(shop.databases, shop.tenant, prices=prices)
    booking = await free.confirmed()
    async with free.transaction() as session:
        assert (await hires.prepare(session, free.readings(booking))).state == "out"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"odometer_km": 9_999}, "odometer_km"),
        ({"odometer_km": 500_000}, "odometer_km"),
        ({"licence_seen": False}, "licence_seen"),
    ],
)
async def test_wrong_readings_are_refused(shop: Shop, changes: dict[str, Any], field: str) -> None:
    """An odometer that ran backwards or leapt, and a licence nobody looked at."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        with pytest.raises(Invalid) as refused:
            await hires.prepare(session, shop.readings(booking, **changes))
    assert [error.field for error in refused.value.errors] == [field]


async def test_a_licence_that_ran_out_since_the_booking_stops_the_hire(shop: Shop) -> None:
    """What was true when they booked is checked again when they come."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.licence_expires = clock.today(shop.tenant.zone)
    async with shop.transaction() as session:
        with pytest.raises(checks.Unfit):
            await hires.prepare(session, shop.readings(booking))


async def test_a_car_in_maintenance_or_with_somebody_else_is_not_handed_over(shop: Shop) -> None:
    """The calendar may say free while the car is not here."""
    first, _hire = await shop.out(starts_in=0, hours=1)
    second = await shop.confirmed(starts_in=1.5, hours=2)
    async with shop.transaction() as session:
        for row in (Booking, Occupancy):
            await session.execute(
                update(row).where(row.id == second.id).values(vehicle_id=first.vehicle_id)
            )
    async with shop.transaction() as session:
        with pytest.raises(hires.VehicleNotHere):
            await hires.prepare(session, shop.readings(second))
    third = await shop.confirmed(starts_in=0)
    async with shop.transaction() as session:
        await session.execute(
            update(Vehicle).where(Vehicle.id == third.vehicle_id).values(status="maintenance")
        )
    async with shop.transaction() as session:
        with pytest.raises(hires.VehicleNotHere):
            await hires.prepare(session, shop.readings(third))


async def test_only_a_confirmed_booking_near_its_time_starts(shop: Shop) -> None:
    """Unpaid or hours too early: not now."""
    for booking in (await shop.book(), await shop.confirmed(starts_in=10)):
        async with shop.transaction() as session:
            with pytest.raises(NotNow):
                await hires.prepare(session, shop.readings(booking))


async def test_a_car_handed_over_early_is_taken_from_then_on(shop: Shop) -> None:
    """The calendar shows the car gone from the moment it leaves."""
    booking, _hire = await shop.out(starts_in=1.5)
    async with shop.transaction() as session:
        period = await occupying.period_of(session, booking.id)
    assert period is not None
    assert period.lower is not None
    assert period.lower < booking.starts_at


async def test_a_return_writes_a_bill_that_can_be_made_again(shop: Shop) -> None:
    """Each line names its rule and evidence; the stored facts give the same lines."""
    booking, hire_id = await shop.out()
    given = ReturnInput(odometer_km=10_000 + 500, fuel_eighths=6)
    async with shop.transaction() as session:
        shown = await hires.preview(session, hire_id, given)
    await shop.back(hire_id, odometer_km=10_500, fuel_eighths=6)
    async with shop.transaction() as session:
        hire = await hires.one(session, hire_id)
        lines = await hires.bill_lines(session, hire_id)
        quote = await quotes.one(session, booking.quote_id)
        car = await fleet.vehicle(session, hire.vehicle_id)
    assert [line.rule for line in lines] == ["fuel.missing", "mileage.excess"]
    assert [line.evidence for line in lines] == [line.evidence for line in shown.lines]
    assert hire.billed == sum(line.gross for line in lines) == shown.gross.amount
    assert (car.odometer_km, car.fuel_eighths) == (10_500, 6)
    assert hire.returned_at is not None
    assert hire.odometer_in is not None
    assert hire.fuel_in is not None
    seen = pricing.Readings(
        due_at=booking.ends_at,
        returned_at=hire.returned_at,
        odometer_out=hire.odometer_out,
        odometer_in=hire.odometer_in,
        fuel_out=hire.fuel_out,
        fuel_in=hire.fuel_in,
    )
    again = pricing.bill(quotes.terms_then(quote), quote.days, seen)
    assert [line.gross.amount for line in again.lines] == [line.gross for line in lines]


async def test_rates_that_change_later_do_not_change_the_bill(shop: Shop) -> None:
    """The bill is made from the terms of the quote, not from today's rates."""
    _booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        fuel = pricing.Fuel(per_unit=Decimal(99))
        await publish(session, {shop.vehicle_class.id: class_prices(fuel=fuel)})
    await shop.back(hire_id, fuel_eighths=7)
    async with shop.transaction() as session:
        (line,) = await hires.bill_lines(session, hire_id)
    assert line.unit_price == Decimal("12.50")


async def test_a_return_sent_ten_times_is_one_bill(shop: Shop) -> None:
    """The same readings at once from ten connections: one set of lines, and no error."""
    _booking, hire_id = await shop.out()
    await asyncio.gather(*(shop.back(hire_id, fuel_eighths=6) for _ in range(10)))
    async with shop.transaction() as session:
        assert len(await hires.bill_lines(session, hire_id)) == 1
    with pytest.raises(NotNow):
        await shop.back(hire_id, fuel_eighths=5)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"odometer_km": 9_000}, "odometer_km"),
        ({"odometer_km": 900_000}, "odometer_km"),
        ({"returned_at": timedelta(days=-1)}, "returned_at"),
        ({"returned_at": timedelta(days=1)}, "returned_at"),
    ],
)
async def test_impossible_returns_are_refused(
    shop: Shop, changes: dict[str, Any], field: str
) -> None:
    """Backwards, a leap, before it left, tomorrow: the field is named and nothing is written."""
    _booking, hire_id = await shop.out()
    if isinstance(changes.get("returned_at"), timedelta):
        changes = {"returned_at": clock.now() + changes["returned_at"]}
    with pytest.raises(Invalid) as refused:
        await shop.back(hire_id, **changes)
    assert [error.field for error in refused.value.errors] == [field]
    async with shop.transaction() as session:
        assert (await hires.one(session, hire_id)).state == "out"


async def test_a_returned_car_can_be_hired_at_once(shop: Shop) -> None:
    """Back early, it blocks nothing any more."""
    for _ in range(3):
        _booking, hire_id = await shop.out(starts_in=0)
    with_nobody = await shop.quote(starts_in=100)
    assert with_nobody.days == 2
    await shop.back(hire_id)
    assert (await shop.book(starts_in=2)).state == "pending_payment"


async def test_two_clerks_on_one_hire_are_told(shop: Shop) -> None:
    """A return that was begun on an older version of the hire is refused, and loses nothing."""
    _booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        seen = (await hires.one(session, hire_id)).version
    async with shop.transaction() as session:
        given = ReturnInput(odometer_km=10_100, fuel_eighths=8)
        with pytest.raises(EditedMeanwhile):
            await hires.take_back(session, hire_id, given, seen - 1)


async def test_the_deposit_pays_what_it_can(shop: Shop) -> None:
    """A bill above the deposit takes all of it and leaves the rest owed."""
    _booking, hire_id = await shop.out()
    await shop.back(hire_id, odometer_km=15_000)
    async with shop.transaction() as session:
        hire = await hires.one(session, hire_id)
    hire.deposit_payment_id = hire.id
    taken, rest = hires.owed(hire)
    assert taken == Money.of(300, "EUR")
    assert taken + rest == Money(hire.billed or Decimal(0), "EUR")
    assert rest.amount > 0

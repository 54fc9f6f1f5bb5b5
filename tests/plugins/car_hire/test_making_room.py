"""Bookings move to other cars of their class where that makes room for one more, or stay."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from core.ids import new_id
from plugins.car_hire.errors import VehicleUnavailable
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings, occupying
from plugins.car_hire.services.repacking import Piece, plan
from tests.plugins.car_hire.shop import Shop

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
CARS = [new_id() for _ in range(4)]


def _piece(car: int, start: int, hours: int, *, moves: bool = True) -> Piece:
    begins = BEGAN + timedelta(hours=start)
    return Piece(new_id(), CARS[car], begins, begins + timedelta(hours=hours), moves)


def _meet(one: Piece, other: Piece) -> bool:
    return one.lower < other.upper and other.lower < one.upper


@st.composite
def _calendars(draw: st.DrawFn) -> list[Piece]:
    """Pieces on four cars that do not overlap."""
    made: list[Piece] = []
    for car in range(len(CARS)):
        at = 0
        for _ in range(draw(st.integers(0, 5))):
            at += draw(st.integers(0, 6))
            hours = draw(st.integers(1, 8))
            made.append(_piece(car, at, hours, moves=draw(st.integers(0, 3)) > 0))
            at += hours
    return made


@given(_calendars(), st.integers(0, 30), st.integers(1, 12))
def test_a_plan_never_overlaps_and_never_moves_what_is_fixed(
    there: list[Piece], start: int, hours: int
) -> None:
    """Whatever stands where, the plan is a calendar again."""
    wanted = _piece(0, start, hours)
    found = plan(wanted, CARS, there)
    if found is None:
        return
    assert all(each.moves for each in there if each.id in found)
    places = [each._replace(vehicle_id=found.get(each.id, each.vehicle_id)) for each in there]
    places.append(wanted._replace(vehicle_id=found[wanted.id]))
    for n, one in enumerate(places):
        for other in places[n + 1 :]:
            assert one.vehicle_id != other.vehicle_id or not _meet(one, other)


@given(_calendars(), st.integers(0, 30), st.integers(1, 12))
def test_there_is_room_wherever_not_every_car_is_taken_at_once(
    there: list[Piece], start: int, hours: int
) -> None:
    """With nothing fixed, only a moment at which all cars are taken refuses."""
    moving = [each._replace(moves=True) for each in there]
    wanted = _piece(0, start, hours)
    assert (plan(wanted, CARS, moving) is None) == _is_full(wanted, moving)


def _is_full(wanted: Piece, pieces: Sequence[Piece]) -> bool:
    moments = [max(each.lower, wanted.lower) for each in pieces if _meet(each, wanted)]
    return any(sum(e.lower <= at < e.upper for e in pieces) >= len(CARS) for at in moments)


async def _fragmented(shop: Shop) -> tuple[Booking, Booking]:
    """Two cars, each taken on one of two days: nothing is free for both days."""
    early, late = await shop.confirmed(30, 20), await shop.confirmed(54, 20)
    if early.vehicle_id == late.vehicle_id:
        other = next(car.id for car in shop.cars if car.id != late.vehicle_id)
        async with shop.transaction() as session:
            period = await occupying.period_of(session, late.id)
            assert period is not None
            await occupying.exchange(session, {late.id: (other, period)})
            await session.execute(
                update(Booking).where(Booking.id == late.id).values(vehicle_id=other)
            )
    return early, late


async def test_a_booking_makes_room_for_another(shop: Shop) -> None:
    """No single car is free for both days, but one is once a booking has moved."""
    own = await Shop.open(shop.databases, shop.tenant, cars=2)
    before = await _fragmented(own)
    made = await own.book(28, 48)
    async with own.transaction() as session:
        after = [await bookings.one(session, each.id) for each in before]
    assert after[0].vehicle_id == after[1].vehicle_id != made.vehicle_id


async def test_pinned_bookings_stay(shop: Shop) -> None:
    """What the desk pinned is not moved for anybody; nothing has changed then."""
    own = await Shop.open(shop.databases, shop.tenant, cars=2)
    before = await _fragmented(own)
    quote = await own.quote(28, 48)
    async with own.transaction() as session:
        ids = [each.id for each in before]
        await session.execute(update(Booking).where(Booking.id.in_(ids)).values(pinned=True))
    with pytest.raises(VehicleUnavailable):
        await own.place(quote)


def test_a_crowded_class_is_planned_quickly() -> None:
    """Anybody may ask for a quote, and all businesses share a process."""
    cars = [new_id() for _ in range(60)]
    chance = random.Random(1)  # the same calendar each time
    there: list[Piece] = []
    for car in cars:
        begins = BEGAN + timedelta(hours=chance.randrange(40))
        while begins < BEGAN + timedelta(days=31):
            ends = begins + timedelta(hours=chance.randrange(24, 96))
            there.append(Piece(new_id(), car, begins, ends, chance.random() < 0.8))
            begins = ends + timedelta(hours=chance.choice((1, 3, 8, 20, 30)))
    for day in range(8, 11):
        begins = BEGAN + timedelta(days=day)
        wanted = Piece(new_id(), cars[0], begins, begins + timedelta(days=3), moves=True)
        before = time.process_time()
        plan(wanted, cars, there)
        assert time.process_time() - before < 0.3

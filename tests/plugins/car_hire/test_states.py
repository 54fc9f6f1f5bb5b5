"""The two state machines: the tables themselves, and random walks through the services."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from plugins.car_hire.models import Booking, states
from plugins.car_hire.schemas import BlockInput, ReturnInput
from plugins.car_hire.services import blocks, bookings, changing, hires
from tests.plugins.car_hire.shop import Shop


@pytest.mark.parametrize("machine", [states.BOOKING, states.HIRE])
def test_every_state_is_known_and_some_are_final(machine: states.Transitions) -> None:
    """No transition leads out of the table, and every walk can end."""
    reachable = set().union(*machine.values())
    assert reachable <= set(machine)
    assert any(not following for following in machine.values())


@pytest.mark.parametrize(
    ("table", "machine"),
    [("car_hire_bookings", states.BOOKING), ("car_hire_hires", states.HIRE)],
)
async def test_the_database_knows_the_same_states(
    shop: Shop, table: str, machine: states.Transitions
) -> None:
    """The CHECK repeats the table's words, no more and no less."""
    async with shop.transaction() as session:
        rule = await session.scalar(
            text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
                 " AND conrelid = CAST(:table AS regclass)"),
            {"name": f"ck_{table}_state", "table": table},
        )  # fmt: skip
    assert set(re.findall(r"'(\w+)'", str(rule))) == set(machine)


def test_what_blocks_a_car_can_still_lead_to_a_hire() -> None:
    """A final state never keeps a car from others."""
    assert all(states.BOOKING[state] for state in states.BLOCKING)


async def _confirm(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await bookings.confirm(session, await bookings.locked(session, booking.id))


async def _cancel(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await bookings.cancel(session, booking.id)


async def _no_show(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await bookings.no_show(session, booking.id)


async def _expire(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    found = await bookings.locked(session, booking.id)
    await bookings.move(session, found, "expired")


async def _prepare(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await hires.prepare(session, shop.readings(booking))


async def _depart(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    if hire := await hires.of_booking(session, booking.id):
        await hires.depart(session, hire.id)


async def _abandon(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    if hire := await hires.of_booking(session, booking.id):
        await hires.abandon(session, hire.id)


async def _take_back(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    if hire := await hires.of_booking(session, booking.id):
        await hires.take_back(session, hire.id, ReturnInput(odometer_km=10_100, fuel_eighths=8))


async def _close(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    if hire := await hires.of_booking(session, booking.id):
        await hires.close(session, hire.id)


async def _extend(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    found = await bookings.one(session, booking.id)
    later = found.ends_at + timedelta(hours=3)
    await changing.change_dates(session, booking.id, found.starts_at, later)


async def _shorten(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    found = await bookings.one(session, booking.id)
    sooner = found.ends_at - timedelta(hours=1)
    await changing.change_dates(session, booking.id, found.starts_at, sooner)


async def _pin(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await changing.pin(session, booking.id)


async def _unpin(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    await changing.unpin(session, booking.id)


async def _swap(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    query = select(Booking.id).where(Booking.class_id == booking.class_id, Booking.id != booking.id)
    for other in await session.scalars(query.limit(1)):
        await changing.swap(session, booking.id, other)


async def _to_other_car(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    found = await bookings.one(session, booking.id)
    other = next(car.id for car in shop.cars if car.id != found.vehicle_id)
    await changing.move(session, booking.id, other)


async def _maintain(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    found = await bookings.one(session, booking.id)
    given = BlockInput(starts_at=found.starts_at, ends_at=found.ends_at)
    await blocks.add_and_move(session, found.vehicle_id, given)


async def _end_maintenance(session: AsyncSession, booking: Booking, shop: Shop) -> None:
    for car in shop.cars:
        for block in await blocks.of_vehicle(session, car.id):
            await blocks.end(session, block.id)


Verb = Callable[[AsyncSession, Booking, Shop], Awaitable[None]]
VERBS: list[Verb] = [
    _confirm, _cancel, _no_show, _expire, _prepare, _depart, _abandon, _take_back, _close,
    _extend, _shorten, _pin, _unpin, _swap, _to_other_car, _maintain, _end_maintenance,
]  # fmt: skip

UNTRUE = text(
    "SELECT (SELECT count(*) FROM car_hire_occupancies a JOIN car_hire_occupancies b"
    " ON a.vehicle_id = b.vehicle_id AND a.id < b.id"
    " AND lower(a.period) < upper(b.period) AND lower(b.period) < upper(a.period)) AS overlaps,"
    " (SELECT count(*) FROM car_hire_bookings b FULL JOIN car_hire_occupancies o"
    "  ON o.booking_id = b.id WHERE coalesce(b.vehicle_id, o.vehicle_id) = ANY(:cars)"
    "  AND o.block_id IS NULL AND (b.id IS NULL"
    "  OR (b.state IN ('pending_payment', 'confirmed', 'out')) <> (o.id IS NOT NULL)"
    "  OR o.vehicle_id <> b.vehicle_id OR NOT o.period @> tstzrange(b.starts_at, b.ends_at)))"
    " AS strays"
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from(VERBS), min_size=3, max_size=12))
async def test_no_walk_through_the_services_leaves_the_tables(shop: Shop, walk: list[Verb]) -> None:
    """Whatever is tried in whatever order, each step is in the table or refused and undone;
    nothing overlaps, and every booking that blocks a car, and no other, has its occupancy."""
    own = await Shop.open(shop.databases, shop.tenant, cars=2)
    booking = await own.book(starts_in=0.01, hours=2)
    await own.book(starts_in=1, hours=3)
    cars = {"cars": [car.id for car in own.cars]}
    seen, seen_hire = booking.state, None
    for verb in walk:
        try:
            async with own.transaction() as session:
                await verb(session, booking, own)
        except DomainError:
            pass
        async with own.transaction() as session:
            now = (await bookings.one(session, booking.id)).state
            hire = await hires.of_booking(session, booking.id)
            untrue = (await session.execute(UNTRUE, cars)).one()
        assert untrue == (0, 0), verb
        assert now == seen or now in states.BOOKING[seen], (seen, now, verb)
        if hire is not None:
            before = seen_hire or "awaiting_deposit"
            assert hire.state == before or hire.state in states.HIRE[before]
            assert (hire.state in {"out", "returned", "closed"}) == (now == hire.state)
            seen_hire = hire.state
        seen = now

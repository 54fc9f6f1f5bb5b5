"""The two state machines: the tables themselves, and random walks through the services."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from plugins.car_hire.models import Booking, states
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import bookings, hires
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


Verb = Callable[[AsyncSession, Booking, Shop], Awaitable[None]]
VERBS: list[Verb] = [
    _confirm, _cancel, _no_show, _expire, _prepare, _depart, _abandon, _take_back, _close,
]  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from(VERBS), min_size=3, max_size=9))
async def test_no_walk_through_the_services_leaves_the_tables(shop: Shop, walk: list[Verb]) -> None:
    """Whatever is tried in whatever order, each step is in the table or refused and undone."""
    own = await Shop.open(shop.databases, shop.tenant, cars=1)
    booking = await own.book(starts_in=0.01, hours=2)
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
        assert now == seen or now in states.BOOKING[seen], (seen, now, verb)
        if hire is not None:
            before = seen_hire or "awaiting_deposit"
            assert hire.state == before or hire.state in states.HIRE[before]
            assert (hire.state in {"out", "returned", "closed"}) == (now == hire.state)
            seen_hire = hire.state
        seen = now

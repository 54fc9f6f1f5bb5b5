"""Bookings: one car, one customer, one time."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select, text, update

from core import clock
from core.auth.identity import Identity
from core.ids import new_id
from core.permissions import Role
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow, QuoteExpired, VehicleUnavailable
from plugins.car_hire.models import NO_OVERLAP, Booking, Customer, Occupancy, Quote
from plugins.car_hire.schemas import LicenceInput, QuoteInput
from plugins.car_hire.services import bookings, checks, customers, occupying, quotes
from tests.plugins.car_hire.shop import Shop, customer_input

OVERLAPS = text(
    "SELECT count(*) FROM car_hire_occupancies a JOIN car_hire_occupancies b"
    " ON a.vehicle_id = b.vehicle_id AND a.id < b.id"
    " AND lower(a.period) < upper(b.period) AND lower(b.period) < upper(a.period)"
)


async def test_a_booking_holds_a_free_car_of_the_class(shop: Shop) -> None:
    """The car is of the quoted class and kept until the hold ends; the price is the quote's."""
    booking = await shop.book()
    assert booking.vehicle_id in {car.id for car in shop.cars}
    assert booking.state == "pending_payment"
    assert booking.hold_until > clock.now()
    async with shop.transaction() as session:
        quote = await quotes.one(session, booking.quote_id)
        (line,) = await quotes.lines(session, quote.id)
    assert booking.gross == quote.gross == line.gross


async def test_two_sends_of_a_first_licence_make_one_customer(shop: Shop) -> None:
    """Whoever comes second while the first is being written changes what the first wrote."""
    person = Identity(
        user_id=new_id(),
        name="Rita",
        email="rita@example.com",
        role=Role.MEMBER,
        permissions=frozenset(),
        session_id=new_id(),
    )
    licence = LicenceInput(
        licence_number="L-1",
        licence_country="PT",
        licence_expires=date(2045, 1, 31),
        born=date(1990, 2, 28),
    )

    async def again() -> Customer:
        async with shop.transaction() as session:
            return await customers.register(session, person, licence)

    async with shop.transaction() as session:
        first = await customers.register(session, person, licence)
        second = asyncio.create_task(again())
        await asyncio.sleep(0.3)
    assert (await second).id == first.id


async def test_a_second_click_finds_the_first_booking(shop: Shop) -> None:
    """The same quote booked again by the same customer is the same booking."""
    quote = await shop.quote()
    first = await shop.place(quote)
    again = await shop.place(quote)
    assert first.id == again.id


async def test_two_clicks_at_once_make_one_booking(shop: Shop) -> None:
    """Ten requests for one quote, on ten connections: one booking, and nobody sees an error."""
    quote = await shop.quote()
    made = await asyncio.gather(*(shop.place(quote) for _ in range(10)))
    assert len({booking.id for booking in made}) == 1


async def test_somebody_elses_quote_cannot_be_booked_again(shop: Shop) -> None:
    """A quote that became another customer's booking is refused."""
    quote = await shop.quote()
    await shop.place(quote)
    async with shop.transaction() as session:
        other = await customers.add(session, customer_input())
        with pytest.raises(NotNow):
            await bookings.place(session, quote, other, "site")


async def test_the_last_car_goes_to_one_of_many(shop: Shop) -> None:
    """Twenty customers want three cars for the same time: three get one, seventeen are told."""
    wanted = [await shop.quote() for _ in range(20)]
    results = await asyncio.gather(*map(shop.place, wanted), return_exceptions=True)
    got = [result for result in results if isinstance(result, Booking)]
    refused = [result for result in results if isinstance(result, VehicleUnavailable)]
    assert (len(got), len(refused)) == (3, 17), results
    assert len({booking.vehicle_id for booking in got}) == 3
    async with shop.transaction() as session:
        assert await session.scalar(OVERLAPS) == 0


async def test_who_comes_too_late_is_told_after_three_questions(shop: Shop) -> None:
    """Class and quote, the rules, one look at the calendar: a refusal must cost little, since
    it is what most get while many want the same car."""
    for _ in shop.cars:
        await shop.book()
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    async with shop.transaction() as session:
        quote = await quotes.keep(
            session,
            QuoteInput(
                class_id=shop.vehicle_class.id,
                starts_at=shop.now + timedelta(hours=1),
                ends_at=shop.now + timedelta(hours=2),
            ),
            shop.vehicle_class,
            await policy.read(session),
        )
    engine = shop.databases.engine(shop.tenant.scope.database).sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.raises(VehicleUnavailable):
            await shop.place(quote)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 3, asked


async def test_one_hire_may_begin_when_another_ends(shop: Shop) -> None:
    """Back to back, with the cleaning between, all three cars can be booked again."""
    for _ in range(3):
        await shop.book(starts_in=1, hours=24)
    with pytest.raises(VehicleUnavailable):
        await shop.book(starts_in=25.4, hours=24)
    for _ in range(3):
        await shop.book(starts_in=25.5, hours=24)


async def test_a_quote_expires(shop: Shop) -> None:
    """A price promised for an hour cannot be booked after it."""
    quote = await shop.quote()
    async with shop.transaction() as session:
        old = clock.now() - timedelta(seconds=1)
        await session.execute(update(Quote).where(Quote.id == quote.id).values(expires_at=old))
        quote = await quotes.one(session, quote.id)
        with pytest.raises(QuoteExpired):
            await bookings.place(session, quote, shop.customer, "site")


async def test_an_unpaid_booking_gives_its_car_back(shop: Shop) -> None:
    """After the hold the car is free again, and the same job twice does nothing more."""
    booking = await shop.book()
    async with shop.transaction() as session:
        assert await bookings.expire(session, booking.id) is None
    await overdue(shop, booking)
    async with shop.transaction() as session:
        assert await bookings.expire(session, booking.id) is not None
        assert await bookings.expire(session, booking.id) is None
    for _ in range(3):
        await shop.book()


async def overdue(shop: Shop, booking: Booking) -> None:
    async with shop.transaction() as session:
        past = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Booking).where(Booking.id == booking.id).values(hold_until=past)
        )


async def test_money_that_comes_late_still_gets_a_car_if_one_is_free(shop: Shop) -> None:
    """An expired booking that is paid after all is confirmed on any free car of the class."""
    booking = await shop.book()
    await overdue(shop, booking)
    async with shop.transaction() as session:
        await bookings.expire(session, booking.id)
    others = [await shop.book() for _ in range(2)]
    async with shop.transaction() as session:
        late = await bookings.locked(session, booking.id)
        assert await bookings.confirm(session, late)
    assert late.state == "confirmed"
    assert late.vehicle_id not in {other.vehicle_id for other in others}


async def test_money_that_comes_too_late_gets_none(shop: Shop) -> None:
    """When every car has gone meanwhile, confirming says no, so that the money is given back."""
    booking = await shop.book()
    await overdue(shop, booking)
    async with shop.transaction() as session:
        await bookings.expire(session, booking.id)
    for _ in range(3):
        await shop.book()
    async with shop.transaction() as session:
        late = await bookings.locked(session, booking.id)
        assert not await bookings.confirm(session, late)
        assert late.state == "expired"


async def test_confirming_ten_times_is_confirming_once(shop: Shop) -> None:
    """A repeated event changes nothing after the first."""
    booking = await shop.book()

    async def confirm() -> bool:
        async with shop.transaction() as session:
            return await bookings.confirm(session, await bookings.locked(session, booking.id))

    assert all(await asyncio.gather(*(confirm() for _ in range(10))))
    async with shop.transaction() as session:
        found = await bookings.one(session, booking.id)
        actions = await session.scalar(
            text("SELECT count(*) FROM audit_entries WHERE subject_id = :id AND action = :action"),
            {"id": str(booking.id), "action": "car_hire.booking_confirmed"},
        )
    assert (found.state, found.version, actions) == ("confirmed", 2, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"born": date(2008, 1, 1)}, "born"), ({"licence_expires": None}, "licence_expires")],
)
async def test_the_driver_must_be_fit_for_the_whole_hire(
    shop: Shop, changes: dict[str, date | None], field: str
) -> None:
    """Too young for the class, or a licence that ends before the hire: named by field."""
    quote = await shop.quote(starts_in=1, hours=96)
    tomorrow = clock.today(shop.tenant.zone) + timedelta(days=1)
    async with shop.transaction() as session:
        given = customer_input(**{key: value or tomorrow for key, value in changes.items()})
        other = await customers.add(session, given)
        with pytest.raises(checks.Unfit) as refused:
            await bookings.place(session, quote, other, "site")
    assert [error.field for error in refused.value.errors] == [field]


async def test_the_database_itself_refuses_an_overlap(shop: Shop) -> None:
    """Whoever goes round the services still cannot book a car twice."""
    booking = await shop.book()
    other = await shop.book(starts_in=100)
    async with shop.transaction() as session:
        period = await occupying.period_of(session, booking.id)
        statement = (
            update(Occupancy)
            .where(Occupancy.booking_id == other.id)
            .values(vehicle_id=booking.vehicle_id, period=period)
        )
        with pytest.raises(Exception, match=NO_OVERLAP):
            await session.execute(statement)
        await session.rollback()


async def test_a_cancelled_booking_frees_its_car(shop: Shop) -> None:
    """Cancelled, it blocks nothing; and what is over cannot be cancelled again."""
    booking = await shop.book()
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    for _ in range(3):
        await shop.book()
    async with shop.transaction() as session:
        with pytest.raises(NotNow):
            await bookings.cancel(session, booking.id)
        states = select(Booking.state).where(Booking.id == booking.id)
        assert await session.scalar(states) == "cancelled"

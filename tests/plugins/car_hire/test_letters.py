"""What customers get by mail: what changes moves in their calendar, what is over leaves it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default as email_policy

import pytest
from icalendar import Calendar, Component
from sqlalchemy import select, update

from core import clock
from core.mail.models import Mail
from core.mail.office import Heading
from core.mail.smtp import message_of
from plugins.car_hire.models import Booking, Customer
from plugins.car_hire.schemas import ReviewInput
from plugins.car_hire.services import (
    announcing,
    bookings,
    changing,
    diary,
    letters,
    paying,
    reviews,
)
from tests.plugins.car_hire.shop import Shop

DAY = timedelta(days=1)


@pytest.fixture
async def booking(shop: Shop) -> Booking:
    """Confirmed, from the day after tomorrow for three days."""
    shop.now = shop.now.replace(microsecond=0)  # a calendar has none
    return await shop.confirmed(starts_in=48, hours=72)


async def written(shop: Shop, template: str) -> list[Mail]:
    """The letters of a kind to the shop's customer, in the order of their writing."""
    async with shop.transaction() as session:
        kind = select(Mail).where(Mail.template == f"car_hire/mail/{template}").order_by(Mail.id)
        found = await session.scalars(kind)
        return [each for each in found if each.recipient == shop.customer.email]


def event_of(letter: Mail) -> tuple[str, Component]:
    """The method of a letter's calendar, and its only event."""
    assert letter.calendar is not None
    calendar = Calendar.from_ical(letter.calendar)
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


async def test_a_change_moves_the_event_and_a_cancellation_takes_it_out(
    shop: Shop, booking: Booking
) -> None:
    """One UID throughout, and a SEQUENCE that grows with each letter, so that calendars obey."""
    starts_at, ends_at = booking.starts_at, booking.ends_at + DAY
    async with shop.transaction() as session:
        await letters.confirmation(session, booking.id)
    async with shop.transaction() as session:
        before = booking.gross
        made = await changing.change_dates(session, booking.id, starts_at, ends_at)
    async with shop.transaction() as session:
        for _twice in range(2):
            await announcing.tell_of_change(
                session, made.id, made.class_id, starts_at, ends_at, before
            )
    async with shop.transaction() as session:
        found = await bookings.locked(session, booking.id)
        found.owed_at_pick_up = True
        await paying.cancel(session, booking.id)
    (confirmed,) = await written(shop, "confirmation")
    (changed,) = await written(shop, "change")
    (cancelled,) = await written(shop, "cancellation")
    events = [event_of(each) for each in (confirmed, changed, cancelled)]
    assert [method for method, _event in events] == ["REQUEST", "REQUEST", "CANCEL"]
    assert {str(event["UID"]) for _method, event in events} == {diary.uid(shop.tenant, booking.id)}
    first, second, third = (int(event["SEQUENCE"]) for _method, event in events)
    assert first < second < third
    assert [event.decoded("DTEND") for _method, event in events[:2]] == [ends_at - DAY, ends_at]
    assert str(events[2][1]["STATUS"]) == "CANCELLED"
    assert re.search(r"49[.,]08.more", changed.text)


async def test_of_two_changes_only_the_last_is_told(shop: Shop, booking: Booking) -> None:
    """A letter about dates that no longer hold would only confuse."""
    async with shop.transaction() as session:
        for days in (1, 2):
            ends_at = booking.ends_at + days * DAY
            made = await changing.change_dates(session, booking.id, booking.starts_at, ends_at)
    async with shop.transaction() as session:
        for days in (1, 2):
            await announcing.tell_of_change(
                session, made.id, made.class_id, booking.starts_at,
                booking.ends_at + days * DAY, booking.gross,
            )  # fmt: skip
    assert len(await written(shop, "change")) == 1


@pytest.mark.parametrize(
    ("at", "before"),
    [
        # Lisbon sets its clocks forward on 2027-03-28 and back on 2027-10-31, at 01:00 UTC.
        (datetime(2027, 3, 28, 9, tzinfo=UTC), datetime(2027, 3, 27, 10, tzinfo=UTC)),
        (datetime(2027, 10, 31, 10, tzinfo=UTC), datetime(2027, 10, 30, 9, tzinfo=UTC)),
        (datetime(2027, 3, 1, 10, tzinfo=UTC), datetime(2027, 2, 28, 10, tzinfo=UTC)),
    ],
)
def test_reminders_come_at_the_same_time_by_the_clock_of_the_day_before(
    at: datetime, before: datetime
) -> None:
    """Ten o'clock is ten o'clock, although the night between has 23 or 25 hours."""
    assert announcing.day_before(at, "Europe/Lisbon") == before


async def test_a_calendar_tells_the_two_hours_of_an_autumn_night_apart(
    shop: Shop, booking: Booking
) -> None:
    """01:30 comes twice when the clocks are set back: the event is at the one that was booked."""
    second = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    assert clock.local(second, "Europe/Lisbon").strftime("%H:%M %z") == "01:30 +0000"
    booking.starts_at, booking.ends_at = second, second + DAY
    given = (booking, shop.vehicle_class, shop.customer)
    async with shop.transaction():
        text = diary.enclosed(shop.tenant, *given, diary.REQUEST)
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event.decoded("DTSTART") == second
    assert "DTSTART:20271031T013000Z" in text


async def test_a_reminder_is_for_a_pick_up_that_is_still_to_be(
    shop: Shop, booking: Booking
) -> None:
    """Moved or cancelled since it was planned: nothing is written."""
    async with shop.transaction() as session:
        await announcing.pick_up_nears(session, booking.id, booking.starts_at - DAY)
    assert await written(shop, "pick_up") == []
    async with shop.transaction() as session:
        for _twice in range(2):
            await announcing.pick_up_nears(session, booking.id, booking.starts_at)
    (letter,) = await written(shop, "pick_up")
    assert event_of(letter)[0] == "REQUEST"


@pytest.mark.usefixtures("site")  # which reads the translations
async def test_letters_are_in_the_language_that_was_booked_in(shop: Shop, booking: Booking) -> None:
    """Not in that of the business, whose desk reads another."""
    async with shop.transaction() as session:
        mine = update(Customer).where(Customer.id == shop.customer.id)
        await session.execute(mine.values(locale="pt"))
    async with shop.transaction() as session:
        await announcing.pick_up_nears(session, booking.id, booking.starts_at)
    (letter,) = await written(shop, "pick_up")
    assert letter.locale == "pt"
    assert "carta de condução" in letter.text


async def test_mail_programs_find_the_calendar_as_part_and_as_file(
    shop: Shop, booking: Booking
) -> None:
    """An alternative with its method, on which programs act, and an attachment to open."""
    async with shop.transaction() as session:
        await letters.confirmation(session, booking.id)
    (letter,) = await written(shop, "confirmation")
    raw = message_of(Heading(name="ACME", address="hire@acme.example"), letter).as_bytes()
    message = message_from_bytes(raw, policy=email_policy)
    parts = {part.get_content_type(): part for part in message.walk()}
    assert parts["text/calendar"]["content-type"].params["method"] == "REQUEST"
    assert parts["application/ics"].get_filename() == "booking.ics"
    assert parts["application/ics"].get_content().decode() == letter.calendar
    assert message.get_content_type() == "multipart/mixed"
    assert parts["text/plain"].get_content().startswith("Hello")


async def test_a_hire_is_reviewed_once_by_its_link(shop: Shop) -> None:
    """The letter is written once however often the job runs; the link takes one answer."""
    _booking, hire_id = await shop.out()
    await shop.back(hire_id)
    async with shop.transaction() as session:
        for _twice in range(2):
            await announcing.ask_review(session, hire_id)
    (letter,) = await written(shop, "review")
    found = re.search(r"/car-hire/reviews/([\w-]+)", letter.text)
    assert found is not None
    async with shop.transaction() as session:
        given = ReviewInput(stars="4", remarks="The boot was full of sand.")
        await reviews.answer(session, found[1], given)
    async with shop.transaction() as session:
        with pytest.raises(reviews.Answered):
            await reviews.answer(session, found[1], ReviewInput(stars="1"))
        (row, *_), *_others = await reviews.page(session, stars=4)
        assert (row.hire_id, row.remarks) == (hire_id, "The boot was full of sand.")

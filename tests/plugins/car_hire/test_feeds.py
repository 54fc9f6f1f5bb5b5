"""Calendars for other programs: who has the address reads what was chosen, and nobody else."""

from __future__ import annotations

import re
from datetime import UTC

import httpx
from icalendar import Calendar
from sqlalchemy import select

from atrium.testing.site import Site
from core.auth.tokens import digest
from core.permissions import Role
from plugins.car_hire.models import CalendarFeed
from plugins.car_hire.routes.feeds import FEEDS
from plugins.car_hire.schemas_feeds import FeedInput
from plugins.car_hire.services import bookings
from plugins.car_hire.services.feeds import keeping
from plugins.car_hire.services.personal import erase
from tests.plugins.car_hire.shop import Shop


async def made(shop: Shop, **given: object) -> tuple[CalendarFeed, str]:
    values = {"title": "Lisbon", "class_id": shop.vehicle_class.id} | given
    async with shop.transaction() as session:
        return await keeping.add(session, FeedInput(**values), "Ana")  # type: ignore[arg-type]  # as given


def events(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """By what is before the @ of their UID, with the properties as they are written."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    found = Calendar.from_ical(answer.content).walk("VEVENT")
    return {
        str(each["uid"]).partition("@")[0]: {
            key.lower(): value.to_ical().decode() for key, value in each.items()
        }
        for each in found
    }


async def test_a_feed_tells_what_was_chosen_and_no_more(site: Site, shop: Shop) -> None:
    """Class and number always, in UTC; the plate and who comes only if somebody ticked that."""
    booking = await shop.confirmed(starts_in=30)
    _, quiet = await made(shop)
    _, loud = await made(shop, shows=["customer", "plate", "phone"])
    async with site.visitor(shop.tenant) as program:
        plain = await program.get(f"{FEEDS}/{quiet}.ics")
        told = await program.get(f"{FEEDS}/{loud}.ics")
    mine = events(plain)[f"{booking.id}-pick-up"]
    assert mine["dtstart"] == booking.starts_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    assert mine["summary"].endswith(shop.vehicle_class.name)
    assert booking.number in mine["description"]
    assert events(plain).keys() == {f"{booking.id}-pick-up", f"{booking.id}-return"}
    for secret in (shop.customer.name, shop.customer.email, shop.customer.phone):
        assert secret not in plain.text
    assert all(each.plate not in plain.text for each in shop.cars)
    summary = events(told)[f"{booking.id}-return"]["summary"]
    assert shop.customer.name in summary
    assert shop.customer.phone in summary
    assert "X-WR-TIMEZONE:Europe/Lisbon" in told.text
    assert shop.customer.email not in told.text


async def test_nothing_changed_is_said_without_a_body(site: Site, shop: Shop) -> None:
    """Asked again it answers 304; a booking more, and it does not."""
    await shop.confirmed(starts_in=30)
    _, secret = await made(shop)
    async with site.visitor(shop.tenant) as program:
        first = await program.get(f"{FEEDS}/{secret}.ics")
        held = {"if-none-match": first.headers["etag"]}
        assert (await program.get(f"{FEEDS}/{secret}.ics", headers=held)).status_code == 304
        await shop.confirmed(starts_in=300)
        assert (await program.get(f"{FEEDS}/{secret}.ics", headers=held)).status_code == 200


async def test_cancelled_and_other_classes_are_not_in_it(site: Site, shop: Shop) -> None:
    """What does not take place is gone from the calendar; another class never was there."""
    booking = await shop.confirmed(starts_in=30)
    _, secret = await made(shop)
    other = await Shop.open(shop.databases, shop.tenant, cars=1)
    await other.confirmed(starts_in=30)
    async with site.visitor(shop.tenant) as program:
        assert len(events(await program.get(f"{FEEDS}/{secret}.ics"))) == 2
        async with shop.transaction() as session:
            await bookings.cancel(session, booking.id)
        assert events(await program.get(f"{FEEDS}/{secret}.ics")) == {}


async def test_an_address_that_was_renewed_or_ended_leads_nowhere(site: Site, shop: Shop) -> None:
    """The table holds no secret, nor its plain hash; the old address is dead at once."""
    feed, first = await made(shop)
    async with shop.transaction() as session:
        kept = await session.scalar(select(CalendarFeed.address).where(CalendarFeed.id == feed.id))
        assert kept is not None
        assert first.encode() not in kept
        assert kept != digest(first)
        _, second = await keeping.renew(session, feed.id)
    async with site.visitor(shop.tenant) as program:
        assert (await program.get(f"{FEEDS}/{first}.ics")).status_code == 404
        assert (await program.get(f"{FEEDS}/{second}.ics")).status_code == 200
        async with shop.transaction() as session:
            await keeping.end(session, feed.id)
        assert (await program.get(f"{FEEDS}/{second}.ics")).status_code == 404
    async with site.visitor(site.world.bravo) as stranger:
        assert (await stranger.get(f"{FEEDS}/{second}.ics")).status_code == 404


async def test_a_customer_reads_their_own_bookings_alone(site: Site, shop: Shop) -> None:
    """Made on the site by who is signed in; forgotten with them."""
    mine = await shop.confirmed(starts_in=30)
    other = await Shop.open(shop.databases, shop.tenant, cars=1)
    await other.confirmed(starts_in=30)
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        customer = await session.get(type(shop.customer), shop.customer.id)
        assert customer is not None
        customer.user_id = user_id
    secret = await begun(site, shop)
    async with site.visitor(shop.tenant) as program:
        found = events(await program.get(f"{FEEDS}/{secret}.ics"))
        assert found.keys() == {str(mine.id)}
        async with shop.transaction() as session:
            await bookings.cancel(session, mine.id)
            await erase(session, user_id)
        assert (await program.get(f"{FEEDS}/{secret}.ics")).status_code == 404


async def begun(site: Site, shop: Shop) -> str:
    async with shop.transaction() as session:
        customer = await session.get(type(shop.customer), shop.customer.id)
        assert customer is not None
        return await keeping.begin_own(session, customer)


async def test_the_desk_makes_one_on_its_page_and_sees_the_address_once(
    site: Site, shop: Shop
) -> None:
    """The page that follows the form has the address, and the next one has not."""
    async with await site.person(shop.tenant) as clerk:
        page = await clerk.post(
            "/car-hire/desk/feeds", data={"title": "Front desk", "shows": "plate"}
        )
        address = re.search(r"/car-hire/feeds/([\w-]{43})\.ics", page.text)
        assert address is not None
        assert address[1] not in (await clerk.get("/car-hire/desk/feeds")).text
        refused = await clerk.post("/car-hire/desk/feeds", data={"title": "X", "plate": "ZZ-99"})
        assert refused.status_code == 422
        assert "There is no car with this plate" in refused.text

"""The pages: anonymous, another tenant, plugin off, valid; and what a person does on them."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import update

from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.clock import local
from core.permissions import Role
from plugins.car_hire.models import Booking, Customer, Occupancy
from plugins.car_hire.services import bookings, hires
from tests.plugins.car_hire.shop import Shop, class_input, customer_input, vehicle_input

SITE = "/car-hire"
DESK = "/car-hire/desk"

DESK_PAGES = [
    "",
    "/bookings",
    "/bookings?text=nobody&status=out",
    "/bookings/new",
    "/calendar",
    "/calendar?days=31&first=2026-03-20",
    "/walk-in",
    "/fleet",
    "/fleet?text=zzzz",
    "/fleet/new",
    "/customers",
    "/customers?text=zzzz",
    "/customers/new",
    "/classes",
    "/classes/new",
]


def typed(struct: msgspec.Struct, **changes: Any) -> dict[str, str]:
    """What a browser would send of a form."""
    values = msgspec.to_builtins(struct) | changes
    return {
        key: "on" if value is True else str(value)
        for key, value in values.items()
        if value not in (None, False, "")
    }


def walls(shop: Shop, hours: float = 49) -> dict[str, str]:
    starts_at = shop.now + timedelta(hours=1)
    return {
        name: local(moment, shop.tenant.zone).strftime("%Y-%m-%dT%H:%M")
        for name, moment in (
            ("starts_at", starts_at),
            ("ends_at", starts_at + timedelta(hours=hours)),
        )
    }


def is_page(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and "<main" in answer.text


@pytest.mark.parametrize("path", DESK_PAGES)
async def test_desk_pages(site: Site, shop: Shop, path: str) -> None:
    """Nobody is sent to sign in, customers are refused, without the plugin 404, owners see it."""
    async with site.visitor(shop.tenant) as client:
        answer = await client.get(DESK + path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        assert (await client.get(DESK + path)).status_code == 403
    async with await site.person(shop.tenant, Role.OWNER) as client:
        answer = await client.get(DESK + path)
        assert is_page(answer), answer.text[:2000]
    for other in (site.world.bravo, site.world.delta):
        async with await site.person(other, Role.OWNER) as client:
            answer = await client.get(DESK + path)
            assert is_page(answer), answer.text[:2000]
            assert shop.cars[0].plate not in answer.text


async def test_pages_of_single_things(site: Site, shop: Shop) -> None:
    """A booking in each state, a car, a customer, a class: shown here, unknown to others."""
    waiting = await shop.book()
    booking, hire_id = await shop.out()
    done, done_hire = await shop.out(starts_in=0, hours=1)
    await shop.back(done_hire, odometer_km=10_900, fuel_eighths=5)
    prepared = await shop.confirmed(starts_in=60, hours=4)
    paths = [
        f"/bookings/{waiting.id}",
        f"/bookings/{booking.id}",
        f"/bookings/{done.id}",
        f"/bookings/{prepared.id}",
        f"/bookings/{prepared.id}/change",
        f"/bookings/{booking.id}/change",
        f"/hires/{hire_id}/return",
        f"/fleet/{shop.cars[0].id}",
        f"/fleet/{shop.cars[0].id}/blocks",
        f"/customers/{shop.customer.id}",
        f"/classes/{shop.vehicle_class.id}",
    ]
    async with await site.person(shop.tenant, Role.OWNER) as client:
        for path in paths:
            answer = await client.get(DESK + path)
            assert is_page(answer), (path, answer.text[:3000])
    async with await site.person(site.world.bravo, Role.OWNER) as client:
        for path in paths:
            assert (await client.get(DESK + path)).status_code == 404, path


async def test_a_car_is_added_by_form_and_mistakes_keep_what_was_typed(
    site: Site, shop: Shop
) -> None:
    """A wrong VIN is named beside its field and the rest stays; corrected, the car is there."""
    async with await site.person(shop.tenant, Role.OWNER) as client:
        plate = secrets.token_hex(4).upper()
        given = typed(vehicle_input(shop.vehicle_class.id, plate=plate, vin="1M8GDM9A1KP042788"))
        answer = await client.post(f"{DESK}/fleet/new", data=given)
        assert answer.status_code == 422
        assert 'id="vin-error"' in answer.text
        assert plate in answer.text
        right = given | {"vin": "1M8GDM9AXKP042788"}
        answer = await client.post(f"{DESK}/fleet/new", data=right)
        assert answer.status_code == 303, answer.text[:3000]
        assert plate in (await client.get(f"{DESK}/fleet?text={plate}")).text
        car = re.search(rf'/fleet/([0-9a-f-]{{36}})">{plate}', (
            await client.get(f"{DESK}/fleet?text={plate}")
        ).text)  # fmt: skip
        assert car is not None
        path = f"{DESK}/fleet/{car[1]}"
        second = await client.post(path, data=right | {"version": "1", "colour": "red"})
        assert second.status_code == 303
        stale = await client.post(path, data=right | {"version": "1", "colour": "blue"})
        assert stale.status_code == 412
        assert "blue" in stale.text


async def test_customers_and_classes_are_kept_by_form(site: Site, shop: Shop) -> None:
    """Both are added and changed; a doubled class name is refused at its field."""
    async with await site.person(shop.tenant, Role.OWNER) as client:
        person = typed(customer_input(name="Zulmira Antunes"))
        assert (await client.post(f"{DESK}/customers/new", data=person)).status_code == 303
        assert "Zulmira Antunes" in (await client.get(f"{DESK}/customers?text=zulm")).text
        kind = typed(class_input())
        assert (await client.post(f"{DESK}/classes/new", data=kind)).status_code == 303
        again = await client.post(f"{DESK}/classes/new", data=kind)
        assert again.status_code == 422
        assert 'id="name-error"' in again.text
        saved = await client.post(f"{DESK}/classes/{shop.vehicle_class.id}", data=typed(
            class_input(), version="1", seats="7"
        ))  # fmt: skip
        assert saved.status_code == 303, saved.text[:3000]


async def test_a_class_without_cars_is_not_shown_to_customers(site: Site, shop: Shop) -> None:
    """What nobody could ever book does not stand in the window; the desk still keeps it."""
    bare = await Shop.open(shop.databases, shop.tenant, cars=0)
    async with await site.person(shop.tenant, Role.OWNER) as client:
        window = (await client.get(SITE)).text
        assert shop.vehicle_class.name in window
        assert bare.vehicle_class.name not in window
        assert bare.vehicle_class.name in (await client.get(f"{DESK}/classes")).text


async def test_a_new_firm_is_told_what_is_missing(site: Site) -> None:
    """Until cards can be taken, the first page says so; the owner is led there, staff are not."""
    firm = await site.world.provision()
    async with await site.person(firm, Role.OWNER) as client:
        page = (await client.get(DESK)).text
        assert "Before customers can book" in page
        assert 'href="/settings/payments">Connect' in page
    async with await site.person(firm, Role.STAFF) as client:
        assert 'href="/settings/payments">Connect' not in (await client.get(DESK)).text


async def test_the_house_changes_its_rules(site: Site, shop: Shop) -> None:
    """Owners set the grace on the page that core draws; NaN is refused beside its field."""
    async with await site.person(site.world.bravo, Role.OWNER) as client:
        page = await client.get("/settings/car-hire")
        fields = dict(re.findall(r'name="(\w+)" [^>]*value="([^"]*)"', page.text))
        assert fields.keys() >= {"grace_minutes", "late_fee_per_hour"}
        assert (await client.post("/settings/car-hire", data=fields)).status_code == 303
        spoilt = fields | {"late_fee_per_hour": "NaN"}
        bad = await client.post("/settings/car-hire", data=spoilt)
        assert bad.status_code == 422
        assert 'id="late_fee_per_hour-error"' in bad.text


async def test_a_customer_finds_books_and_cancels(site: Site, shop: Shop) -> None:
    """From the storefront to a booking that awaits its payment, and away again."""
    async with site.visitor(shop.tenant) as client:
        assert is_page(await client.get(SITE))
        found = await client.get(SITE, params=walls(shop))
        assert shop.vehicle_class.name in found.text
        wrong = walls(shop) | {"ends_at": walls(shop)["starts_at"]}
        backwards = await client.get(SITE, params=wrong)
        assert backwards.status_code == 422
        assert 'id="ends_at-error"' in backwards.text
        given = walls(shop) | {"class_id": str(shop.vehicle_class.id)}
        quoted = await client.post(f"{SITE}/quotes", data=given)
        assert quoted.status_code == 303
        quote_page = quoted.headers["location"]
        shown = await client.get(quote_page)
        assert is_page(shown), shown.text[:3000]
        assert "/sign-in?next=" in shown.text
    licence = typed(customer_input())
    for desks in ("name", "email", "billing_name", "tax_number", "billing_address"):
        licence.pop(desks, None)
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        assert is_page(await client.get(f"{SITE}/bookings"))
        assert is_page(await client.get(quote_page))
        young = await client.post(f"{quote_page}/booking", data=licence | {"born": "2009-01-01"})
        assert young.status_code == 422
        assert 'id="born-error"' in young.text
        assert licence["licence_number"] in young.text
        booked = await client.post(f"{quote_page}/booking", data=licence)
        assert booked.status_code == 303, booked.text[:3000]
        again = await client.post(f"{quote_page}/booking", data=licence)
        page = booked.headers["location"]
        assert again.headers["location"] == page
        assert is_page(await client.get(page))
        assert page in (await client.get(f"{SITE}/bookings")).text
        async with await site.person(shop.tenant, Role.MEMBER) as other:
            assert (await other.get(page)).status_code == 404
            assert (await other.post(f"{page}/cancellation")).status_code == 404
            theirs = (await other.post(f"{SITE}/quotes", data=given)).headers["location"]
            licence["licence_number"] = "X-7654321"
            theirs = (await other.post(f"{theirs}/booking", data=licence)).headers["location"]
            listed = (await other.get(f"{SITE}/bookings")).text
            assert theirs in listed
            assert page not in listed
        assert (await client.post(f"{page}/cancellation")).status_code == 303
        assert (await client.get(page)).status_code == 200


async def test_the_desk_books_hands_over_and_takes_back(site: Site, shop: Shop) -> None:
    """A walk-in, without a deposit: book, hand over, preview the bill, take back."""
    async with await site.person(shop.tenant) as client:
        given = walls(shop) | {
            "class_id": str(shop.vehicle_class.id),
            "customer_id": str(shop.customer.id),
        }
        booked = await client.post(f"{DESK}/bookings/new", data=given)
        assert booked.status_code == 303, booked.text[:3000]
        assert is_page(await client.get(booked.headers["location"]))
        booking = await shop.confirmed()
        page = f"{DESK}/bookings/{booking.id}"
        unseen = await client.post(
            f"{page}/hire", data=typed(shop.readings(booking), licence_seen="", steps=None)
        )
        assert unseen.status_code == 422
        assert 'id="licence_seen-error"' in unseen.text
        started = await client.post(f"{page}/hire", data=typed(shop.readings(booking), steps=None))
        assert started.status_code == 303, started.text[:3000]
        assert is_page(await client.get(page))
        async with shop.transaction() as session:
            hire = await hires.of_booking(session, booking.id)
            assert hire is not None
            await hires.depart(session, hire.id)
        bill = f"{DESK}/hires/{hire.id}/bill"
        wrong = await client.post(bill, data={"odometer_km": "1", "fuel_eighths": "4"})
        assert wrong.status_code == 422
        assert 'id="odometer_km-error"' in wrong.text
        readings = {"odometer_km": "10900", "fuel_eighths": "4"}
        assert is_page(await client.post(bill, data=readings))
        back = await client.post(f"{DESK}/hires/{hire.id}/return", data=readings)
        assert back.status_code == 303
        assert is_page(await client.get(page))


async def test_every_list_of_bookings_goes_on_to_its_end(
    site: Site, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One's own, those of a customer and those of a car: page by page, each booking once."""
    monkeypatch.setattr(bookings.listing, "PAGE_SIZE", 2)
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    made = [await shop.book(starts_in=1 + 3 * n, hours=1) for n in range(5)]
    async with shop.transaction() as session:
        car = {"vehicle_id": shop.cars[0].id}
        ids = [each.id for each in made]
        await session.execute(update(Occupancy).where(Occupancy.booking_id.in_(ids)).values(car))
        await session.execute(update(Booking).where(Booking.id.in_(ids)).values(car))
        mine = update(Customer).where(Customer.id == shop.customer.id).values(user_id=user_id)
        await session.execute(mine)
        token = await site.sessions.begin(session, user_id)
    numbers = {each.number for each in made}
    async with site.visitor(shop.tenant) as client:
        client.cookies.set(LOCAL_COOKIE, token)
        assert await listed(client, f"{SITE}/bookings") == numbers
    async with await site.person(shop.tenant, Role.OWNER) as client:
        assert await listed(client, f"{DESK}/customers/{shop.customer.id}") == numbers
        assert await listed(client, f"{DESK}/fleet/{shop.cars[0].id}") == numbers


async def listed(client: httpx.AsyncClient, path: str) -> set[str]:
    """The numbers of all bookings that the list at ``path`` shows, following its pager."""
    found: list[str] = []
    way: str | None = path
    while way is not None:
        answer = await client.get(way)
        assert is_page(answer), answer.text[:3000]
        shown = re.findall(r"at-row-link[^>]*>([0-9A-Z]{4}-[0-9A-Z]{4})<", answer.text)
        assert len(shown) <= 2
        found += shown
        following = re.search(r'href="([^"]+)" rel="next"', answer.text)
        way = str(httpx.URL(path).join(unescape(following[1]))) if following else None
    assert len(found) == len(set(found))
    return set(found)


async def test_pages_of_a_tenant_without_car_hire(site: Site, shop: Shop) -> None:
    """They do not exist there, for anybody and by any method."""
    bare = await site.world.provision(f"bare-{secrets.token_hex(3)}", plugins=())
    async with await site.person(bare, Role.OWNER) as client:
        for path in (SITE, f"{SITE}/bookings", *(DESK + each for each in DESK_PAGES)):
            assert (await client.get(path)).status_code == 404, path
            assert (await client.post(path)).status_code == 404, path


async def test_the_desk_extends_swaps_and_pins(site: Site, shop: Shop) -> None:
    """The difference is shown before the dates change; each step leads back to the booking."""
    one, other = await shop.confirmed(), await shop.confirmed()
    here = f"{DESK}/bookings/{one.id}"
    async with await site.person(shop.tenant, Role.STAFF) as client:
        dates = walls(shop, 73)
        answer = await client.post(f"{here}/difference", data=dates | {"version": "2"})
        assert answer.status_code == 200, answer.text[:2000]
        assert "39.90" in answer.text or "49.08" in answer.text
        for path, data in (
            ("dates", dates | {"version": "2"}),
            ("swap", {"number": other.number.lower()}),
            ("pin", {}),
        ):
            answer = await client.post(f"{here}/{path}", data=data)
            assert answer.status_code == 303, (path, answer.text[:3000])
        answer = await client.post(f"{here}/dates", data=dates | {"version": "2"})
        assert answer.status_code == 412
    async with shop.transaction() as session:
        found = await bookings.one(session, one.id)
    assert (found.pinned, found.vehicle_id) == (True, other.vehicle_id)
    assert found.gross > one.gross


async def test_a_calendar_shows_who_has_which_car_when(site: Site, shop: Shop) -> None:
    """Bookings and maintenance by car; forty cars a page, always by as many questions."""
    booking = await shop.confirmed(starts_in=30)
    async with await site.person(shop.tenant, Role.STAFF) as client:
        block = f"{DESK}/fleet/{shop.cars[0].id}/blocks"
        given = walls(shop, 4) | {"reason": "maintenance"}
        answer = await client.post(block, data=given)
        assert answer.status_code == 303, answer.text[:3000]
        wanted = f"{DESK}/calendar?class_id={shop.vehicle_class.id}"
        page = (await client.get(wanted)).text
        assert f"/bookings/{booking.id}" in page
        assert "Maintenance" in page
        for car in shop.cars:
            assert car.plate in page

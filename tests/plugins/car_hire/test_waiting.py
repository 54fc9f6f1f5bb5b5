"""The waiting list: in order, one freed car to one of them, held and passed on."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from atrium.testing.site import Site
from core import clock, jobs
from core.errors import Invalid
from core.mail.models import Mail
from core.permissions import Role
from plugins.car_hire.errors import NotNow, VehicleUnavailable
from plugins.car_hire.models import Block, Booking, VehicleClass, Wait
from plugins.car_hire.schemas import BlockInput
from plugins.car_hire.schemas_waiting import WaitInput
from plugins.car_hire.services import blocks, bookings, changing, quotes
from plugins.car_hire.services.branches import keeping
from plugins.car_hire.services.waiting import freeing, joining, serving
from plugins.car_hire.services.waiting.joining import StillFree
from tests.plugins.car_hire.firm import branch_input
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_pages import walls


@pytest.fixture
async def full(shop: Shop) -> tuple[Shop, Booking]:
    """A class of one car, which is booked from tomorrow for two days."""
    made = await Shop.open(shop.databases, shop.tenant, cars=1)
    return made, await made.confirmed(starts_in=24)


async def wait(shop: Shop, name: str, starts_in: float = 24, hours: float = 48) -> Wait:
    starts_at = shop.now + timedelta(hours=starts_in)
    given = WaitInput(
        class_id=shop.vehicle_class.id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
        name=name,
        email=f"{name}.{shop.vehicle_class.id.hex[-8:]}@example.com",
    )
    async with shop.transaction() as session:
        made, _secret = await joining.join(session, given)
    return made


async def serve(shop: Shop) -> int:
    async with shop.transaction() as session:
        return await serving.serve(session, shop.vehicle_class.id)


async def states(shop: Shop) -> list[str]:
    query = select(Wait.state).where(Wait.class_id == shop.vehicle_class.id).order_by(Wait.id)
    async with shop.transaction() as session:
        return list(await session.scalars(query))


async def test_one_freed_car_is_offered_once_and_in_order(full: tuple[Shop, Booking]) -> None:
    """Three wait, the car gets free, and eight jobs look at once: the first has the offer and a
    letter, and the car is kept from everybody else."""
    shop, booking = full
    first, *_others = [await wait(shop, name) for name in ("ana", "rui", "emma")]
    assert await serve(shop) == 0
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    made = await asyncio.gather(*(serve(shop) for _ in range(8)))
    assert sum(made) == 1
    assert await states(shop) == ["offered", "waiting", "waiting"]
    with pytest.raises(VehicleUnavailable):
        await shop.quote(starts_in=24)
    async with shop.transaction() as session:
        offered = await session.get_one(Wait, first.id)
        letters = select(func.count()).where(Mail.key == f"car_hire/mail/offer:{offered.quote_id}")
        assert await session.scalar(letters) == 1
        assert offered.offer_until is not None
        assert offered.offer_until > clock.now() + timedelta(hours=3)


async def test_an_offer_is_booked_by_its_price(full: tuple[Shop, Booking]) -> None:
    """Booking the quote takes the car that was kept; who else wants it, does not get it between."""
    shop, booking = full
    first = await wait(shop, "ana")
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    await serve(shop)
    async with shop.transaction() as session:
        offered = await session.get_one(Wait, first.id)
        assert offered.quote_id is not None
        quote = await quotes.one(session, offered.quote_id)
    mine = await shop.place(quote)
    assert mine.vehicle_id == shop.cars[0].id
    assert await states(shop) == ["taken"]
    assert (await shop.place(quote)).id == mine.id
    async with shop.transaction() as session:
        await serving.lapse(session, first.id)  # the job that comes later does nothing
        assert (await bookings.one(session, mine.id)).state == "pending_payment"


async def test_who_cannot_be_offered_a_car_keeps_nobody_waiting(
    full: tuple[Shop, Booking],
) -> None:
    """The first wants to bring it to a branch that was closed since: the next is asked, and the
    car is kept for nobody else."""
    shop, booking = full
    first, second = [await wait(shop, name) for name in ("ana", "rui")]
    async with shop.transaction() as session:
        closed = await keeping.add(session, branch_input())
        closed.in_use = False
        (await session.get_one(Wait, first.id)).return_branch_id = closed.id
        await bookings.cancel(session, booking.id)
    assert await serve(shop) == 1
    assert await states(shop) == ["waiting", "offered"]
    async with shop.transaction() as session:
        kept = select(func.count()).where(Block.vehicle_id == shop.cars[0].id)
        assert await session.scalar(kept) == 1
        (await session.get_one(VehicleClass, shop.vehicle_class.id)).on_offer = False
        await joining.leave(session, second.id)
    assert await serve(shop) == 0


async def test_an_offer_whose_job_was_lost_lapses_all_the_same(
    full: tuple[Shop, Booking], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, booking = full
    first = await wait(shop, "ana")
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    await serve(shop)
    later = clock.now() + timedelta(hours=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    async with shop.transaction() as session:
        asked: list[dict[str, Any]] = []

        async def note(_session: Any, name: str, told: dict[str, Any], **_more: Any) -> None:
            asked.append({"name": name, **told})

        monkeypatch.setattr(jobs, "put", note)
        await serving.tidy(session)
    assert {"name": freeing.LAPSE, "wait_id": first.id} in asked


async def test_what_is_not_taken_goes_to_the_next(
    full: tuple[Shop, Booking], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its hours an offer passes on, and so it does when it is left; too early it does not."""
    shop, booking = full
    people = [await wait(shop, name) for name in ("ana", "rui", "emma")]
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    await serve(shop)
    async with shop.transaction() as session:
        await serving.lapse(session, people[0].id)
    assert await states(shop) == ["offered", "waiting", "waiting"]
    later = clock.now() + timedelta(hours=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    async with shop.transaction() as session:
        await serving.lapse(session, people[0].id)
    assert await serve(shop) == 1
    assert await states(shop) == ["passed", "offered", "waiting"]
    async with shop.transaction() as session:
        await joining.leave(session, people[1].id)
        with pytest.raises(NotNow):
            await joining.leave(session, people[1].id)
    assert await serve(shop) == 1
    assert await states(shop) == ["passed", "left", "offered"]


@pytest.mark.parametrize("freeing", ["cancel", "shorten", "unblock"])
async def test_who_waits_is_looked_after_whatever_frees_a_car(shop: Shop, freeing: str) -> None:
    """A job is asked for by what frees a car, where somebody waits."""
    made = await Shop.open(shop.databases, shop.tenant, cars=1)
    starts_at = made.now + timedelta(hours=24)
    if freeing == "unblock":
        given = BlockInput(starts_at=starts_at, ends_at=starts_at + timedelta(hours=96))
        async with made.transaction() as session:
            block = await blocks.add(session, made.cars[0].id, given)
    else:
        booking = await made.confirmed(starts_in=24, hours=96)
    waiting = await wait(made, "ana", starts_in=90, hours=24)
    async with made.transaction() as session:
        if freeing == "cancel":
            await bookings.cancel(session, booking.id)
        elif freeing == "shorten":
            ends_at = starts_at + timedelta(hours=24)
            await changing.change_dates(session, booking.id, starts_at, ends_at)
        else:
            await blocks.end(session, block.id)
    assert await serve(made) == 1
    async with made.transaction() as session:
        offered = await session.get_one(Wait, waiting.id)
        held = await session.get_one(Block, offered.block_id)
        assert (held.reason, held.starts_at) == ("offer", waiting.starts_at)


async def test_nobody_waits_for_what_is_free(full: tuple[Shop, Booking]) -> None:
    """Nor twice for the same."""
    shop, _booking = full
    with pytest.raises(StillFree):
        await wait(shop, "ana", starts_in=200)
    await wait(shop, "ana")
    with pytest.raises(Invalid, match="already"):
        await wait(shop, "ana")


async def test_a_guest_waits_and_books_what_was_kept(site: Site, shop: Shop) -> None:
    """On the site without an account: on to the list, the offer by the link, off it again; the
    desk sees the order and takes others off."""
    made = await Shop.open(shop.databases, shop.tenant, cars=1)
    asked: dict[str, Any] = {"class_id": str(made.vehicle_class.id), **walls(made)}
    booking = await made.confirmed(starts_in=0, hours=72)
    async with site.visitor(made.tenant) as client:
        search = await client.get("/car-hire", params=asked)
        assert "/car-hire/waiting?class_id=" in search.text
        who = {"name": "Guest Waits", "email": f"{made.vehicle_class.id.hex[-8:]}@example.com"}
        joined = await client.post("/car-hire/waiting", data=asked | who)
        page = joined.headers["location"]
        assert "You are on the list" in (await client.get(page)).text
        async with made.transaction() as session:
            await bookings.cancel(session, booking.id)
        assert await serve(made) == 1
        shown = (await client.get(page)).text
        offer = re.search(r'href="(/car-hire/quotes/[0-9a-f-]+)"', shown)
        assert offer is not None
        assert (await client.get(offer[1])).status_code == 200
        async with await site.person(made.tenant, Role.STAFF) as desk:
            assert "Guest Waits" in (await desk.get("/car-hire/desk/waiting?status=offered")).text
            (row,) = [
                each
                for each in (await desk.get("/api/v1/car-hire/waiting")).json()["items"]
                if each["class_id"] == asked["class_id"]
            ]
            assert row["offer_until"] is not None
        left = await client.post(f"{page}/departure")
        assert left.headers["location"] == page
        assert "no longer on the list" in (await client.get(page)).text
        assert (await client.get("/car-hire/waiting/guess")).status_code == 404
    await made.quote()

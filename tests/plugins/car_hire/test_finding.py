"""The desk finds anything by any part of it, and minds whom it does not serve any more."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import text, update

from atrium.testing.site import Site
from core.auth.identity import Identity, acting_as
from core.ids import new_id
from core.permissions import Role
from plugins.car_hire.errors import NotWelcome
from plugins.car_hire.models import Customer
from plugins.car_hire.permissions import DESK
from plugins.car_hire.schemas import BlockCustomerInput
from plugins.car_hire.services import minding, searching
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_pages import is_page

DESK_PATH = "/car-hire/desk"


async def called(shop: Shop, **values: str) -> None:
    """Let the shop's customer have another name, phone or address."""
    async with shop.transaction() as session:
        mine = update(Customer).where(Customer.id == shop.customer.id)
        await session.execute(mine.values(**values))


async def test_the_desk_finds_by_any_part(shop: Shop) -> None:
    """A number with or without its dash, digits of a phone, half a plate, a surname's middle."""
    mark = secrets.token_hex(5)
    digits = str(secrets.randbelow(9 * 10**6) + 10**6)
    await called(shop, name=f"Zé {mark}ões", phone=f"+351 {digits[:3]} {digits[3:5]}-{digits[5:]}")
    booking = await shop.book()
    async with shop.transaction() as session:
        for typed in (booking.number, booking.number.replace("-", "").lower()):
            found = await searching.everything(session, typed)
            assert found.only_booking == booking.id
        for typed in (
            mark[2:8].upper(),
            f"ze {mark}oes",
            f"ZÉ {mark}ÕE",
            digits[1:6],
            f"{digits[:3]} {digits[3:]}",
        ):
            found = await searching.everything(session, typed)
            assert shop.customer.id in {each.id for each in found.customers}, typed
        plate = shop.cars[0].plate
        found = await searching.everything(session, plate[1:].lower())
        assert shop.cars[0].id in {each.id for each in found.vehicles}
        assert not await searching.everything(session, "%")
        assert not await searching.everything(session, "%%_%")


async def test_customers_are_found_by_an_index(shop: Shop) -> None:
    """Where reading all of them is dear, the trigrams are read instead."""
    async with shop.transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        wanted = "sought LIKE '%martins%'"
        asked = text(f"EXPLAIN SELECT id FROM car_hire_customers WHERE {wanted}")
        plan = await session.execute(asked)
        assert "ix_car_hire_customers_sought" in "\n".join(line for (line,) in plan)


async def test_who_is_blocked_cannot_book_and_only_staff_hear_why(shop: Shop) -> None:
    """What was booked before stays theirs; unblocked, they may book again."""
    before, quote = await shop.book(), await shop.quote()
    async with shop.transaction() as session:
        given = BlockCustomerInput(reason="Never pays")
        shop.customer = await minding.block(session, shop.customer.id, given)
    with pytest.raises(NotWelcome) as polite:
        await shop.place(quote)
    assert "Never pays" not in str(polite.value.message)
    clerk = Identity(
        user_id=new_id(), name="Marta", email="", role=Role.STAFF,
        permissions=frozenset({DESK.name}), session_id=new_id(),
    )  # fmt: skip
    with acting_as(clerk), pytest.raises(NotWelcome) as frank:
        await shop.place(quote)
    assert "Never pays" in str(frank.value.message)
    async with shop.transaction() as session:
        assert (await minding.record(session, shop.customer.id)).upcoming == 1
        shop.customer = await minding.unblock(session, shop.customer.id)
    assert (await shop.place(quote)).id != before.id


async def test_the_pages_of_search_and_customer(site: Site, shop: Shop) -> None:
    """A booking that alone fits opens at once; notes are kept, and too long a one is not lost."""
    booking = await shop.book()
    async with await site.person(shop.tenant) as client:
        assert is_page(await client.get(f"{DESK_PATH}/search"))
        hit = await client.get(f"{DESK_PATH}/search", params={"text": booking.number})
        assert hit.headers["location"] == f"{DESK_PATH}/bookings/{booking.id}"
        page = f"{DESK_PATH}/customers/{shop.customer.id}"
        kept = await client.post(f"{page}/notes", data={"text": "Likes the red one"})
        assert kept.status_code == 303
        long = await client.post(f"{page}/notes", data={"text": "long " * 500})
        assert long.status_code == 422
        assert "long long" in long.text
        blocked = await client.post(f"{page}/block", data={"reason": "Lost two keys"})
        assert blocked.status_code == 303
        shown = await client.get(page)
        assert is_page(shown)
        assert "Likes the red one" in shown.text
        assert "Lost two keys" in shown.text

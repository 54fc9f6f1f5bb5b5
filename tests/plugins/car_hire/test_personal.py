"""What newer tables keep of people is told to them, and forgotten with them."""

from __future__ import annotations

import secrets
from uuid import UUID

from atrium.testing.site import Site
from core import clock
from core.auth.models import User
from core.payments.services import Payments
from core.permissions import Role
from plugins.car_hire.models import Block, Customer, Wait
from plugins.car_hire.schemas_waiting import WaitInput
from plugins.car_hire.services import bookings, hires, paying, personal
from plugins.car_hire.services.later import charging, recording
from plugins.car_hire.services.waiting import joining, serving
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_later import recorded
from tests.plugins.car_hire.test_paying import Till, _running, standin, till

__all__ = ["_running", "standin", "till"]


async def _signed_up(site: Site, shop: Shop, email: str = "") -> UUID:
    """The shop's customer has an account from now on."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        (await session.get_one(Customer, shop.customer.id)).user_id = user_id
        user = await session.get_one(User, user_id)
        user.email_confirmed_at = clock.now()
        shop.customer.email = user.email
    return user_id


async def test_who_waited_before_signing_in_is_told_and_forgotten(site: Site, shop: Shop) -> None:
    """By their confirmed address; the car that was held for them goes to the next, and its block
    does not keep their name."""
    shop = await Shop.open(shop.databases, shop.tenant, cars=1)
    user_id = await _signed_up(site, shop)
    booking = await shop.confirmed(starts_in=24)
    name = f"Guest {secrets.token_hex(4)}"
    given = WaitInput(
        class_id=shop.vehicle_class.id, starts_at=booking.starts_at, ends_at=booking.ends_at,
        name=name, email=shop.customer.email.upper(),
    )  # fmt: skip
    async with shop.transaction() as session:
        made, _secret = await joining.join(session, given)
        await bookings.cancel(session, booking.id)
    async with shop.transaction() as session:
        assert await serving.serve(session, shop.vehicle_class.id) == 1
    async with shop.transaction() as session:
        (told,) = await personal.export(session, user_id)
        assert [each["name"] for each in told["waits"]] == [name]
        await personal.erase(session, user_id)
    async with shop.transaction() as session:
        wait = await session.get_one(Wait, made.id)
        assert wait.block_id is not None
        block = await session.get_one(Block, wait.block_id)
    assert (wait.state, name in wait.name, wait.email.endswith("@erased.invalid")) == (
        "left", False, True,
    )  # fmt: skip
    assert (block.notes, block.ended_early) == ("", True)
    assert (await shop.quote(starts_in=24)).id


async def test_kept_cards_and_links_to_pay_are_told_and_forgotten(till: Till, site: Site) -> None:
    user_id = await _signed_up(site, till.shop)
    booking, hire_id = await till.out()
    later_id = await recorded(till.shop, booking)
    async with till.shop.transaction() as session:
        await charging.charge(session, later_id, by_link=True)
    await till.work()
    async with till.shop.transaction() as session:
        await charging.waive(session, later_id, "Ana was in hospital")
    await till.shop.back(hire_id)
    await till.work()
    async with till.shop.transaction() as session:
        (told,) = await personal.export(session, user_id)
        (mine,) = [each for each in told["bookings"] if each["number"] == booking.number]
        assert any(each["card_is_kept"] for each in mine["payments"])
        await hires.close(session, hire_id)
    async with till.shop.transaction() as session:
        await personal.erase(session, user_id)
    async with till.shop.transaction() as session:
        payments = await Payments(session).of(paying.HIRE, hire_id)
        found = await recording.one(session, later_id)
    assert not any(each.has_saved_card for each in payments)
    assert (found.link, found.said) == (None, "")

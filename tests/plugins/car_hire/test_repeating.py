"""A past booking once more, by one button."""

from __future__ import annotations

from sqlalchemy import select, update

from atrium.testing.site import Site
from core import clock
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from plugins.car_hire.models import Booking, Customer, Quote
from plugins.car_hire.services import quotes
from tests.plugins.car_hire.shop import Shop


async def owned(site: Site, shop: Shop) -> str:
    """A browser of the shop's customer, signed in."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        mine = update(Customer).where(Customer.id == shop.customer.id).values(user_id=user_id)
        await session.execute(mine)
        token = await site.sessions.begin(session, user_id)
    return token


async def test_the_same_is_offered_on_the_next_such_days(site: Site, shop: Shop) -> None:
    """Class, extras, length, day of the week and hour are those of the booking before."""
    code = await shop.extra(stock=3)
    booking = await shop.confirmed(starts_in=24 * 20 + 5, hours=50, extras={code: 2})
    async with site.visitor(shop.tenant) as customer:
        customer.cookies.set(LOCAL_COOKIE, await owned(site, shop))
        answer = await customer.post(f"/car-hire/bookings/{booking.id}/again")
        assert answer.status_code == 303
        made_id = answer.headers["location"].rpartition("/")[2]
    async with shop.transaction() as session:
        made = (await session.scalars(select(Quote).where(Quote.id == made_id))).one()
        chosen = quotes.asked_then(made).chosen
    then, now = (
        clock.local(each, shop.tenant.zone) for each in (booking.starts_at, made.starts_at)
    )
    assert (then.weekday(), then.time()) == (now.weekday(), now.time())
    assert made.class_id == booking.class_id
    assert [(each.extra.code, each.quantity) for each in chosen] == [(code, 2)]
    assert 1 < (now.date() - clock.today(shop.tenant.zone)).days < 9


async def test_what_cannot_be_had_again_leads_to_the_search(site: Site, shop: Shop) -> None:
    """With every car taken then: dates, class and branch are filled in, and why is said."""
    booking = await shop.confirmed(starts_in=24 * 20, hours=5)
    for _ in range(3):
        await shop.confirmed(starts_in=30, hours=24 * 10)
    async with site.visitor(shop.tenant) as customer:
        customer.cookies.set(LOCAL_COOKIE, await owned(site, shop))
        answer = await customer.post(f"/car-hire/bookings/{booking.id}/again")
    assert answer.headers["location"].startswith("/car-hire?starts_at=")
    assert str(booking.class_id) in answer.headers["location"]


async def test_nobody_repeats_what_is_anothers(site: Site, shop: Shop) -> None:
    """To somebody else the booking does not exist."""
    booking: Booking = await shop.confirmed(starts_in=30)
    async with await site.person(shop.tenant, Role.MEMBER) as other:
        answer = await other.post(f"/car-hire/bookings/{booking.id}/again")
        assert answer.status_code == 404

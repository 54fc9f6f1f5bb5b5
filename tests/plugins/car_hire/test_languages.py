"""One page speaks one language, whichever texts were made before it was drawn."""

from __future__ import annotations

from sqlalchemy import select, update

from atrium.testing.site import Site
from core.auth.models import User
from core.permissions import Role
from tests.plugins.car_hire.shop import Shop


async def test_lines_of_a_price_come_in_the_language_of_the_page(site: Site, shop: Shop) -> None:
    """A clerk who chose Portuguese, at a browser that asks for English."""
    booking = await shop.confirmed()
    clerk = await site.person(shop.tenant, Role.STAFF)
    async with shop.transaction() as session:
        newest = select(User.id).order_by(User.id.desc()).limit(1).scalar_subquery()
        await session.execute(update(User).where(User.id == newest).values(locale="pt"))
    page = f"/car-hire/desk/bookings/{booking.id}"
    mine = (await clerk.get(page, headers={"accept-language": "en"})).text
    asked = (await clerk.get(f"{page}?lang=en", headers={"accept-language": "en"})).text
    assert ("Aluguer, 2 dias" in mine, "Hire, 2 days" in mine) == (True, False)
    assert ("Aluguer, 2 dias" in asked, "Hire, 2 days" in asked) == (False, True)

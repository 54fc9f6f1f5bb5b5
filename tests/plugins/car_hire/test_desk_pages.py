"""Pages of the desk ask as much of the database for many things as for few."""

from __future__ import annotations

from atrium.testing.site import Site
from core.permissions import Role
from tests.attack.loot import Loot
from tests.plugins.car_hire.desk_pages import Statements, desk_pages, statements
from tests.plugins.car_hire.shop import Shop


async def test_no_page_asks_more_the_more_there_is(site: Site) -> None:
    """More classes, cars, customers and bookings make no page ask one statement more."""
    tenant = await site.world.provision()
    loot = await Loot.of(site, tenant)
    person = await site.person(tenant, Role.OWNER)

    async def asked(noted: Statements) -> dict[str, list[str]]:
        """What each page asks, once everything is warm."""
        found = {}
        for page in desk_pages(site, loot.ids):
            for _ in range(2):
                noted.take()
                answer = await person.get(page)
                assert answer.status_code < 400, f"{page}: {answer.status_code}"
            found[page] = noted.take()
        return found

    with statements() as noted:
        few = await asked(noted)
        for _ in range(3):
            shop = await Shop.open(site.world.databases, tenant, cars=2)
            await shop.out(starts_in=1)
            await shop.confirmed(starts_in=2)
        many = await asked(noted)
    grown = {page: many[page] for page in few if len(many[page]) > len(few[page])}
    assert len(few) > 20
    assert not grown, "\n".join(f"{page}: {texts}" for page, texts in grown.items())

"""What anybody may find: every page that is listed exists, and says what is charged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
import msgspec

from atrium.testing.site import Site
from core.ids import new_id
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.schemas_branches import BranchInput
from plugins.car_hire.services import fleet, quotes
from plugins.car_hire.services.branches import keeping
from plugins.car_hire.services.storefront.addresses import by_word, plain
from tests.plugins.car_hire.shop import Shop, class_input

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class Named(msgspec.Struct, frozen=True):
    """Something with a name."""

    id: UUID
    name: str


def test_words_of_addresses_are_plain_and_everybodys_own() -> None:
    """Accents go, the second of a name has a number, and a name without letters its id."""
    names = ("Família", "familia", "SUV / 4x4", "小型车", "A-2", "A", "a")
    rows = [Named(UUID(int=n), name) for n, name in enumerate(names)]
    words = by_word(reversed(rows))
    expected = {"familia": 0, "familia-2": 1, "suv-4x4": 2, "a-2": 4, "a": 5, "a-3": 6}
    assert {word: words[word] for word in expected} == {w: rows[n] for w, n in expected.items()}
    assert words[rows[3].id.hex] is rows[3]
    assert len(words) == len(rows)
    assert plain("x" * 300) == "x" * 60


async def addresses(visitor: httpx.AsyncClient) -> list[str]:
    answer = await visitor.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    return [each.text or "" for each in ElementTree.fromstring(answer.text).iter(f"{SITEMAP}loc")]


def things(page: str) -> Iterator[dict[str, Any]]:
    """What a page tells in the words of schema.org."""
    for each in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page):
        yield json.loads(each)


async def test_every_listed_page_is_there_and_names_itself(site: Site, shop: Shop) -> None:
    """Each address of the sitemap is its page's own in its language; none is a desk's."""
    async with site.visitor(shop.tenant) as visitor:
        listed = await addresses(visitor)
        assert any(f"/cars/{plain(shop.vehicle_class.name)}" in each for each in listed)
        assert not any("/desk" in each for each in listed)
        ours = [
            each
            for each in listed
            if "/cars/" not in each or plain(shop.vehicle_class.name) in each
        ]
        for address in ours:
            answer = await visitor.get(address)
            assert answer.status_code == 200, address
            assert f'<link rel="canonical" href="{address}">' in answer.text
            assert answer.text.count('rel="alternate"') == 3
            assert 'name="robots"' not in answer.text
            assert [each["@context"] for each in things(answer.text)]
            visitor.cookies.clear()


async def test_what_is_not_listed_is_kept_out(site: Site, shop: Shop) -> None:
    """A search for dates, a price and a sign-in page are nobody's to find."""
    quote = await shop.quote()
    async with site.visitor(shop.tenant) as visitor:
        for path in ("/car-hire?class_id=", f"/car-hire/quotes/{quote.id}", "/sign-in"):
            answer = await visitor.get(path)
            assert ('<meta name="robots" content="noindex">' in answer.text) == ("=" not in path)


async def test_a_price_that_is_advertised_can_be_had(site: Site, shop: Shop) -> None:
    """The page of a class says the cheapest day; a search for those dates says the same."""
    word = plain(shop.vehicle_class.name)
    async with site.visitor(shop.tenant) as visitor:
        page = (await visitor.get(f"/car-hire/cars/{word}")).text
        car = next(each for each in things(page) if "Car" in each["@type"])
        link = re.search(r'href="/car-hire\?(class_id=[^"]*starts_at=[^"]*)"', page)
        assert link is not None
        results = (await visitor.get(f"/car-hire?{link[1].replace('&amp;', '&')}")).text
    found = re.search(r"<strong>€([\d.,]+)</strong>\s*<span[^>]*>for (\d+) day", results)
    assert found is not None
    per_day = float(found[1].replace(",", "")) / int(found[2])
    assert abs(per_day - float(car["offers"]["price"])) < 0.01
    assert car["offers"]["priceCurrency"] == "EUR"
    assert car["vehicleSeatingCapacity"] == 5


async def test_classes_and_branches_that_are_not_offered_are_not_there(
    site: Site, shop: Shop
) -> None:
    """What customers may not book has no page, though staff still know it."""
    async with shop.transaction() as session:
        hidden = await fleet.add_class(session, class_input(on_offer=False))
    async with site.visitor(shop.tenant) as visitor:
        for path in (f"cars/{plain(hidden.name)}", "cars/nothing", "branches/nowhere"):
            assert (await visitor.get(f"/car-hire/{path}")).status_code == 404


async def test_old_addresses_lead_to_what_was_renamed_until_another_takes_them(
    site: Site, shop: Shop
) -> None:
    """Renamed twice, both old words lead to the last; one that another class has by now is that
    one's page, and what is not offered any more leads nowhere. Branches do the same."""
    mark = new_id().hex[-8:]
    names = [f"{kind} {mark}" for kind in ("Citadino", "Cidade", "Urbano")]

    async def rename(row: VehicleClass, name: str, **changes: Any) -> None:
        async with shop.transaction() as session:
            await fleet.change_class(session, row.id, class_input(name=name, **changes), None)

    async with shop.transaction() as session:
        branch = await keeping.add(session, BranchInput(name=f"Faro {mark}", code=mark[:6].upper()))
    for name in names:
        await rename(shop.vehicle_class, name)
    async with shop.transaction() as session:
        given = BranchInput(name=f"Olhão {mark}", code=branch.code)
        await keeping.change(session, branch.id, given, None)
    first, second, last = (f"/car-hire/cars/{plain(name)}" for name in names)
    async with site.visitor(shop.tenant) as visitor:
        for old in (first, second):
            answer = await visitor.get(f"{old}?lang=pt")
            assert (answer.status_code, answer.headers["location"]) == (301, f"{last}?lang=pt")
        answer = await visitor.get(f"/car-hire/branches/faro-{mark}")
        assert answer.headers["location"] == f"/car-hire/branches/olhao-{mark}"
        assert (await visitor.get(answer.headers["location"])).status_code == 200
        other = await Shop.open(shop.databases, shop.tenant)
        await rename(other.vehicle_class, names[0])
        assert names[0] in (await visitor.get(first)).text
        assert (await visitor.get(second)).status_code == 301
        await rename(shop.vehicle_class, names[2], on_offer=False)
        assert (await visitor.get(second)).status_code == 404
    async with shop.transaction() as session:
        await keeping.change(session, branch.id, BranchInput(
            name=given.name, code=given.code, in_use=False), None)  # fmt: skip


async def test_strangers_may_keep_a_listed_page_and_members_may_not(site: Site, shop: Shop) -> None:
    """It is asked for again by its ETag; what bears a name is kept by nobody."""
    async with site.visitor(shop.tenant) as visitor:
        first = await visitor.get("/car-hire/conditions")
        assert first.headers["cache-control"].startswith("public")
        assert "cookie" in first.headers["vary"]
        again = await visitor.get(
            "/car-hire/conditions", headers={"if-none-match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
    async with await site.person(shop.tenant) as member:
        answer = await member.get("/car-hire/conditions")
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_the_desk_and_the_portal_are_nobodys_to_find(site: Site) -> None:
    """robots.txt of a business leaves its desk out, that of the portal everything."""
    world = site.world
    async with site.visitor(world.acme) as visitor:
        lines = (await visitor.get("/robots.txt")).text.splitlines()
        assert {"Disallow: /car-hire/desk", "Disallow: /settings/"} <= set(lines)
        assert lines[-1].endswith("/sitemap.xml")
    async with site.visitor(world.platform) as visitor:
        assert "Disallow: /\n" in (await visitor.get("/robots.txt")).text
        assert (await visitor.get("/sitemap.xml")).status_code == 404


async def test_the_conditions_say_what_bills_charge(site: Site, shop: Shop) -> None:
    """The price of a km is that of the quote, with its tax."""
    quote = await shop.quote()
    terms = quotes.terms_then(quote)
    price = terms.mileage.per_km * (1 + terms.taxes.hire)
    async with site.visitor(shop.tenant) as visitor:
        text = (await visitor.get("/car-hire/conditions")).text
    assert (
        f"{shop.vehicle_class.name}: 200 km a day are in the price; each km more costs €{price:.2f}"
        in text
    )

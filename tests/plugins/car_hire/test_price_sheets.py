"""Rates as a sheet: out and in again, tried first, with errors by row and column."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from atrium.testing.site import Site
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices import sheet
from tests.plugins.car_hire.shop import Shop, class_prices

SUMMER = pricing.SeasonDates(
    code="summer", texts={"en": "Summer"}, first=date(2027, 6, 1), last=date(2027, 9, 30)
)
HOUSE = pricing.HouseRules(seasons=(SUMMER,))


def _classes(shop: Shop) -> tuple[list[VehicleClass], dict[object, pricing.ClassPrices]]:
    prices = class_prices(seasons={"summer": pricing.Rate(day=Decimal(55), week=Decimal(330))})
    return [shop.vehicle_class], {shop.vehicle_class.id: prices}


async def test_a_sheet_that_was_taken_out_changes_nothing(shop: Shop) -> None:
    """Whichever way a spreadsheet writes it back: commas or semicolons, a mark at its beginning."""
    classes, known = _classes(shop)
    text = sheet.written(HOUSE, classes, known)  # type: ignore[arg-type]
    european = "\ufeff" + text.replace(",", ";").replace(".", ",")
    for each in (text, european):
        assert not sheet.read(each, HOUSE, classes, known).changes  # type: ignore[arg-type]


async def test_what_a_row_changes_and_nothing_else(shop: Shop) -> None:
    """A unit more, a season less; deposit and distance stay as they are."""
    classes, known = _classes(shop)
    name = shop.vehicle_class.name
    text = f"class;season;day;week\n{name};;41,50;250\n{name};summer;;\n"
    made = sheet.read(text, HOUSE, classes, known)  # type: ignore[arg-type]
    (after,) = made.prices.values()
    assert after.rate == pricing.Rate(day=Decimal("41.50"), week=Decimal(250))
    assert after.seasons == {}
    assert after.deposit == Decimal(300)
    told = [(each.row, each.season, each.unit, each.after) for each in made.changes]
    assert told == [
        (2, "", "day", Decimal("41.50")), (2, "", "week", Decimal(250)),
        (3, "summer", "day", None), (3, "summer", "week", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Nobody's,,40", "Row 2, class: there is no class"),
        ("{name},winter,40", "Row 2, season: this list has no such season"),
        ("{name},,forty", "Row 2, day: write an amount"),
        ("{name},,-1", "Row 2, day: write an amount"),
        ("{name},,", "Row 2, day: a class that has a price keeps one"),
        ("{name},,40\n{name},,41", "Row 3, class: this class and season stand"),
    ],
)
async def test_errors_name_row_and_column(shop: Shop, row: str, words: str) -> None:
    """And nothing of the sheet counts."""
    classes, known = _classes(shop)
    text = f"class,season,day\n{row.format(name=shop.vehicle_class.name)}\n"
    with pytest.raises(Invalid) as refused:
        sheet.read(text, HOUSE, classes, known)  # type: ignore[arg-type]
    assert words in str(refused.value)


async def test_the_owner_tries_a_sheet_and_takes_it_over(site: Site) -> None:
    """By file on the page, and by programs; a published list takes none."""
    tenant = await site.world.provision()
    shop = await Shop.open(site.world.databases, tenant)
    async with await site.person(tenant, Role.OWNER) as owner:
        begun = (await owner.post("/car-hire/desk/prices")).headers["location"]
        text = (await owner.get(f"{begun}/sheet/rates")).text
        dearer = text.replace("39.9", "44.9")
        files = {"file": ("rates.csv", dearer.encode(), "text/csv")}
        tried = await owner.post(f"{begun}/sheet", files=files)
        assert "1 price would change" in tried.text
        assert (await owner.get(f"{begun}/sheet/rates")).text == text
        pasted = {"sheet": dearer.replace("44.9", "x"), "form_key": "as-the-page-sends-it"}
        wrong = await owner.post(f"{begun}/sheet", data=pasted)
        assert wrong.status_code == 422
        assert "day: write an amount" in wrong.text
        assert "form_key:" not in wrong.text
        over = await owner.post(f"{begun}/sheet/adoption", data={"sheet": dearer})
        assert over.headers["location"] == begun
        assert (await owner.get(f"{begun}/sheet/rates")).text == dearer
        api = f"/api/v1/car-hire/price-lists/{begun.rpartition('/')[2]}/sheet"
        assert (await owner.get(api)).text == dearer
        told = await owner.post(f"{api}/preview", json={"sheet": text})
        assert [each["after"] for each in told.json()["changes"]] == ["39.9"]
        assert (await owner.put(api, json={"sheet": text})).status_code == 200
        await owner.post(f"{begun}/publication", data={})
        late = await owner.put(api, json={"sheet": dearer})
        assert late.status_code == 409
    assert shop.vehicle_class.name in text

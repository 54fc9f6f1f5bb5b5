"""The fleet as CSV: tried first, then brought in whole or not at all."""

from __future__ import annotations

import csv
import secrets
from io import StringIO

import pytest
from sqlalchemy import func, select

from atrium.testing.site import Site
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.models import Vehicle
from plugins.car_hire.services import fleet
from plugins.car_hire.services.vehicles import importing
from tests.plugins.car_hire.shop import Shop


def _file(shop: Shop, *rows: str) -> str:
    head = "plate;class;make;model;year;odometer_km;fuel_eighths;colour"
    return "\n".join((head, *(row.replace("CLASS", shop.vehicle_class.name) for row in rows)))


async def _cars(shop: Shop) -> int:
    async with shop.transaction() as session:
        query = select(func.count()).where(Vehicle.class_id == shop.vehicle_class.id)
        return await session.scalar(query) or 0


async def test_a_trial_changes_nothing_and_says_all(shop: Shop) -> None:
    """New cars, changes of known ones, and what is wrong in which line and column."""
    plate, known = secrets.token_hex(4).upper(), shop.cars[0].plate
    good = _file(shop, f"{plate};CLASS;Seat;Ibiza;2024;12;8;red", f"{known};;;;;20000;;")
    async with shop.transaction() as session:
        outcome = await importing.trial(session, good)
    assert (outcome.added, [each.plate for each in outcome.changed]) == ([plate], [known])
    assert [tuple(cell) for cell in outcome.changed[0].cells] == [("odometer_km", "10000", "20000")]
    assert not outcome.wrong
    assert await _cars(shop) == 3
    bad = _file(
        shop,
        f"{plate};CLASS;Seat;Ibiza;1024;12;8;red",
        f"{known};Nothing;;;;5;9;",
        f"{plate};CLASS;Seat;Ibiza;2024;12;8;red",
        f"{shop.cars[1].plate};;;;;5;;",
        "?;CLASS;Seat;Ibiza;2024;12;8;red",
    )
    async with shop.transaction() as session:
        wrong = (await importing.trial(session, bad)).wrong
    assert [(each.line, each.column) for each in wrong] == [
        (2, "year"), (3, "class"), (3, "fuel_eighths"), (4, "plate"), (5, "odometer_km"),
        (6, "plate"),
    ]  # fmt: skip


async def test_a_file_is_brought_in_whole_or_not_at_all(shop: Shop) -> None:
    one, two = (secrets.token_hex(4).upper() for _ in range(2))
    known = shop.cars[0]
    text = _file(shop, f"{one};CLASS;Seat;Ibiza;2024;12;8;", f"{known.plate};;;;;20000;;blue")
    async with shop.transaction() as session:
        half = await importing.bring_in(session, f"{text}\n{two};Nothing;Seat;Ibiza;2024;12;8;")
        assert [each.column for each in half.wrong] == ["class"]
    assert await _cars(shop) == 3
    async with shop.transaction() as session:
        assert (await importing.bring_in(session, text)).wrong == []
        again = await importing.trial(session, text)
        assert (again.added, again.changed, again.unchanged) == ([], [], 2)
        changed = await fleet.vehicle(session, known.id)
        assert (changed.odometer_km, changed.colour, changed.make) == (20_000, "blue", "Renault")
    assert await _cars(shop) == 4


@pytest.mark.parametrize("text", ["", "plate,wheels\nA,4", "make\nSeat", "plate,plate\nA,B", "\0"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        importing.read(text)


async def test_the_fleet_goes_out_and_comes_in_again(site: Site, shop: Shop) -> None:
    """What was given out says nothing new; formulas are marked, and the mark goes again."""
    path = "/car-hire/desk/fleet/import"
    async with shop.transaction() as session:
        car = await session.get_one(Vehicle, shop.cars[0].id)
        car.colour = "=1+1"
    async with await site.person(shop.tenant, Role.STAFF) as client:
        given = (await client.get("/car-hire/desk/fleet/export")).text
        rows = [row for row in csv.DictReader(StringIO(given)) if row["plate"] == car.plate]
        assert rows[0]["colour"] == "'=1+1"
        own = "\n".join([given.splitlines()[0], *(x for x in given.splitlines() if car.plate in x)])
        async with shop.transaction() as session:
            assert (await importing.trial(session, own)).unchanged == 1
        assert (await client.get(path)).status_code == 200
        plate = secrets.token_hex(4).upper()
        text = _file(shop, f"{plate};CLASS;<Seat>;Ibiza;2024;12;8;red")
        tried = await client.post(path, files={"file": ("fleet.csv", text.encode())})
        assert tried.status_code == 200
        assert "&lt;Seat&gt;" in tried.text
        refused = await client.post(path, files={"file": ("fleet.csv", b"wheels\n4")})
        assert refused.status_code == 422
        assert (await client.post(f"{path}/run", data={"content": text})).status_code == 303
    assert await _cars(shop) == 4

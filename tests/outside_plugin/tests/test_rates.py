"""Prices of car hire, asked for as any customer would: by its API."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.clock import now
from core.permissions import Role
from core.testing import Business

CLASS = {
    "name": "Of the weekend tests",
    "seats": 5,
    "gears": "manual",
    "minimum_age": 21,
}
PRICES = {"rate": {"day": "40.00"}, "deposit": "300", "km_per_day": 200, "per_km": "0.15"}
CAR = {
    "make": "Renault",
    "model": "Clio",
    "year": 2024,
    "colour": "white",
    "plate": "AA-11-BB",
    "odometer_km": 10,
    "fuel_eighths": 8,
}


def next_day(weekday: int, zone: str) -> datetime:
    """Ten in the morning of that day of next week, by the business's clock."""
    today = now().astimezone(ZoneInfo(zone)).replace(hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(7 - today.weekday() + weekday)


@pytest.fixture(scope="session")
async def class_id(business: Business) -> str:
    """A class with a car."""
    async with await business.person(Role.OWNER) as owner:
        made = await owner.post("/api/v1/car-hire/classes", json=CLASS)
        assert made.status_code == 201, made.text
        lists = "/api/v1/car-hire/price-lists"
        draft = f"{lists}/{(await owner.post(lists)).json()['id']}"
        await owner.put(draft, json={"taxes": [{"kind": "hire", "percent": "23"}]})
        priced = await owner.put(f"{draft}/classes/{made.json()['id']}", json=PRICES)
        assert priced.status_code == 200, priced.text
        assert (await owner.post(f"{draft}/publication", json={})).status_code == 201
        car = CAR | {"class_id": made.json()["id"]}
        added = await owner.post("/api/v1/car-hire/vehicles", json=car)
        assert added.status_code == 201, added.text
    return str(made.json()["id"])


@pytest.mark.parametrize(
    ("weekday", "net"), [(0, "80.00"), (4, "80.00"), (5, "88.00"), (6, "88.00")]
)
async def test_a_hire_costs_more_that_begins_at_a_weekend(
    business: Business, class_id: str, weekday: int, net: str
) -> None:
    starts_at = next_day(weekday, business.tenant.zone)
    wanted: dict[str, Any] = {
        "class_id": class_id,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(days=2)).isoformat(),
    }
    async with business.visitor() as visitor:
        quote = await visitor.post("/api/v1/car-hire/quotes", json=wanted)
    assert quote.status_code == 201, quote.text
    assert Decimal(str(quote.json()["net"])) == Decimal(net)
    rules = [line["rule"] for line in quote.json()["lines"]]
    assert any("weekend" in rule for rule in rules) == (weekday >= 5)

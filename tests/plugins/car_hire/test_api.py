"""The API: anonymous, another tenant, plugin off, valid; and bad input everywhere."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire.models import Quote
from tests.plugins.car_hire.shop import Shop, class_input, customer_input, vehicle_input

API = "/api/v1/car-hire"


def vehicle_body(shop: Shop, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(vehicle_input(shop.vehicle_class.id))
    return body | changes


def customer_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(customer_input())
    return body | changes


def class_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(class_input())
    return body | changes


def quote_body(shop: Shop, **changes: Any) -> dict[str, Any]:
    starts_at = shop.now + timedelta(hours=1)
    body = {
        "class_id": str(shop.vehicle_class.id),
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(days=2)).isoformat(),
    }
    return body | changes


def everything(shop: Shop, quote: Quote) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Every operation that needs somebody, with a body that would be accepted."""
    car, customer = shop.cars[0].id, shop.customer.id
    nothing = "01990000-0000-7000-8000-000000000000"
    readings = {"odometer_km": 20_000, "fuel_eighths": 8}
    return [
        ("POST", "/classes", class_body()),
        ("PUT", f"/classes/{shop.vehicle_class.id}", class_body()),
        ("POST", "/price-lists", None),
        ("GET", f"/price-lists/{nothing}", None),
        ("PUT", f"/price-lists/{nothing}", {}),
        ("PUT", f"/price-lists/{nothing}/classes/{nothing}", {"rate": {"day": 40}}),
        ("POST", f"/price-lists/{nothing}/publication", {}),
        ("POST", f"/price-lists/{nothing}/withdrawal", None),
        ("GET", "/vehicles", None),
        ("POST", "/vehicles", vehicle_body(shop)),
        ("GET", f"/vehicles/{car}", None),
        ("PUT", f"/vehicles/{car}", vehicle_body(shop)),
        ("GET", "/customers", None),
        ("POST", "/customers", customer_body()),
        ("GET", f"/customers/{customer}", None),
        ("PUT", f"/customers/{customer}", customer_body()),
        ("GET", "/bookings", None),
        ("POST", "/bookings", {"quote_id": str(quote.id), "customer_id": str(customer)}),
        ("GET", f"/bookings/{nothing}", None),
        ("POST", f"/bookings/{nothing}/payment", {"payment_method": "pm_card_visa"}),
        ("POST", f"/bookings/{nothing}/cancellation", None),
        ("POST", "/hires", {"booking_id": nothing, **readings, "licence_seen": True}),
        ("GET", f"/hires/{nothing}", None),
        ("POST", f"/hires/{nothing}/deposit", {"payment_method": "pm_card_visa"}),
        ("POST", f"/hires/{nothing}/bill-preview", readings),
        ("POST", f"/hires/{nothing}/return", readings),
    ]


async def test_nobody_is_let_in_without_signing_in(site: Site, shop: Shop) -> None:
    """Every operation that needs somebody answers 401 to nobody."""
    quote = await shop.quote()
    async with site.visitor(shop.tenant) as client:
        for method, path, body in everything(shop, quote):
            answer = await client.request(method, API + path, json=body)
            assert answer.status_code == 401, (method, path, answer.text)


async def test_a_customer_may_not_do_the_desks_work(site: Site, shop: Shop) -> None:
    """Members see neither the fleet nor other customers, and book for nobody else."""
    quote = await shop.quote()
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        for method, path, body in everything(shop, quote):
            answer = await client.request(method, API + path, json=body)
            allowed = {404} if "/bookings/" in path else {403}
            assert answer.status_code in allowed, (method, path, answer.text)


async def test_another_tenants_staff_find_nothing(site: Site, shop: Shop) -> None:
    """Ids of one tenant do not exist in another, pooled or dedicated."""
    quote = await shop.quote()
    for stranger in (site.world.bravo, site.world.delta):
        async with await site.person(stranger, Role.OWNER) as client:
            for method, path, body in everything(shop, quote):
                if path in {"/classes", "/customers", "/price-lists"} and method == "POST":
                    continue
                answer = await client.request(method, API + path, json=body)
                if method == "GET" and path.count("/") == 1:
                    assert answer.status_code == 200
                    assert answer.json()["items"] == [] or str(shop.cars[0].id) not in answer.text
                else:
                    assert answer.status_code in {404, 422}, (method, path, answer.text)


async def test_without_the_plugin_there_is_nothing(site: Site, shop: Shop) -> None:
    """A tenant that did not choose car hire gets 404, whatever it asks and how."""
    bare = await site.world.provision(f"bare-{secrets.token_hex(3)}", plugins=())
    quote = await shop.quote()
    async with await site.person(bare, Role.OWNER) as client:
        for method, path, body in everything(shop, quote):
            answer = await client.request(method, API + path, json=body)
            assert answer.status_code == 404, (method, path)
        assert (await client.delete(f"{API}/vehicles")).status_code == 404


async def test_a_car_is_added_read_and_changed(site: Site, shop: Shop) -> None:
    """The version is the ETag; a change on an older version is told and loses nothing."""
    async with await site.person(shop.tenant, Role.OWNER) as client:
        made = await client.post(f"{API}/vehicles", json=vehicle_body(shop, plate="aa 00 bb"))
        assert made.status_code == 201, made.text
        assert made.json()["plate"] == "AA00BB"
        path = f"{API}/vehicles/{made.json()['id']}"
        read = await client.get(path)
        assert read.json() == made.json()
        changed = vehicle_body(shop, plate="AA00BB", colour="red")
        etag = read.headers["etag"]
        second = await client.put(path, json=changed, headers={"if-match": etag})
        assert (second.status_code, second.json()["colour"]) == (200, "red")
        stale = await client.put(path, json=changed, headers={"if-match": etag})
        assert (stale.status_code, stale.json()["code"]) == (412, "edited_meanwhile")
        again = await client.post(f"{API}/vehicles", json=vehicle_body(shop, plate="AA-00-BB "))
        assert again.status_code == 201
        doubled = await client.post(f"{API}/vehicles", json=vehicle_body(shop, plate="aa00bb"))
        assert doubled.status_code == 422
        assert doubled.json()["errors"][0]["field"] == "plate"


async def test_a_vehicle_is_read_by_one_query(site: Site, shop: Shop) -> None:
    """Who is asking is remembered, and the read goes past the session: nothing else is asked.

    Of staff it is asked to which branches they are bound.
    """
    engine = site.edge.databases.engine(shop.tenant.scope.database).sync_engine
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    async with await site.person(shop.tenant, Role.OWNER) as owner:
        address = f"{API}/vehicles/{shop.cars[0].id}"
        assert (await owner.get(address)).status_code == 200
        event.listen(engine, "before_cursor_execute", note)
        try:
            found = await owner.get(address)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    assert found.json()["plate"] == shop.cars[0].plate
    assert asked == []


async def test_a_request_sent_twice_with_one_key_is_done_once(site: Site, shop: Shop) -> None:
    """The second gets the first one's answer; with another body it is refused by name."""
    key, body = (
        {"idempotency-key": secrets.token_hex(16)},
        customer_body(email="once@people.example"),
    )
    async with await site.person(shop.tenant) as staff:
        first = await staff.post(f"{API}/customers", json=body, headers=key)
        again = await staff.post(f"{API}/customers", json=body, headers=key)
        other = await staff.post(
            f"{API}/customers", json=body | {"name": "Somebody Else"}, headers=key
        )
        listed = await staff.get(f"{API}/customers", params={"text": "once@people.example"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert len(listed.json()["items"]) == 1


async def test_pages_follow_a_cursor(site: Site, shop: Shop) -> None:
    """Following `next` visits every car once; a made-up cursor is refused by name."""
    async with await site.person(shop.tenant, Role.OWNER) as client:
        for _ in range(3):
            for _ in range(20):
                await client.post(f"{API}/vehicles", json=vehicle_body(shop))
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await client.get(f"{API}/vehicles{cursor}")).json()
            seen += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            cursor = f"?cursor={page['next']}"
        assert len(seen) == len(set(seen)) >= 60
        bad = await client.get(f"{API}/vehicles?cursor=made-up")
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "cursor")


async def test_a_customer_quotes_registers_and_books(site: Site, shop: Shop) -> None:
    """Prices are public; a booking needs a licence; others do not see it."""
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        offers = await client.get(
            f"{API}/offers",
            params={key: quote_body(shop)[key] for key in ("starts_at", "ends_at")},
        )
        assert offers.status_code == 200, offers.text
        mine = [each for each in offers.json()["items"] if each["name"] == shop.vehicle_class.name]
        assert (mine[0]["free"], mine[0]["gross"]) == (3, "98.15")
        quote = (await client.post(f"{API}/quotes", json=quote_body(shop))).json()
        assert quote["lines"][0]["rule"] == "rate.daily"
        body = {"quote_id": quote["id"]}
        early = await client.post(f"{API}/bookings", json=body)
        assert early.status_code == 422
        licence = {k: v for k, v in customer_body().items() if k not in {"name", "email"}}
        assert (await client.put(f"{API}/customers/me", json=licence)).status_code == 200
        made = await client.post(f"{API}/bookings", json=body)
        assert (made.status_code, made.json()["state"]) == (201, "pending_payment")
        again = await client.post(f"{API}/bookings", json=body)
        assert again.json()["id"] == made.json()["id"]
        path = f"{API}/bookings/{made.json()['id']}"
        assert (await client.get(path)).status_code == 200
        async with await site.person(shop.tenant, Role.MEMBER) as other:
            assert (await other.get(path)).status_code == 404
        gone = await client.post(f"{path}/cancellation")
        assert gone.json()["state"] == "cancelled"


NASTY: list[Any] = [
    "a\x00b",
    "\ud800",
    "x" * 5000,
    None,
    True,
    [],
    {},
    -1,
    1e308,
    "NaN",
    "Infinity",
    "-5",
    "99999999999999999999",
    "9999-12-31T23:59:59+00:00",
    "0001-01-01T00:00:00-23:59",
    "01990000-0000-7000-8000-000000000000",
    "' OR 1=1 --",
]


@pytest.mark.parametrize("path", ["/classes", "/vehicles", "/customers", "/quotes", "/bookings"])
async def test_bad_input_is_refused_by_name(site: Site, shop: Shop, path: str) -> None:
    """Each field of each body, given each nasty value, is accepted or refused naming it; no 5xx."""
    quote = await shop.quote()
    fresh: dict[str, Callable[[], dict[str, Any]]] = {
        "/classes": class_body,
        "/vehicles": lambda: vehicle_body(shop),
        "/customers": customer_body,
        "/quotes": lambda: quote_body(shop),
        "/bookings": lambda: {"quote_id": str(quote.id), "customer_id": str(shop.customer.id)},
    }
    async with await site.person(shop.tenant, Role.OWNER) as client:
        for field, value in itertools.product(fresh[path](), NASTY):
            # httpx refuses to send lone surrogates; the wire does not care.
            shown = "SURROGATE" if value == "\ud800" else value
            raw = msgspec.json.encode(fresh[path]() | {field: shown}).decode()
            answer = await client.post(
                API + path,
                content=raw.replace("SURROGATE", "\\ud800"),
                headers={"content-type": "application/json"},
            )
            assert answer.status_code in {201, 404, 409, 422}, (field, value, answer.text)
            if answer.status_code == 422 and value != "\ud800":
                named = {each["field"] for each in answer.json()["errors"]}
                assert field in named, (field, value, answer.text)
        answer = await client.post(API + path, json=fresh[path]() | {"unknown": 1})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "unknown"
        for raw in ("", "[]", "null", "{", '"x"'):
            answer = await client.post(
                API + path, content=raw, headers={"content-type": "application/json"}
            )
            assert answer.status_code in {400, 422}, (raw, answer.text)

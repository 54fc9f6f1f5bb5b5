"""What no program of ours would send, to every route that takes something."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import httpx
import pytest

from atrium.testing.routes import Route, Unexercised, routes
from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from core.throttle import Allowance, Throttle
from tests.attack.loot import Body, Loot

pytestmark = pytest.mark.usefixtures("brief_streams")

NUL, SURROGATE = "a\0b", "\ud800"
DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]

NEVER_GOOD: dict[str, Any] = {
    "NUL": NUL,
    "lone surrogate": SURROGATE,
    "object": {"a": {"b": "c"}},
    "deep list": DEEP,
    "endless": "x" * 150_000,
}
"""What no field accepts."""
SELDOM_GOOD: dict[str, Any] = {
    "null": None,
    "negative": -1,
    "fraction": 0.1,
    "tiny": 1e-300,
    "huge": 10**400,
    "text of a huge number": "1e400",
    "not a number": "NaN",
    "infinite": "-Infinity",
    "no day": "2026-02-30T25:61:00+99:99",
    "first day": "0001-01-01T00:00:00+14:00",
    "last day": "9999-12-31T23:59:59-14:00",
    "no id": "01990000-0000-7000-8000-00000000000g",
    "nobody's id": "01990000-0000-7000-8000-000000000000",
    "markup": "<script>alert(1)</script>{{7*7}}' OR 1=1 --",
    "right to left": "\u202etxt.exe",
    "yes": True,
    "list": [],
}
"""What some accept; none breaks."""

QUERY = ("cursor", "text", "status", "starts_at", "ends_at", "class_id", "customer_id", "q",
         "role", "lang", "next", "token", "day", "slug", "page")  # fmt: skip
QUERIES = ("%00", "%ED%A0%80", "9" * 2000, "01990000-0000-7000-8000-00000000000g", "%F0%9F%9A%97")


@pytest.fixture
async def loot(site: Site) -> Loot:
    """Rows of acme's own."""
    return await Loot.of(site, site.world.acme)


@pytest.fixture(scope="module")
async def owner(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Who may do everything there."""
    async with await site.person(site.world.acme, Role.OWNER) as client:
        yield client


class Boundless(Throttle):
    """Lets every attempt through: these attacks are to reach the route behind the allowance."""

    async def take(self, allowance: Allowance, subject: str) -> None:
        """Count nothing."""


@pytest.fixture(scope="module", autouse=True)
def unthrottled(site: Site) -> Iterator[None]:
    authority = site.edge.tenants.state["authority"]
    kept, authority.throttle = authority.throttle, Boundless(None)
    yield
    authority.throttle = kept


_OF_CARS = "takes a photo: tests/plugins/car_hire/test_vehicle_documents.py"
_OF_BILLS = "takes a file: tests/plugins/car_hire/test_evidence.py"
_PHOTOS = "takes a photo: tests/plugins/car_hire/test_inspections.py"
_LOOK, _DAMAGE = "inspections/{inspection_id}", "damages/{damage_id}"
ELSEWHERE = {
    "POST /settings/payments": "asks Stripe: tests/core/payments/test_accounts.py",
    f"POST /car-hire/desk/{_LOOK}/pictures/{{view}}": _PHOTOS,
    f"POST /car-hire/desk/{_LOOK}/{_DAMAGE}/picture": _PHOTOS,
    f"PUT /api/v1/car-hire/{_LOOK}/pictures/{{view}}": _PHOTOS,
    f"PUT /api/v1/car-hire/{_LOOK}/{_DAMAGE}/picture": _PHOTOS,
    "POST /car-hire/desk/charges/{later_id}/evidence": "takes a file: test_later.py there",
    "POST /car-hire/desk/hires/{hire_id}/lines/{line_id}/evidence": _OF_BILLS,
    "PUT /api/v1/car-hire/hires/{hire_id}/lines/{line_id}/evidence": _OF_BILLS,
    "POST /car-hire/desk/classes/{class_id}/photo": _OF_CARS,
    "POST /car-hire/desk/fleet/{vehicle_id}/photos": _OF_CARS,
}


SHARES = 6
shared = pytest.mark.parametrize("share", range(SHARES))
"""What takes a minute over all routes: workers take a part of them each."""


def taking(site: Site, share: int | None = None) -> Iterator[Route]:
    """The routes of the tenants that take a body; of a share, every sixth."""
    found = [
        route
        for route in routes(site.edge.tenants)
        if route.is_unsafe
        and str(route) not in ELSEWHERE
        and (route.below("car-hire") or route.path.startswith("/settings/"))
    ]
    yield from found if share is None else found[share::SHARES]


async def send(client: httpx.AsyncClient, route: Route, path: str, body: Body) -> httpx.Response:
    """As JSON with everything escaped, or as a form with raw bytes."""
    if route.is_api:
        content, kind = json.dumps(body).encode(), "application/json"
    else:
        pairs = [
            (name, str(each).encode("utf-8", "surrogatepass"))
            for name, value in body.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        content, kind = urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    headers = {"content-type": kind}
    return await client.request(route.method, path, content=content, headers=headers)


def refuses(answer: httpx.Response, field: str) -> bool:
    """As bad input: 422 that names the field to programs, and shows the form again to people."""
    if answer.status_code != 422:
        way = answer.headers.get("location", "")
        return answer.status_code == 303 and way.startswith("/car-hire?")  # the search, again
    if not answer.headers["content-type"].startswith("application/problem+json"):
        return True
    named = [each["field"] for each in answer.json().get("errors", ())]
    return any(each == field or each.startswith((f"{field}.", f"{field}[")) for each in named)


async def accepted(
    site: Site, client: httpx.AsyncClient, route: Route, loot: Loot
) -> tuple[Loot, Body | None]:
    """A body that the route can read (None where it reads none), and the rows it is for: fresh
    ones where the attacks before have left the others unfit."""
    for attempt in range(2):
        rows = await Loot.of(site, site.world.acme) if attempt else loot
        bodies = sorted(rows.bodies(), key=len, reverse=True)
        if route.path.endswith(BODILESS):
            bodies.insert(0, {})
        for number, body in enumerate(bodies):
            answer = await send(client, route, route.at(rows.ids), body)
            if answer.status_code not in {422, 415} and not refuses(answer, ""):
                sly = await send(client, route, route.at(rows.ids), body | {"nonsense": "x"})
                if not refuses(sly, "nonsense"):
                    return rows, None
                if body or number:
                    return rows, body
    raise Unexercised(f"{route}: add a body to loot.py that it accepts")


TICKS = {
    "on_offer", "licence_seen", "move", "charged",
    "is_airport", "serves_out_of_hours", "is_main", "in_use", "on_account",
}  # fmt: skip
"""Boxes of forms: whatever a browser sends for one means that it is ticked."""
SHEETS = {"sheet", "content"}
"""Fields that a whole file is pasted into: they are longer than what is endless for others."""
BODILESS = ("cancellation", "disable", "enable", "invite", "no-show", "abandonment", "answer",
            "disconnection", "restoration", "erasure", "withdrawal", "price-lists",
            "desk/prices", "pin", "/end", "desk-payment",
            "pay-at-desk", "unblock", "/invoice", "/inspection", "/removal", "/repair",
            "damages/{damage_id}", "/receipt", "/student", "documents/{document_id}",
            "/arrival", "/on-account", "/own-calendar", "/again", "{secret}",
            "/agreement", "/renewal", "/undo", "/plan", "/departure", "/refusal",
            "/rotation", "/activation", "/deactivation", "/tests", "/repetition")  # fmt: skip
"""How the paths end of routes that read nothing but their address."""


def _third(number: int) -> dict[str, Any]:
    """Of what is seldom good every third: neighbouring fields get the others."""
    return dict(list(SELDOM_GOOD.items())[number % 3 :: 3])


@shared
async def test_no_body_does_what_it_should_not(
    site: Site, owner: httpx.AsyncClient, loot: Loot, share: int
) -> None:
    """Each field is spoilt, one at a time: 422 that names it, or where it may do, no harm. And
    none that is not asked for is taken: not a role, nor a tenant, nor an amount."""
    wrong, tried = [], 0
    for route in taking(site, share):
        try:
            loot, body = await accepted(site, owner, route, loot)
        except Unexercised as problem:
            wrong.append(str(problem))
            continue
        if body is None:
            if not route.path.endswith(BODILESS):
                wrong.append(f"{route} passes over what it does not know")
            continue
        for given, field, is_refused in [*spoilt(route, body), *sly(route, body, loot)]:
            answer = await send(owner, route, route.at(loot.ids), given)
            tried += 1
            if answer.status_code >= 500 or (is_refused and not refuses(answer, field)):
                shown = str(given[field])[:20]
                wrong.append(f"{route} {field}={shown}: {answer.status_code} {answer.text[:150]}")
    assert tried > 400
    assert not wrong, "\n".join([f"{len(wrong)} of {tried}", *wrong])


def spoilt(route: Route, body: Body) -> Iterator[tuple[Body, str, bool]]:
    """``body`` with one field spoilt, which field, and whether it must be refused."""
    for number, field in enumerate(body):
        for name, value in (NEVER_GOOD | _third(number)).items():
            typed = isinstance(value, str) and field not in TICKS | SHEETS
            yield body | {field: value}, field, name in NEVER_GOOD and (route.is_api or typed)


def sly(route: Route, body: Body, loot: Loot) -> Iterator[tuple[Body, str, bool]]:
    """``body`` with one field more, likewise."""
    wished = {"role": "owner", "tenant_id": str(loot.ids["business_id"]), "amount": "0.01",
              "gross": "0.01", "state": "confirmed", "id": str(loot.ids["booking_id"]),
              "permissions": ["core.people"]}  # fmt: skip
    for field, value in wished.items():
        if field not in body:
            yield body | {field: value}, field, True
    if not route.is_api:  # forms send the version they show back with it
        for version in ("9" * 5000, NUL, "-1"):
            yield body | {"version": version}, "version", False
    elif "version" not in body:
        yield body | {"version": 7}, "version", True


async def test_no_query_breaks_a_page(site: Site, owner: httpx.AsyncClient, loot: Loot) -> None:
    """Whatever is written behind the question mark."""
    wrong = []
    for route in routes(site.edge.tenants):
        if route.method != "GET":
            continue
        path = route.at(loot.ids)
        asked = ["&".join(f"{name}={value}" for name in QUERY) for value in QUERIES]
        for query in asked:
            answer = await owner.get(f"{path}?{query}")
            if answer.status_code >= 500 or ("%00" in query and answer.status_code < 300):
                wrong.append(f"{route}?{query[:60]}: {answer.status_code} {answer.text[:150]}")
    assert not wrong, "\n".join(wrong)


PATHS = ("/%00", "/%ED%A0%80", "//", "//evil.example/", "/../../etc/passwd", "/..%2f..%2fetc",
         "/static/..%2f..%2fcore/db.py", "/static/../core/db.py", "/static/%00", "/car-hire/%00",
         "/car-hire/quotes/%ED%A0%80", "/settings/people/0", "/x" * 900)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_no_path_breaks_it(site: Site, owner: httpx.AsyncClient, path: str) -> None:
    """Addresses that nothing lives at are not found, and lead nowhere else."""
    for method in ("GET", "POST", "QUX"):
        url = httpx.URL(str(owner.base_url)).copy_with(raw_path=path.encode())
        answer = await owner.request(method, url)
        if answer.is_redirect and path == "//":  # the home page
            assert re.match(r"/[a-z]", answer.headers["location"])
        else:
            assert answer.status_code in {400, 404, 405, 422}, (method, answer.status_code)
        assert "class Base" not in answer.text


HEADERS: dict[str, list[str | bytes]] = {
    "if-match": ["\x00", '"' + "9" * 400 + '"', "W/", "é".encode("latin-1")],
    "idempotency-key": ["x" * 300, "é".encode("latin-1"), " "],
    "accept-language": ["x" * 5000, "pt;q=nan,en;q=1e400", ";;;,,,q=", "%00"],
    "accept": ["x/" * 2000, "*/*;q=abc", ","],
    "authorization": ["Bearer", "Bearer " + "x" * 5000, b"Bearer \xe9"],
    "cookie": [
        f"{LOCAL_COOKIE}=" + "x" * 4000,
        f"{LOCAL_COOKIE}=%00; lang=%ED%A0%80",
        ";;=;=;",
        "flash=AAAA; theme=<x>; lang=xx",
        "é=é".encode("latin-1"),
    ],
    "referer": ["//evil.example", "javascript:alert(1)", "http://[", "é".encode("latin-1")],
    "hx-current-url": ["http://[", "//evil.example/x", "\\\\evil"],
    "hx-request": ["true"],
    "x-forwarded-for": ["1.2.3.4, " * 300, "nonsense", "::1%eth0"],
    "traceparent": ["00-zz-zz-01", "x" * 3000],
    "content-type": [
        "application/json; charset=nonsense",
        "multipart/form-data",
        "x",
        "text/xml",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-99",
    ],
    "origin": ["null", "http://[", "é".encode("latin-1")],
    "sec-fetch-site": ["\xff".encode("latin-1"), ""],
}
ASKED = (("GET", "/car-hire"), ("GET", "/account"), ("POST", "/sign-in"), ("POST", "/account"),
         ("GET", "/api/v1/car-hire/vehicles"), ("POST", "/api/v1/car-hire/quotes"),
         ("POST", "/api/v1/sessions"), ("PUT", "/api/v1/car-hire/customers/me"))  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
async def test_no_header_breaks_it(owner: httpx.AsyncClient, header: str) -> None:
    """Headers that make no sense are refused or passed over."""
    wrong = []
    for method, path in ASKED:
        for value in HEADERS[header]:
            answer = await owner.request(
                method, path, content=b"\xff\x00{", headers={header: value}
            )
            if answer.status_code >= 500:
                wrong.append(f"{method} {path} {value[:40]!r}: {answer.status_code}")
            leads = answer.headers.get("location", "") + answer.headers.get("hx-redirect", "")
            assert "evil" not in leads, leads
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"[" * 50_000, b'{"a":NaN}', b"x" * 2_000_000],
    ids=["none", "null", "list", "text", "torn", "not UTF-8", "deep", "NaN", "too large"],
)
async def test_no_body_breaks_it(
    site: Site, owner: httpx.AsyncClient, loot: Loot, body: bytes
) -> None:
    """What is no JSON object, and no form, is refused by every route that takes one."""
    wrong = []
    for route in taking(site):
        kind = "application/json" if route.is_api else "application/x-www-form-urlencoded"
        for sent_as in (kind, "multipart/form-data; boundary=x"):
            answer = await owner.request(
                route.method, route.at(), content=body, headers={"content-type": sent_as}
            )
            if answer.status_code >= 500:
                wrong.append(f"{route} {sent_as}: {answer.status_code} {answer.text[:150]}")
    assert not wrong, "\n".join(wrong)


def test_bytes_are_what_they_should_be() -> None:
    """A lone surrogate travels as three bytes that are no UTF-8."""
    assert quote_from_bytes(SURROGATE.encode("utf-8", "surrogatepass")) == "%ED%A0%80"

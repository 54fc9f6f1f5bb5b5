"""The edge decides whose a request is, before anything else may happen."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from atrium.testing.site import Site
from core.admission import Admission
from core.permissions import Role
from core.shares import Shares


async def ask(site: Site, host: str, path: str = "/dev/gallery", **headers: str) -> httpx.Response:
    async with site.visitor(site.world.acme) as visitor:
        return await visitor.get(path, headers={"host": host, **headers})


@pytest.mark.parametrize(
    "host", ["acme.localhost", "ACME.localhost:8000", "acme.localhost.", "acme.localhost.:1"]
)
async def test_a_tenant_is_found_however_its_host_is_written(site: Site, host: str) -> None:
    """Case, port and a trailing dot lead to the same business."""
    answer = await ask(site, host)
    assert answer.status_code == 200
    assert "Acme" in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "nobody.localhost",
        "acme@bravo.localhost",
        "bravo.localhost@acme.localhost",
        "acme.localhost:8000:80",
        "acme.bravo.localhost",
        "xn--acme-1q7a.localhost",
        "acme.localhost.evil.example",
        "evil.example",
        "acme_.localhost",
        "www.localhost",
        "[::1]",
    ],
)
async def test_a_doubtful_host_is_nobodys(site: Site, host: str) -> None:
    """A helpful 404 that serves no business and shows nothing of one."""
    answer = await ask(site, host)
    assert answer.status_code == 404
    assert "Nobody lives at this address" in answer.text


async def test_the_page_of_an_unknown_host_has_its_looks(site: Site) -> None:
    """Every style sheet and script that it names is served there too."""
    page = await ask(site, "nobody.localhost")
    named = re.findall(r'(?:href|src)="(/(?:static|brand)[^"]+)"', page.text)
    assert named
    for path in named:
        answer = await ask(site, "nobody.localhost", path)
        assert answer.status_code == 200, path


async def test_two_host_headers_are_nobodys(site: Site) -> None:
    """Proxies disagree on which of two counts, so neither does."""
    async with site.visitor(site.world.acme) as visitor:
        request = visitor.build_request("GET", "/dev/gallery")
        request.headers = httpx.Headers(
            [("host", "acme.localhost"), ("host", "bravo.localhost"), ("accept", "text/html")]
        )
        answer = await visitor.send(request)
    assert answer.status_code == 404


async def test_the_unknown_host_is_told_as_a_problem_to_programs(site: Site) -> None:
    """The API answers problem+json there as everywhere."""
    answer = await ask(site, "nobody.localhost", "/api/v1/car-hire/vehicles")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", ["/car-hire", "/car-hire/desk", "/api/v1/car-hire/vehicles"])
async def test_a_product_that_is_off_does_not_exist(site: Site, method: str, path: str) -> None:
    """Whatever the method, the answer is that of a page which never was: status and all."""
    plain = await site.world.provision(plugins=())
    async with await site.person(plain, Role.OWNER) as owner:
        answer = await owner.request(method, path)
        missing = await owner.request("GET", path.replace("car-hire", "never-was"))
    assert answer.status_code == missing.status_code == 404
    assert answer.headers.get("allow") is None


@pytest.mark.parametrize(
    "path",
    [
        "//car-hire/desk",
        "///car-hire/desk/fleet",
        "/car-hire//desk",
        "/api/v1//car-hire/vehicles",
        "//api/v1/car-hire/vehicles",
        "/car-hire%20",
        "/car-hire%0A",
    ],
)
async def test_no_way_of_writing_an_address_leads_round_the_gate(site: Site, path: str) -> None:
    """The router reads doubled slashes and blanks as if they were not there; the gate refuses."""
    plain = await site.world.provision(plugins=())
    address = site.world.directory.url_of(plain, path)
    async with await site.person(plain, Role.OWNER) as owner:
        for method in ("GET", "POST"):
            assert (await owner.request(method, address)).status_code == 404
    async with await site.person(site.world.acme, Role.OWNER) as owner:
        address = site.world.directory.url_of(site.world.acme, path)
        assert (await owner.get(address)).status_code == 404


@pytest.mark.parametrize(
    "page", ["at-rest", "crowded", "unknown-host", "nowhere", "schema/openapi.json"]
)
@pytest.mark.parametrize("prefix", ["/.atrium/", "/api/.atrium/"])
async def test_internal_pages_cannot_be_asked_for(site: Site, prefix: str, page: str) -> None:
    """They are the edge's own; from outside they are not there."""
    async with site.visitor(site.world.acme) as visitor:
        answer = await visitor.get(prefix + page)
    assert answer.status_code == 404
    assert "Nobody lives" not in answer.text


async def test_a_business_that_asks_for_too_much_at_once_is_told_to_wait(site: Site) -> None:
    """429 with Retry-After, as a document and as a page; the others are served meanwhile."""
    admission = Admission(Shares(1), patience=0.05)
    crowded = replace(site, edge=replace(site.edge, admission=admission))
    turn = await admission.enter(site.world.acme.id)
    for path, kind in (("/api/v1/car-hire/classes", "problem+json"), ("/car-hire", "html")):
        async with crowded.visitor(site.world.acme) as visitor:
            answer = await visitor.get(path, headers={"accept": f"*/*;q=0.1, text/{kind}"})
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert kind in answer.headers["content-type"]
        assert "right now" in answer.text
    async with crowded.visitor(site.world.bravo) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200
    turn.end()
    async with crowded.visitor(site.world.acme) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200
        assert (await visitor.get("/car-hire")).status_code == 200


async def test_a_session_of_one_business_is_nothing_at_another(site: Site) -> None:
    """The same cookie, sent to a sibling, belongs to nobody there."""
    async with await site.person(site.world.acme, Role.OWNER) as owner:
        token = owner.cookies["atrium"]
        at_home = await owner.get("/account")
    for other in (site.world.bravo, site.world.delta, site.world.platform):
        async with site.visitor(other) as visitor:
            visitor.cookies.set("atrium", token)
            answer = await visitor.get("/account")
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
    assert at_home.status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/account", {"referer": "http://[bad"}),
        ("/account", {"hx-request": "true", "hx-current-url": "http://[bad"}),
        ("/sign-in", {"origin": "http://[bad", "sec-fetch-site": ""}),
        ("/webhooks/stripe/{acme}.%00", {}),
        ("/webhooks/%00/{acme}.x", {}),
    ],
)
async def test_no_address_is_too_odd(site: Site, path: str, headers: dict[str, str]) -> None:
    """What only looks like an address, in a header or a path, is no fault of ours."""
    async with site.visitor(site.world.acme) as visitor:
        at = path.format(acme=site.world.acme.id.hex)
        answer = await visitor.post(at, headers=headers, content=b"{}")
    assert answer.status_code in {303, 401, 403, 404}


async def test_no_way_back_is_too_odd(site: Site) -> None:
    """The sign-in page is shown whatever ``next`` is."""
    async with site.visitor(site.world.acme) as visitor:
        for target in ("//[bad", "http://[bad", "/[ok", "%2F%2F[bad"):
            assert (await visitor.get(f"/sign-in?next={target}")).status_code == 200, target


async def test_a_webhook_for_no_tenant_is_not_found(site: Site) -> None:
    """The endpoint names the tenant; an invented one names nobody."""
    for endpoint in (f"{uuid4().hex}.token", "nonsense", ".", f"{site.world.acme.id}"):
        async with site.visitor(site.world.platform) as visitor:
            answer = await visitor.post(f"/webhooks/stripe/{endpoint}", content=b"{}")
        assert answer.status_code == 404, endpoint


async def test_health_answers_on_any_host(site: Site) -> None:
    """A load balancer knows no tenant."""
    for path in ("/health/live", "/health/ready"):
        answer = await ask(site, "10.0.0.7:8000", path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"

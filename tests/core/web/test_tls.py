"""The certificate gate: for our proxy alone, yes or no, and not too often."""

from __future__ import annotations

import httpx
import pytest

from atrium.testing.site import Site
from core.web.tls import Pace

GATE = "/internal/tls-allowed"


async def ask(site: Site, domain: str, peer: str = "127.0.0.1", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=site.edge, client=(peer, 4000))  # type: ignore[arg-type]  # the same protocol in other words
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as proxy:
        return await proxy.get(GATE, params={"domain": domain}, headers=headers)


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        ("localhost", 200),
        ("acme.localhost", 200),
        ("ACME.localhost.", 200),
        ("nobody.localhost", 404),
        ("a.acme.localhost", 404),
        ("nobody.example", 404),
        ("acme@bravo.localhost", 404),
        ("*.localhost", 404),
        ("127.0.0.1", 404),
        ("", 404),
    ],
)
async def test_names_that_are_served_may_have_a_certificate(
    site: Site, domain: str, status: int
) -> None:
    """Nothing is said but yes or no."""
    answer = await ask(site, domain)
    assert (answer.status_code, answer.content) == (status, b"")


async def test_the_gate_does_not_exist_for_others(site: Site) -> None:
    """Neither from elsewhere nor through the proxy: the same answer whatever they ask for."""
    for domain in ("acme.localhost", "nobody.example"):
        assert (await ask(site, domain, peer="203.0.113.9")).status_code == 404
        for header in ("x-forwarded-for", "forwarded", "via"):
            answer = await ask(site, domain, **{header: "203.0.113.9"})
            assert answer.status_code == 404, header
            assert answer.content != b""


def test_questions_are_answered_at_a_pace() -> None:
    """So many a second; the next second begins anew."""
    moment = [10.0]
    pace = Pace(per_second=3, clock=lambda: moment[0])
    assert [pace.allows() for _ in range(4)] == [True, True, True, False]
    moment[0] = 11.0
    assert pace.allows()

"""The Host header of a business's own domain: one name, however it is written, and no other."""

from __future__ import annotations

import pytest

from atrium.testing.site import Site
from tests.tenants.domains.conftest import Registry, fresh

SERVED = {200}
REFUSED = {400, 404}


async def answered(site: Site, header: str) -> int:
    async with site.visitor(site.world.bravo) as visitor:
        answer = await visitor.get("/sign-in", headers={"host": header})
        assert "Bravo" not in answer.text
        return answer.status_code


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("{host}", SERVED),
        ("{upper}.:8443", SERVED),
        ("user:password@{host}", REFUSED),
        ("bravo.localhost@{host}", REFUSED),
        ("{host}@bravo.localhost", REFUSED),
        ("{host}:80:80", REFUSED),
        ("{host}..", REFUSED),
        ("a.{host}", REFUSED),
        ("{host}.evil.example", REFUSED),
        ("{host}, bravo.localhost", REFUSED),
        ("{host}/..", REFUSED),
        ("{host}\tx", REFUSED),
    ],
)
async def test_a_proved_host_is_read_strictly(
    registry: Registry, written: str, status: set[int]
) -> None:
    """Case, port and a trailing dot make no difference; everything else is nobody's."""
    domain = await registry.proved(registry.site.world.acme)
    header = written.format(host=domain.host, upper=domain.host.upper())
    assert await answered(registry.site, header) in status


async def test_an_internationalised_host_is_found_by_its_punycode(registry: Registry) -> None:
    """As browsers send it; the name in its own script is no host."""
    name = fresh("café.example")
    domain = await registry.proved(registry.site.world.acme, name)
    assert domain.host.endswith(".xn--caf-dma.example")
    assert await answered(registry.site, domain.host) == 200


async def test_a_host_that_is_only_claimed_is_nobodys(registry: Registry) -> None:
    """Whoever claimed it, and even if both tenants did."""
    host, world = fresh(), registry.site.world
    await registry.claim(world.acme, host)
    await registry.claim(world.delta, host)
    assert await answered(registry.site, host) == 404

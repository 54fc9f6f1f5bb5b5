"""Domains in the portal: claimed, checked, preferred and removed; by people and by programs."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core.mail.models import Mail
from tenants.domains import checking, records, resolver
from tenants.domains.models import TenantHost
from tests.dns import NameServer, name_server
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make
from tests.tenants.portal.test_businesses import Owned


@pytest.fixture
async def dns(site: Site) -> AsyncIterator[NameServer]:
    """The public DNS, as the site's own resolver sees it."""
    usual = resolver.installed()
    async with name_server() as server:
        resolver.install(server.resolver())
        yield server
    resolver.install(usual)


@pytest.fixture
async def owned(site: Site) -> AsyncIterator[Owned]:
    """A business of a test's own."""
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        yield Owned(await make(site.world, applicant.slug), applicant.slug, applicant.client)


def fresh() -> str:
    return f"www.wheels-{secrets.token_hex(4)}.example"


async def kept(site: Site, host: str) -> TenantHost:
    async with site.world.databases.transaction(site.world.platform) as session:
        return (await session.scalars(select(TenantHost).where(TenantHost.host == host))).one()


async def working(site: Site, dns: NameServer, owned: Owned, host: str) -> UUID:
    """A domain that its owner added, made records for and checked."""
    added = await owned.owner.post(owned.path("/domains"), data={"host": host})
    assert added.status_code == 303, added.text
    domain = await kept(site, host)
    dns.zone[f"{records.CHALLENGE}.{host}", "TXT"] = [records.proof(domain.token)]
    dns.zone[host, "CNAME"] = [f"{owned.slug}.localhost"]
    checked = await owned.owner.post(owned.path(f"/domains/{domain.id}/check"))
    assert checked.status_code == 303
    return domain.id


async def at(site: Site, host: str, path: str = "/", **headers: str) -> httpx.Response:
    async with site.visitor(site.world.acme) as visitor:
        return await visitor.get(path, headers={"host": host, **headers})


async def test_an_owner_adds_a_domain_and_sees_what_to_do(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """The records with their values, what was found instead, and at last that it works."""
    page, host = owned.path("/domains"), fresh()
    refused = await owned.owner.post(page, data={"host": "bravo.localhost"})
    assert refused.status_code == 422
    assert "This name is ours" in refused.text
    assert 'value="bravo.localhost"' in refused.text
    await owned.owner.post(page, data={"host": f"https://{host.upper()}/"})
    domain = await kept(site, host)
    shown = (await owned.owner.get(page)).text
    for each in (f"{records.CHALLENGE}.{host}", records.proof(domain.token), owned.slug):
        assert f'data-text="{each}' in shown
    assert "Not looked at yet" in shown
    dns.zone[host, "CNAME"] = ["shop.elsewhere.example"]
    await owned.owner.post(owned.path(f"/domains/{domain.id}/check"))
    shown = (await owned.owner.get(page)).text
    assert "Not found yet" in shown
    assert re.search(r"Found, but different:\s*<code>shop.elsewhere.example</code>", shown)
    assert (await at(site, host)).status_code == 404
    dns.zone[host, "CNAME"] = [f"{owned.slug}.localhost"]
    dns.zone[f"{records.CHALLENGE}.{host}", "TXT"] = [records.proof(domain.token)]
    async with site.world.databases.transaction(site.world.platform) as session:
        await session.execute(
            update(TenantHost).values(checked_at=TenantHost.checked_at - timedelta(minutes=1))
        )
    await owned.owner.post(owned.path(f"/domains/{domain.id}/check"))
    shown = (await owned.owner.get(page)).text
    assert "Found, but different" not in shown
    assert "Make it the main address" in shown
    assert (await at(site, host, "/sign-in")).status_code == 200


async def test_the_main_address_is_where_everything_leads(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """The subdomain and other domains redirect with path and query; programs and webhooks are
    served where they call; the portal opens there; put back, all is as before."""
    host, second = fresh(), fresh()
    domain_id = await working(site, dns, owned, host)
    await working(site, dns, owned, second)
    subdomain = f"{owned.slug}.localhost"
    assert (await at(site, subdomain, "/sign-in")).status_code == 200
    preferred = await owned.owner.post(owned.path(f"/domains/{domain_id}/prefer"))
    assert preferred.status_code == 303
    for each in (subdomain, second, f"{subdomain.upper()}.:1"):
        moved = await at(site, each, "/car-hire?from=a%20b&to=%2Fc")
        assert moved.status_code == 308, each
        assert moved.headers["location"] == f"http://{host}:8000/car-hire?from=a%20b&to=%2Fc"
        assert moved.headers["cache-control"] == "no-store"
    assert (await at(site, host, "/sign-in")).status_code == 200
    assert (await at(site, subdomain, "/api/v1/openapi.json")).status_code == 200
    assert (await at(site, subdomain, "/health/live")).status_code == 200
    tenant = await site.edge.directory.by_id(owned.id)
    assert tenant is not None
    assert site.edge.directory.url_of(tenant, "/x") == f"http://{host}:8000/x"
    opening = await owned.owner.post(owned.path("/open"))
    assert f'action="http://{host}:8000/enter"' in opening.text
    assert (
        f"form-action 'self' http://localhost:8000 http://*.localhost:8000 http://{host}:8000"
        in (opening.headers["content-security-policy"])
    )
    assert host in (await owned.owner.get("/businesses")).text
    put_back = await owned.owner.post(owned.path("/domains/prefer-none"))
    assert put_back.status_code == 303
    assert (await at(site, subdomain, "/sign-in")).status_code == 200
    assert (await at(site, host, "/sign-in")).status_code == 200


async def test_a_removed_main_address_puts_things_back(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """Nobody is served there, and the subdomain serves again."""
    host = fresh()
    domain_id = await working(site, dns, owned, host)
    await owned.owner.post(owned.path(f"/domains/{domain_id}/prefer"))
    removed = await owned.owner.post(owned.path(f"/domains/{domain_id}/remove"))
    assert removed.status_code == 303
    assert (await at(site, host)).status_code == 404
    assert (await at(site, f"{owned.slug}.localhost", "/sign-in")).status_code == 200
    page = (await owned.owner.get(owned.path("/domains"))).text
    assert f'data-text="{host}"' not in page


async def test_people_sign_in_at_each_host_for_itself(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """The way in from the portal leads to the main address; its cookie is that host's alone."""
    host = fresh()
    domain_id = await working(site, dns, owned, host)
    await owned.owner.post(owned.path(f"/domains/{domain_id}/prefer"))
    opening = await owned.owner.post(owned.path("/open"))
    token = re.search(r'name="token" value="([^"]+)"', opening.text)
    assert token is not None
    async with site.visitor(site.world.acme) as browser:
        entered = await browser.post(
            f"http://{host}:8000/enter",
            data={"token": token[1]},
            headers={"origin": "http://localhost:8000", "sec-fetch-site": "cross-site"},
        )
        assert entered.status_code == 303, entered.text
        cookies = list(browser.cookies.jar)
        assert all(each.domain == host for each in cookies)
        assert (await browser.get(f"http://{host}:8000/account")).status_code == 200
        forged = await browser.post(
            f"http://{host}:8000/account",
            data={"name": "Eve"},
            headers={
                "origin": f"http://{owned.slug}.localhost:8000",
                "sec-fetch-site": "cross-site",
            },
        )
        assert forged.status_code == 403


async def test_owners_are_warned_and_told(site: Site, dns: NameServer, owned: Owned) -> None:
    """By letter, in time, with a link to the page that says what is wrong."""
    host = fresh()
    domain_id = await working(site, dns, owned, host)
    await owned.owner.post(owned.path(f"/domains/{domain_id}/prefer"))
    dns.zone.clear()
    world = site.world
    inspector = checking.Inspector(
        settings=world.settings, signals=world.signals, resolver=dns.resolver()
    )
    for wait in (timedelta(), checking.WARNED_AFTER, checking.GRACE):
        async with world.databases.transaction(world.platform) as session:
            for name in ("wrong_since", "warned_at"):
                column = getattr(TenantHost, name)
                await session.execute(
                    update(TenantHost)
                    .where(TenantHost.id == domain_id, column.is_not(None))
                    .values({name: column - wait})
                )
            await inspector.look(session, domain_id)
        if wait == checking.WARNED_AFTER:
            shown = await owned.owner.get(owned.path("/domains"))
            assert "its records are not right any more" in shown.text
    async with world.databases.transaction(world.platform) as session:
        mails = await session.scalars(select(Mail).where(Mail.template.contains("mail/domain")))
        mine = [each for each in mails if host in each.subject]
    assert [each.template for each in mine] == [
        "portal/mail/domain_wrong",
        "portal/mail/domain_lapsed",
    ]
    for each in mine:
        assert each.recipient == f"owner@{owned.slug}.example"
        assert f"http://localhost:8000/businesses/{owned.id}/domains" in each.text
    assert (await at(site, f"{owned.slug}.localhost", "/sign-in")).status_code == 200


async def test_programs_do_the_same(site: Site, dns: NameServer, owned: Owned) -> None:
    """Added once however often it is sent; checked, made the main address, removed."""
    base, host = f"/api/v1/businesses/{owned.id}/domains", fresh()
    key = {"idempotency-key": secrets.token_hex(8)}
    added = await owned.owner.post(base, json={"host": host}, headers=key)
    assert added.status_code == 201, added.text
    assert (await owned.owner.post(base, json={"host": host}, headers=key)).json() == added.json()
    again = await owned.owner.post(base, json={"host": host})
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "host"
    domain = added.json()
    assert domain["status"] == "waiting"
    for record in domain["records"]:
        dns.zone[record["name"], record["type"]] = [record["value"]]
    one = f"{base}/{domain['id']}"
    checked = (await owned.owner.post(f"{one}/check")).json()
    assert checked["status"] == "working"
    assert {each["state"] for each in checked["records"]} == {"right"}
    primary = await owned.owner.patch(one, json={"primary": True})
    assert primary.json()["primary"] is True
    business = await owned.owner.get(f"/api/v1/businesses/{owned.id}")
    assert business.json()["url"] == f"http://{host}:8000"
    assert (await owned.owner.patch(one, json={"primary": False})).json()["primary"] is False
    assert [each["id"] for each in (await owned.owner.get(base)).json()["items"]] == [domain["id"]]
    assert (await owned.owner.delete(one)).status_code == 204
    assert (await owned.owner.get(one)).status_code == 404

"""A sender of mail in the portal: chosen, checked, tried and given up; by people and programs."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import unquote

import httpx
import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core.mail.models import Mail
from core.web.flash import read_flash
from tenants.senders.models import MailSender
from tests.dns import NameServer
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make
from tests.tenants.portal.test_businesses import Owned
from tests.tenants.senders.conftest import dns, in_pieces
from tests.tenants.senders.test_signing import mail_server

__all__ = ["dns"]


@pytest.fixture
async def owned(site: Site) -> AsyncIterator[Owned]:
    """A business of a test's own."""
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        yield Owned(await make(site.world, applicant.slug), applicant.slug, applicant.client)


def fresh() -> str:
    return f"desk@wheels-{secrets.token_hex(4)}.example"


def said(answer: httpx.Response) -> str:
    """The message that the answer carries to the next page."""
    assert answer.status_code == 303, answer.text
    cookies = {name: unquote(value) for name, value in answer.cookies.items()}
    return " ".join(each.text for each in read_flash(cookies))


async def publish(site: Site, dns: NameServer, owned: Owned) -> None:
    """Make every record that the page asks for, and look again at once."""
    base = f"/api/v1/businesses/{owned.id}/sender"
    for record in (await owned.owner.get(base)).json()["records"]:
        dns.zone[record["name"], "TXT"] = [in_pieces(record["value"])]
    async with site.world.databases.transaction(site.world.platform) as session:
        mine = MailSender.tenant_id == owned.id
        await session.execute(update(MailSender).where(mine).values(checked_at=None))


async def test_an_owner_is_told_what_to_publish_and_what_is_wrong(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """From the first address to the first letter."""
    page, address = owned.path("/sender"), fresh()
    domain = address.partition("@")[2]
    refused = await owned.owner.post(page, data={"address": "desk@acme.localhost", "name": "Us"})
    assert refused.status_code == 422
    assert "This name is ours" in refused.text
    assert 'value="Us"' in refused.text
    dns.zone[domain, "TXT"] = ["v=spf1 mx -all"]
    await owned.owner.post(page, data={"address": address, "name": "", "reply_to": ""})
    assert "Not looked at yet" in (await owned.owner.get(page)).text
    said(await owned.owner.post(f"{page}/check"))
    shown = unescape((await owned.owner.get(page)).text)
    assert "Waiting for its records" in shown
    assert 'data-text="v=spf1 mx include:localhost -all"' in shown
    assert "Do not add a second one" in shown
    assert re.search(r'data-text="v=DKIM1; k=rsa; p=[A-Za-z0-9+/=]{392}"', shown)
    assert "Send me a test letter" not in shown
    early = await owned.owner.post(f"{page}/trial")
    assert early.status_code == 409
    await publish(site, dns, owned)
    assert f"Letters leave from {address}." in said(await owned.owner.post(f"{page}/check"))
    shown = unescape((await owned.owner.get(page)).text)
    assert "Works" in shown
    assert "Send me a test letter" in shown


async def test_a_test_letter_says_what_became_of_it(
    site: Site, dns: NameServer, owned: Owned
) -> None:
    """Taken and signed as DNS says; with another key in DNS it says so; five in ten minutes."""
    page, address = owned.path("/sender"), fresh()
    await owned.owner.post(page, data={"address": address})
    await publish(site, dns, owned)
    await owned.owner.post(f"{page}/check")
    async with mail_server() as got:
        text = said(await owned.owner.post(f"{page}/trial"))
        assert f"took the letter to owner@{owned.slug}.example" in text
        assert "Its signature is right by the key in your DNS." in text
        assert f"From: Lia's Wheels <{address}>" in got[0]
        for name, kind in list(dns.zone):
            if "_domainkey" in name:
                dns.zone[name, kind] = ["v=DKIM1; p="]
        assert "is not right" in said(await owned.owner.post(f"{page}/trial"))
        for _letter in range(3):
            await owned.owner.post(f"{page}/trial")
        assert (await owned.owner.post(f"{page}/trial")).status_code == 429
        assert len(got) == 5
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        mine = Mail.key.like(f"tenant:{owned.id}:trial:%")
        assert set(await session.scalars(select(Mail.state).where(mine))) == {"sent"}


async def test_programs_do_the_same(site: Site, dns: NameServer, owned: Owned) -> None:
    """Chosen, checked, tried, with another key, and given up; another's business is not there."""
    base, address = f"/api/v1/businesses/{owned.id}/sender", fresh()
    assert (await owned.owner.get(base)).status_code == 404
    chosen = await owned.owner.put(base, json={"address": address, "name": "Wheels"})
    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["status"] == "waiting"
    await publish(site, dns, owned)
    checked = (await owned.owner.post(f"{base}/check")).json()
    assert checked["status"] == "working"
    assert {each["state"] for each in checked["records"]} == {"right"}
    tried = (await owned.owner.post(f"{base}/trial")).json()
    assert tried == {
        "sender": address, "result": "caught", "reason": None, "signature": "right",
    }  # fmt: skip
    renewed = (await owned.owner.post(f"{base}/key")).json()
    assert [each["key"] for each in renewed["records"] if each["key"]] == ["current", "next"]
    assert (await owned.owner.post(f"{base}/key")).status_code == 409
    async with Applicant.at(site).client as stranger:
        assert (await stranger.get(base)).status_code == 401
    assert (await owned.owner.delete(base)).status_code == 204
    assert (await owned.owner.get(base)).status_code == 404

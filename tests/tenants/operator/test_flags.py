"""Features of tenants: set, rolled out, chosen, heard everywhere, shown and written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from atrium.testing.site import Site
from core import flags as heeded
from core.clock import now
from core.flags.resolution import place_of
from core.permissions import Role
from core.scope import Tenant
from core.signals import Signals
from plugins.car_hire.services.paying_later import PAY_AT_DESK
from tenants.catalogue import Catalogue
from tenants.flags import services as flags
from tests.tenants.operator.test_api import acts

KEY = PAY_AT_DESK.key
FLAGS = "/api/v1/operator/flags"


@pytest.fixture
async def hirer(site: Site) -> Tenant:
    """A tenant of a test's own, with car hire."""
    return await site.world.provision()


@pytest.fixture(autouse=True)
async def not_rolled_out(site: Site) -> AsyncIterator[None]:
    """A roll-out is everybody's: none is left to other tests."""
    yield
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        await session.execute(text("DELETE FROM flag_roll_outs"))
    world.directory.forget_all()


def api(tenant: Tenant, key: str = "") -> str:
    """Where the flags of a tenant are."""
    return f"/api/v1/operator/tenants/{tenant.id}/flags{'/' + key if key else ''}"


async def test_programs_set_and_clear_a_flag(
    site: Site, hirer: Tenant, writer: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    """Whatever else was said; with an end, and written down."""
    before = {each["flag"]: each for each in (await reader.get(api(hirer))).json()}[KEY]
    assert (before["on"], before["why"], before["override"]) == (False, "default", None)
    body = {"on": True, "reason": "A trial", "until": (now() + timedelta(days=1)).isoformat()}
    assert (await reader.put(api(hirer, KEY), json=body)).status_code == 403
    made = await writer.put(api(hirer, KEY), json=body)
    assert made.status_code == 200, made.text
    told = {each["flag"]: each for each in made.json()}[KEY]
    assert (told["on"], told["why"], told["reason"]) == (True, "override", "A trial")
    served = await site.world.directory.by_id(hirer.id)
    assert served is not None
    assert heeded.on(served, KEY)
    assert {each["flag"]: each for each in (await reader.get(FLAGS)).json()}[KEY]["overrides"] >= 1
    cleared = await writer.delete(api(hirer, KEY))
    assert {each["flag"]: each for each in cleared.json()}[KEY]["why"] == "default"
    assert (await writer.delete(api(hirer, KEY))).status_code == 404
    done = [act for act, _ in await acts(site, str(hirer.id))]
    assert done[-2:] == ["operator.flag_set", "operator.flag_cleared"]


async def test_what_cannot_be_set_is_named(hirer: Tenant, writer: httpx.AsyncClient) -> None:
    """With the field; and a flag that nobody declares does not exist."""
    gone = (now() - timedelta(days=1)).isoformat()
    for wrong, field in (
        ({"on": True}, "reason"),
        ({"on": True, "reason": " "}, "reason"),
        ({"on": True, "reason": "x", "until": gone}, "until"),
    ):
        answer = await writer.put(api(hirer, KEY), json=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    unknown = await writer.put(api(hirer, "car_hire.thign"), json={"on": True, "reason": "x"})
    assert unknown.status_code == 404
    for percent in (-1, 101):
        answer = await writer.put(f"{FLAGS}/{KEY}/roll-out", json={"percent": percent})
        assert answer.json()["errors"][0]["field"] == "percent"
    assert (await writer.delete(f"{FLAGS}/{KEY}/roll-out")).status_code == 404


async def test_a_roll_out_reaches_those_whose_turn_it_is(
    site: Site, hirer: Tenant, writer: httpx.AsyncClient
) -> None:
    """By their place, and nobody of whom something else was said."""
    place = place_of(hirer.id, KEY)
    for percent, on in ((int(place), False), (int(place) + 1, True)):
        answer = await writer.put(f"{FLAGS}/{KEY}/roll-out", json={"percent": percent})
        assert answer.status_code == 200, answer.text
        told = {each["flag"]: each for each in (await writer.get(api(hirer))).json()}[KEY]
        assert (told["on"], told["why"]) == (on, "roll_out")
    ended = await writer.delete(f"{FLAGS}/{KEY}/roll-out")
    assert {each["flag"]: each for each in ended.json()}[KEY]["percent"] is None
    done = [act for act, _ in await acts(site, KEY)]
    assert done[-2:] == ["operator.flag_rolled_out", "operator.flag_roll_out_ended"]


async def test_every_process_hears_of_it(site: Site, hirer: Tenant) -> None:
    """Another process's directory, which would believe its answer for an hour: an override, a
    choice, and a roll-out that concerns everybody."""
    world = site.world
    signals = Signals(world.settings.redis_url)
    other = Catalogue(world.settings, world.databases, world.lines, ttl=3600)
    other.listen(signals)

    async def heeds(*, on: bool) -> None:
        while True:
            served = await other.by_id(hirer.id)
            assert served is not None
            if heeded.on(served, KEY) is on:
                return
            await asyncio.sleep(0.01)

    async with asyncio.timeout(60), signals.listening():
        await asyncio.wait_for(signals.connected.wait(), 5)
        for change, on in (
            (lambda s: flags.roll_out(s, world.signals, PAY_AT_DESK, 100), True),
            (lambda s: flags.choose(s, world.signals, hirer.id, PAY_AT_DESK, is_on=False), False),
            (lambda s: flags.put_back(s, world.signals, hirer.id, PAY_AT_DESK), True),
            (lambda s: flags.end_roll_out(s, world.signals, KEY), False),
            (lambda s: flags.override(s, world.signals, hirer.id, PAY_AT_DESK, True, "x"), True),
            (lambda s: flags.clear(s, world.signals, hirer.id, KEY), False),
        ):
            await heeds(on=not on)
            async with world.databases.transaction(world.platform) as session:
                await change(session)
            await heeds(on=on)


async def test_the_console_rolls_out_and_sets(hirer: Tenant, operator: httpx.AsyncClient) -> None:
    """A number, a tenant by its address, mistakes beside their fields."""
    page = f"/operator/flags/{KEY}"
    assert "Payment at pick-up" in (await operator.get("/operator/flags")).text
    rolled = await operator.post(f"{page}/roll-out", data={"percent": "30"})
    assert rolled.status_code == 303, rolled.text
    assert "30 %" in (await operator.get(page)).text
    wrong = await operator.post(f"{page}/roll-out", data={"percent": "130"})
    assert wrong.status_code == 422
    assert 'value="130"' in wrong.text
    typed = {"tenant": "nobody-at-all", "state": "on", "reason": "Asked for it", "until": ""}
    wrong = await operator.post(f"{page}/overrides", data=typed)
    assert wrong.status_code == 422
    assert "There is no tenant at this address" in wrong.text
    assert "Asked for it" in wrong.text
    made = await operator.post(f"{page}/overrides", data=typed | {"tenant": hirer.slug})
    assert made.status_code == 303, made.text
    assert hirer.name in (await operator.get(page)).text
    mine = await operator.get(f"/operator/tenants/{hirer.id}/flags")
    assert "Set by an operator" in mine.text
    assert (await operator.post(f"{page}/overrides/{hirer.id}/clear")).status_code == 303
    assert (await operator.post(f"{page}/roll-out/end")).status_code == 303
    assert (await operator.get("/operator/flags/car_hire.thign")).status_code == 404


async def member_of(site: Site, tenant: Tenant, client: httpx.AsyncClient, role: str) -> None:
    """Have whoever is signed in at the portal be the owner's double there."""
    world = site.world
    mine = (await client.get("/account/data")).json()["account"][0]["id"]
    async with world.databases.transaction(tenant) as session:
        owner = await session.scalar(text("SELECT id FROM users WHERE role = 'owner'"))
    values = {"tenant": tenant.id, "account": mine, "owner": owner, "role": role}
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            text(
                "INSERT INTO memberships (tenant_id, account_id, user_id, role, created_at)"
                " VALUES (:tenant, :account, :owner, :role, now())"
            ),
            values,
        )


async def test_the_owner_switches_and_puts_back(
    site: Site, hirer: Tenant, writer: httpx.AsyncClient
) -> None:
    """On the page in the portal; an operator's word counts first, and is told."""
    world = site.world
    page = f"/businesses/{hirer.id}/features"

    async def is_on() -> bool:
        served = await world.directory.by_id(hirer.id)
        assert served is not None
        return heeded.on(served, KEY)

    async with await site.person(world.platform, Role.MEMBER) as client:
        assert (await client.get(page)).status_code == 404
        assert (await client.post(f"{page}/{KEY}", data={"state": "on"})).status_code == 404
        await member_of(site, hirer, client, "owner")
        assert "Payment at pick-up" in (await client.get(page)).text
        assert (await client.post(f"{page}/{KEY}/put-back")).status_code == 404
        assert (await client.post(f"{page}/{KEY}", data={"state": "on"})).status_code == 303
        assert await is_on()
        assert (await client.post(f"{page}/{KEY}", data={"state": "off"})).status_code == 303
        assert (await client.post(f"{page}/{KEY}/put-back")).status_code == 303
        assert await is_on()
        assert (await client.post(f"{page}/nobody.knows", data={"state": "on"})).status_code == 404
        assert (await client.post(f"{page}/{KEY}", data={"state": "x"})).status_code == 422
        await writer.put(api(hirer, KEY), json={"on": False, "reason": "Asked too much"})
        assert not await is_on()
        assert "We have switched this" in (await client.get(page)).text
    done = [act for act, _ in await acts(site, str(hirer.id))]
    assert done.count("tenants.feature_switched") == 2
    assert done.count("tenants.feature_put_back") == 1

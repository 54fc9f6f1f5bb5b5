"""Upkeep in the portal: who may, what has to be typed, and what it leads to."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from atrium.testing.site import Site
from core.auth.models import User
from core.clock import now
from tenants.lifecycle import serving
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make, rows
from tests.tenants.portal.test_businesses import Owned


@pytest.fixture
async def owned(site: Site) -> AsyncIterator[Owned]:
    """A business of a test's own."""
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        yield Owned(await make(site.world, applicant.slug), applicant.slug, applicant.client)


async def test_an_owner_moves_the_business(site: Site, owned: Owned) -> None:
    """The present address has to be typed; what was typed stays beside the error."""
    wanted = f"other-{secrets.token_hex(5)}"
    page = owned.path("/upkeep/address")
    refused = await owned.owner.post(page, data={"slug": wanted, "confirm": "yes"})
    assert refused.status_code == 422
    assert wanted in refused.text
    assert f"Type {owned.slug} here" in refused.text
    taken = await owned.owner.post(page, data={"slug": "acme", "confirm": owned.slug})
    assert taken.status_code == 422
    assert "is taken" in taken.text
    done = await owned.owner.post(page, data={"slug": wanted, "confirm": owned.slug})
    assert done.status_code == 303
    shown = await owned.owner.get(owned.path("/upkeep"))
    assert f"{wanted}.localhost" in shown.text


async def test_maintenance_is_planned_by_the_clocks_of_the_business(
    site: Site, owned: Owned
) -> None:
    """What is typed as 14:30 is 14:30 there, on the page too."""
    async with site.world.databases.transaction(site.world.platform) as session:
        tenants = User.metadata.tables["tenants"]
        await session.execute(
            update(tenants).where(tenants.c.id == owned.id).values(zone="Asia/Tokyo")
        )
    tomorrow = (now() + timedelta(days=1)).astimezone(ZoneInfo("Asia/Tokyo"))
    typed = f"{tomorrow:%Y-%m-%d}T14:30"
    begun = await owned.owner.post(
        owned.path("/upkeep/maintenance"), data={"message": "New cars", "until": typed}
    )
    assert begun.status_code == 303
    site.catalogue.forget(owned.id)
    tenant = await site.edge.directory.by_id(owned.id)
    assert tenant is not None
    assert tenant.maintenance is not None
    expected = datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    assert tenant.maintenance.until == expected
    page = await owned.owner.get(owned.path("/upkeep"))
    assert f'value="{typed}"' in page.text
    assert "14:30" in page.text
    assert "Under maintenance" in page.text
    ended = await owned.owner.post(owned.path("/upkeep/maintenance/end"))
    assert ended.status_code == 303
    assert "Under maintenance" not in (await owned.owner.get(owned.path("/upkeep"))).text


async def test_owners_of_a_suspended_business_see_why(site: Site, owned: Owned) -> None:
    """In the portal, where they can still sign in; visitors do not."""
    async with site.world.databases.transaction(site.world.platform) as session:
        await serving.suspend(session, site.world.signals, owned.id, "Terms, section 4")
    for path in ("", "/upkeep"):
        page = await owned.owner.get(owned.path(path))
        assert page.status_code == 200
        assert "This business is suspended" in page.text
        assert "Terms, section 4" in page.text


async def test_who_is_no_owner_any_more_may_not_move_it(site: Site, owned: Owned) -> None:
    """The portal asks the business's own records, also while it is suspended."""
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    async with site.world.databases.transaction(tenant) as session:
        await session.execute(update(User).values(role="staff"))
    async with site.world.databases.transaction(site.world.platform) as session:
        await serving.suspend(session, site.world.signals, owned.id)
    for path in ("/upkeep/address", "/upkeep/maintenance", "/settings"):
        answer = await owned.owner.post(owned.path(path), data={})
        assert answer.status_code == 403, path


async def test_an_owner_closes_the_business_and_brings_it_back(site: Site, owned: Owned) -> None:
    """The address has to be typed; owners get letters; the page says when it is deleted."""
    wrong = await owned.owner.post(owned.path("/upkeep/closing"), data={"confirm": "yes"})
    assert wrong.status_code == 422
    assert f"Type {owned.slug} here" in wrong.text
    done = await owned.owner.post(owned.path("/upkeep/closing"), data={"confirm": owned.slug})
    assert done.status_code == 303
    page = await owned.owner.get(owned.path("/upkeep"))
    assert "Bring it back" in page.text
    assert "It is deleted for good on" in page.text
    back = await owned.owner.post(owned.path("/upkeep/closing/undo"))
    assert back.status_code == 303
    assert "Close the business" in (await owned.owner.get(owned.path("/upkeep"))).text
    letters = await rows(
        site.world,
        "SELECT template FROM mails WHERE key LIKE :key ORDER BY id",
        key=f"tenant:{owned.id}:%",
    )
    assert [row.template for row in letters] == ["portal/mail/closed", "portal/mail/reopened"]

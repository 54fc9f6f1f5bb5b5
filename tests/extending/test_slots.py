"""Parts of plugins in pages of core: shown to whom they are for; a broken one breaks nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from atrium.testing.world import World
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Permission, Role
from core.plugin import Slot
from core.web import slots
from plugins.car_hire.models import Customer
from tests.extending.ground import Ground, declare, ground_of
from tests.plugins.car_hire.shop import Shop


async def words(session: AsyncSession) -> dict[str, Any] | None:
    """Something to read, from the tenant's own rows."""
    name = await session.scalar(text("SELECT current_user"))
    return {"words": f"I work as {name}"}


async def nothing(session: AsyncSession) -> dict[str, Any] | None:
    """There is nothing to show."""
    return None


async def raises(session: AsyncSession) -> dict[str, Any]:
    """Leaves the transaction broken behind, if nobody contains it."""
    await session.execute(text("SELECT 1 / 0"))
    return {}


async def dawdles(session: AsyncSession) -> dict[str, Any]:
    """Takes its time, in the database."""
    await session.execute(text("SELECT pg_sleep(30)"))
    return {}


async def of_person(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """Reads what the place says."""
    return {"words": f"It is about {person_id}"}


PART = "sample/part.html"
SECRET = Permission("sample.secret", "See the secret part", frozenset({Role.STAFF}))
sample = declare(
    home="/settings",
    permissions=(SECRET,),
    slots=(
        Slot(name="account", template=PART, fill=raises, order=10),
        Slot(name="account", template="sample/broken.html", fill=words, order=20),
        Slot(name="account", template="sample/none.html", fill=words, order=30),
        Slot(name="account", template=PART, fill=nothing, order=40),
        Slot(name="account", template=PART, fill=words, order=50),
        Slot(name="tenant.home", template=PART, fill=words, permission=SECRET.name),
        Slot(name="person", template=PART, fill=of_person),
    ),
)
slow = declare("slow", slots=(Slot(name="person", template=PART, fill=dawdles),))


@pytest.fixture(scope="module")
async def ground(world: World) -> AsyncIterator[Ground]:
    async with ground_of(world, sample, slow) as made:
        yield made


async def test_a_part_that_fails_is_named_and_left_out(ground: Ground) -> None:
    """Of five parts three cannot be read or drawn, one has nothing to show; the page stands."""
    async with await ground.site.person(ground.tenant, Role.MEMBER) as customer:
        with capture_logs() as logs:
            answer = await customer.get("/account")
    assert answer.status_code == 200
    assert answer.text.count('class="sample"') == 1
    assert f"I work as {ground.tenant.scope.name}" in answer.text
    failed = [each for each in logs if each["event"] == "slot.failed"]
    assert [each["plugin"] for each in failed] == ["sample"] * 3


async def test_a_part_is_shown_to_whom_it_is_for(ground: Ground) -> None:
    """Its permission is asked of the viewer; anybody sees the page without it."""
    async with ground.site.visitor(ground.tenant) as visitor:
        answer = await visitor.get("/")
        assert answer.status_code == 200
        assert "I work as" not in answer.text
    async with await ground.site.person(ground.tenant, Role.STAFF) as colleague:
        assert "I work as" in (await colleague.get("/")).text


async def test_a_part_is_told_what_the_place_promises(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's page names the person; a part that dawdles is cut off and costs no other."""
    monkeypatch.setattr(slots, "BUDGET", 0.2)
    person_id = await ground.site.enrol(ground.tenant, Role.STAFF)
    async with await ground.site.person(ground.tenant, Role.OWNER) as owner:
        with capture_logs() as logs:
            answer = await owner.get(f"/settings/people/{person_id}")
    assert f"It is about {person_id}" in answer.text
    assert [each["plugin"] for each in logs if each["event"] == "slot.failed"] == ["slow"]


async def test_a_tenant_without_the_plugin_sees_none_of_it(ground: Ground) -> None:
    """The same process serves others, who did not choose it."""
    other = ground.site.world.acme
    async with await ground.site.person(other, Role.MEMBER) as customer:
        answer = await customer.get("/account")
    assert answer.status_code == 200
    assert 'class="sample"' not in answer.text


async def test_car_hire_is_on_the_home_page_and_in_the_account(ground: Ground) -> None:
    """Classes with prices for all, a customer's next hire for them, the customer for the desk."""
    shop = await Shop.open(ground.site.world.databases, ground.tenant, cars=2, name="Zonda")
    user_id = await ground.site.enrol(ground.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        customer = await session.get(Customer, shop.customer.id)
        assert customer is not None
        customer.user_id = user_id
        token = await ground.site.sessions.begin(session, user_id)
    later, sooner = await shop.confirmed(starts_in=90), await shop.confirmed(starts_in=5)
    async with ground.site.visitor(ground.tenant) as client:
        home = await client.get("/")
        assert "Hire a car" in home.text
        assert "Zonda" in home.text
        client.cookies.set(LOCAL_COOKIE, token)
        answer = await client.get("/account")
    async with await ground.site.person(ground.tenant, Role.OWNER) as owner:
        person = await owner.get(f"/settings/people/{user_id}")
    assert f"/car-hire/desk/customers/{shop.customer.id}" in person.text
    assert f"/car-hire/desk/bookings/{sooner.id}" in person.text
    assert f"/car-hire/bookings/{sooner.id}" in answer.text
    assert str(later.id) not in answer.text
    assert "Zonda" in answer.text

"""A copy of a business: the same rows, another key, no secrets, and no word to its customers."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from atrium.testing.site import Site
from atrium.testing.world import World
from core.auth.models import User, UserSession
from core.mail import office
from core.mail.models import Mail
from core.mail.services import deliver
from core.payments.models import PaymentAccount
from core.scope import Tenant
from core.webhooks import endpoints, spreading
from core.webhooks.models import WebhookDelivery
from core.webhooks.schemas import EndpointInput
from plugins.car_hire.models import Booking, Customer
from tenants.archive.sealing import ArchiveKey
from tenants.files import archives_of
from tenants.lifecycle import Ordered, Owner
from tenants.lifecycle.restoring import clone
from tests.tenants.archive.conftest import archive_of
from tests.tenants.test_provisioning import Breaking, Broken

STEPS = ("snapshot", "role", "schema", "layout", "key", "load", "discard", "tables", "owner",
         "activate")  # fmt: skip


async def _clone(world: World, tenant: Tenant) -> Ordered:
    async with world.databases.transaction(world.platform) as session:
        owner = Owner(email=f"owner@{tenant.slug}.example", name="Olga Owner")
        slug = f"copy-{secrets.token_hex(5)}"
        return await clone(session, world.settings, tenant.id, slug, "Try-out", owner)


async def test_a_copy_has_everything_but_what_is_not_for_it(
    site: Site, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bookings and people yes; payment keys and sessions no; mail is written and kept."""
    world = site.world
    with_server = replace(office.office(), smtp_url="smtp://127.0.0.1:1")
    monkeypatch.setattr(office, "_installed", [with_server])
    await site.person(shop)
    async with world.databases.transaction(shop) as session:
        session.add(
            PaymentAccount(
                provider="stripe",
                account_ref="acct_1",
                name="Shop",
                live=True,
                publishable_key="pk_live_x",
                secret_key="sk_live_SECRET",
                hook_token="token-of-the-original",
                hook_secret="whsec_SECRET",
                active=True,
            )
        )
    ordered = await _clone(world, shop)
    copy = await world.provisioner.run(ordered.run_id)
    assert copy.muted
    assert copy.name == "Try-out"
    async with world.databases.transaction(copy) as session:
        assert await session.scalar(select(func.count()).select_from(Booking)) == 15
        assert all(each.licence_number for each in await session.scalars(select(Customer)))
        assert await session.scalar(select(func.count()).select_from(UserSession)) == 0
        account = (await session.scalars(select(PaymentAccount))).one()
        assert (account.active, account.secret_key, account.hook_secret) == (False, "", None)
        assert account.hook_token != "token-of-the-original"
        owner = User.email == f"owner@{shop.slug}.example"
        assert await session.scalar(select(User.role).where(owner)) == "owner"
        letter = Mail(template="x", recipient="c@example.com", locale="en", subject="s", text="t")
        session.add(letter)
        await session.flush()
        await deliver(session, letter.id)
        assert await session.scalar(select(Mail.state).where(Mail.id == letter.id)) == "caught"
    assert not any(archives_of(world.settings, copy.id).glob("*")), "the archive was for this alone"


async def test_a_copy_sends_nothing_to_the_originals_programs(site: Site, shop: Tenant) -> None:
    """Its endpoints came without their secrets, and wait until they are given others."""
    world = site.world
    wanted = EndpointInput(url="https://books.example/hook", events=["payments.captured"])
    async with world.databases.transaction(shop) as session:
        made = await endpoints.add(session, wanted, wanted.events)
        await endpoints.rotate(session, made.id)
        await spreading.test(session, made.id)
    copy = await world.provisioner.run((await _clone(world, shop)).run_id)
    async with world.databases.transaction(copy) as session:
        (came,) = await endpoints.every(session)
        assert (came.url, came.events) == (wanted.url, wanted.events)
        assert (came.secret, came.previous_secret, came.previous_until) == (None, None, None)
        assert not came.is_heard
        assert await session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0
        await endpoints.rotate(session, came.id)
        assert came.is_heard
        assert came.previous_secret is None


@pytest.mark.parametrize("step", STEPS)
async def test_a_copy_that_stops_anywhere_is_finished_later(
    site: Site, shop: Tenant, step: str
) -> None:
    """Stopped when a step's work was done but not noted."""
    world = site.world
    breaking = Breaking(world.settings, world.databases, world.plugins, world.lines, world.signals)
    breaking.at, breaking.after = step, True
    ordered = await _clone(world, shop)
    with pytest.raises(Broken):
        await breaking.run(ordered.run_id)
    copy = await world.provisioner.run(ordered.run_id)
    async with world.databases.transaction(copy) as session:
        assert await session.scalar(select(func.count()).select_from(Booking)) == 15
        assert await session.scalar(text("SELECT count(*) FROM users")) >= 1
    assert copy.status == "active"


async def test_the_original_is_not_touched(site: Site, shop: Tenant, tmp_path: Path) -> None:
    """Its archive before and after has the same checksums."""
    key = ArchiveKey.fresh()
    before = await archive_of(site.world, shop, tmp_path / "1.zip", key)
    ordered = await _clone(site.world, shop)
    await site.world.provisioner.run(ordered.run_id)
    after = await archive_of(site.world, shop, tmp_path / "2.zip", key)
    assert before.tables == after.tables

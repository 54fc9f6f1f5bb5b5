"""The demo: two businesses with believable data, so that a first look shows something.

Everything can be repeated and resumed. Passwords are made up on the first run and kept in the
state folder, which is never committed; ``welcome`` there tells people where to go.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.auth.passwords import Passwords
from core.payments import gateway
from core.payments.provider import ProviderUnavailable
from core.payments.services import accounts
from core.payments.stripe_gateway import StripeGateway
from core.permissions import Role
from core.scope import Tenant
from core.settings import Settings
from tenants.databases import register
from tenants.lifecycle import Order, Ordered, Owner, note
from tenants.models import ProvisioningRun, Seed, TenantRecord
from tenants.provisioning import once
from tenants.workshop import Workshop

log = structlog.get_logger(__name__)

_PEOPLE: Final = "demo.people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A business of the demo; ``database`` is its own one, if it has one."""

    slug: str
    name: str
    zone: str
    currency: str
    color: str
    owner: str
    staff: str
    locale: str = "en"
    database: str | None = None

    def email(self, person: str) -> str:
        """The made-up address of one of its people."""
        return f"{person.split()[0].lower()}@{self.slug}.example"


DEMOS: Final = (
    Demo(
        slug="acme",
        name="ACME Car Hire",
        zone="Europe/Lisbon",
        currency="EUR",
        color="#0b7285",
        owner="Ana Almeida",
        staff="Rui Rocha",
    ),
    Demo(
        slug="harbour",
        name="Harbour Cars",
        zone="Australia/Sydney",
        currency="AUD",
        color="#9c36b5",
        owner="Harriet Hughes",
        staff="Sam Sutton",
        database="harbour",
    ),
)


OPERATOR: Final = "operator@atrium.example"
"""Runs the demo's installation."""


def own_database(main_url: str) -> str:
    """The name of the demo's second database, beside the main one on the same server."""
    return f"{make_url(main_url).database}_harbour"


async def seed(shop: Workshop) -> None:
    """Make the demo's tenants, people and data, as far as they are missing."""
    known = await asyncio.to_thread(_passwords, shop.settings.state_dir / "demo-passwords.json")
    hasher = Passwords()
    try:
        for demo in DEMOS:
            account = await _account(shop, hasher, demo, known)
            tenant = await _tenant(shop, demo, account)
            await _people(shop, hasher, demo, tenant, known)
            await _cards(shop, demo, tenant)
            for plugin in shop.plugins.enabled(tenant.plugins):
                if plugin.demo is not None:
                    await once(shop.databases, tenant, f"{plugin.name}.demo", plugin.demo)
        await _operator(shop, hasher, known)
    finally:
        hasher.close()
    await asyncio.to_thread(_write_welcome, shop.settings, known)


async def _operator(shop: Workshop, hasher: Passwords, known: dict[str, str]) -> None:
    """Whoever runs this installation, with the operator console at hand."""
    async with shop.databases.transaction(shop.platform) as session:
        if await session.scalar(select(User.id).where(User.email == OPERATOR)) is not None:
            return
    hashed = await hasher.hash(known[OPERATOR])
    async with shop.databases.transaction(shop.platform) as session:
        session.add(
            User(email=OPERATOR, name="Olivia Ortiz", role=Role.STAFF.value, password_hash=hashed)
        )


async def _account(shop: Workshop, hasher: Passwords, demo: Demo, known: dict[str, str]) -> UUID:
    """The owner's account of the portal."""
    email = demo.email(demo.owner)
    async with shop.databases.transaction(shop.platform) as session:
        found = await session.scalar(select(User.id).where(User.email == email))
    if found is not None:
        return found
    hashed = await hasher.hash(known[email])
    async with shop.databases.transaction(shop.platform) as session:
        account = User(email=email, name=demo.owner, role=Role.MEMBER.value, password_hash=hashed)
        session.add(account)
    return account.id


async def _tenant(shop: Workshop, demo: Demo, account: UUID) -> Tenant:
    """The business itself, made here and now; one that was left half-made is finished."""
    async with shop.databases.transaction(shop.platform) as session:
        run_id = await session.scalar(
            select(ProvisioningRun.id)
            .join(TenantRecord, TenantRecord.id == ProvisioningRun.tenant_id)
            .where(TenantRecord.slug == demo.slug)
            .order_by(ProvisioningRun.created_at)
            .limit(1)
        )
        if run_id is None:
            run_id = (await _note(session, shop, demo, account)).run_id
    return await shop.provisioner.run(run_id)


async def _note(session: AsyncSession, shop: Workshop, demo: Demo, account: UUID) -> Ordered:
    if demo.database is not None:
        dbname = own_database(shop.settings.database_url)
        await register(session, name=demo.database, dbname=dbname, dedicated=True)
    wanted = Order(
        slug=demo.slug,
        name=demo.name,
        zone=demo.zone,
        currency=demo.currency,
        locale=demo.locale,
        color=demo.color,
        plugins=tuple(name for name in ("car_hire",) if name in shop.plugins.working),
        owner=Owner(email=demo.email(demo.owner), name=demo.owner, account_id=account),
        hosting="dedicated" if demo.database else "pooled",
        database=demo.database,
    )
    return await note(session, wanted)


async def _people(
    shop: Workshop, hasher: Passwords, demo: Demo, tenant: Tenant, known: dict[str, str]
) -> None:
    """Passwords for those who work there, so that they can also sign in at the door."""

    owner, staff = demo.email(demo.owner), demo.email(demo.staff)
    async with shop.databases.transaction(tenant) as session:
        if await session.get(Seed, _PEOPLE) is not None:
            return
    owners, staffs = [await hasher.hash(known[email]) for email in (owner, staff)]

    async def fill(session: AsyncSession) -> None:
        await session.execute(update(User).where(User.email == owner).values(password_hash=owners))
        session.add(User(email=staff, name=demo.staff, role=Role.STAFF.value, password_hash=staffs))

    await once(shop.databases, tenant, _PEOPLE, fill)


async def _cards(shop: Workshop, demo: Demo, tenant: Tenant) -> None:
    """Test keys of the Stripe stand-in on this machine, so that the demo takes cards at once."""
    settings = shop.settings
    if urlsplit(settings.stripe_api_base).hostname not in ("localhost", "127.0.0.1"):
        return
    stripe = StripeGateway(
        api_base=settings.stripe_api_base,
        script_url=settings.stripe_js_url,
        public_url=settings.webhook_url or settings.public_url,
    )
    gateway.install(stripe)
    try:
        async with shop.databases.transaction(tenant) as session:
            if not await accounts.accepts_cards(session):
                await accounts.connect(
                    session,
                    publishable_key=f"pk_test_{demo.slug}",
                    secret_key=f"sk_test_{demo.slug}",
                )
    except ProviderUnavailable:
        log.warning("seed.no_cards", demo=demo.slug, api=settings.stripe_api_base)
    finally:
        await stripe.close()


def _passwords(file: Path) -> dict[str, str]:
    """The demo's passwords by e-mail address; made up once, then read."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    for demo in DEMOS:
        for person in (demo.owner, demo.staff):
            known.setdefault(demo.email(person), secrets.token_urlsafe(9))
    known.setdefault(OPERATOR, secrets.token_urlsafe(9))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(known, indent=1))
    return known


def _write_welcome(settings: Settings, known: dict[str, str]) -> None:
    lines = [
        f"Portal            {settings.public_url}/",
        f"Console           {settings.public_url}/operator",
        f"  operator        {OPERATOR}   {known[OPERATOR]}",
    ]
    for demo in DEMOS:
        owner, staff = demo.email(demo.owner), demo.email(demo.staff)
        lines += [
            f"{demo.name:<17} {settings.tenant_url(demo.slug)}",
            f"  owner           {owner}   {known[owner]}   (also in the portal)",
            f"  staff           {staff}   {known[staff]}",
        ]
    (settings.state_dir / "welcome").write_text("\n".join(lines) + "\n", encoding="utf-8")

"""Attacks on whatever is remembered beyond one request: caches of a process, and keys in Redis.

They are found in the source (``atrium.testing.remembered``). One that nobody declares here fails
the build: either a tenant is part of its key, and an attack shows it, or it says why none has to.
"""

from __future__ import annotations

import fnmatch
import secrets
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import delete, insert, select, text

from atrium.testing.remembered import remembered
from atrium.testing.routes import routes
from atrium.testing.site import Site
from atrium.testing.world import World
from core import clock, plugin_failures
from core.auth.models import User, UserSession
from core.auth.sessions import ABSOLUTE
from core.auth.tokens import digest, fresh_token
from core.crypto import CannotOpen
from core.errors import TooManyRequests
from core.ids import new_id
from core.mail.models import Mail
from core.permissions import Role
from core.scope import Tenant, acting_for
from core.throttle import Allowance, Throttle
from core.web.hosts import normalise
from tenants.lifecycle import naming
from tests.plugins.car_hire.shop import Shop

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ("core", "tenants", "workers", "plugins", "atrium")

CLOSING: Final = "tests/tenants/lifecycle/test_closing.py"
BY_TENANT: Final = {
    "core/admission.py: Admission._lines": "tests/core/test_admission.py",
    "core/admission.py: Admission._taken_at": "tests/core/test_admission.py",
    "core/admission.py: Admission._watched": "tests/core/test_admission.py",
    "core/admission.py: Admission._working": "tests/core/test_admission.py",
    "core/auth/sessions.py: SessionCache._known": "test_a_secret_is_each_tenants_own",
    "core/crypto/keyring.py: KeyRing._tenants": "test_a_sealed_row_opens_at_home_alone",
    "core/web/streams.py: Open._by_tenant": "tests/core/notifications/test_live.py",
    "core/plugin_failures.py: _noted": "test_a_failure_here_silences_none_there",
    "core/shares.py: Shares._seen": "tests/core/test_shares.py",
    "core/signals.py: PUBLISH self._prefix + channel, key": "test_a_signal_teaches_nothing",
    "core/throttle.py: EVAL _COUNT, 1, key": "test_attempts_are_counted_apart",
    "core/throttle.py: Throttle._memory": "test_attempts_are_counted_apart",
    "tenants/catalogue.py: Catalogue._held": "test_a_host_leads_to_one_tenant",
    "tenants/deletion.py: SCAN_ITER f'*{written}*'": CLOSING,
    "tenants/deletion.py: UNLINK *found[start:start + _SCANNED]": CLOSING,
    "tenants/migration/ledger.py: Ledger._unwritten": "tests/tenants/test_migrate.py",
    "tenants/operator/services/sizes.py: Sizes._known": "tests/tenants/operator/test_api.py",
    "workers/relay.py: DatabaseLoop._hurried": "tests/workers/test_relay.py",
    "workers/scheduler.py: Scheduler._next": "tests/workers/test_scheduler.py",
}
"""A tenant is part of the key: which attack shows it, here or in another file."""

_OPERATORS = "the operator's: a run of his own command or a page of his console"
_REQUEST = "made for one request and gone with it"
_SOFTWARE = "of the software alone: it holds nothing that a tenant said"
OF_NOBODY: Final = {
    "core/auth/authority.py: _held.held": "by set of products and role, whoever has them",
    "core/auth/passwords.py: Passwords._decoy": "the hash of no password",
    "core/connections.py: ScopedConnection.schemas_touched": "names, counted and never shown",
    "core/crypto/master.py: MasterKeys.platform_keys": "the platform's own",
    "core/db.py: Databases._engines": "by database; each transaction names its scope",
    "core/db.py: Databases._leaving": "tasks that close connections",
    "core/db.py: Databases._pools": "by database; each transaction names its scope",
    "core/extension.py: _installed": "which plugin fills which hook; who is asked, by tenant",
    "core/extension.py: asked_of": _SOFTWARE,
    "core/flags/resolution.py: _declared": _SOFTWARE,
    "core/i18n.py: _catalogues": "texts by language",
    "core/jobs.py: _parameters": _SOFTWARE,
    "core/notices.py: Notice.asks": _SOFTWARE,
    "core/notifications/live.py: _Heard._ids": _REQUEST,
    "core/payments/stripe_gateway.py: StripeGateway._clients": "connections; keys come with calls",
    "core/presence.py: HDEL _KEY, *gone": "processes, by their own name",
    "core/presence.py: HDEL _KEY, name": "processes, by their own name",
    "core/presence.py: HGETALL _KEY": "processes, by their own name",
    "core/presence.py: HSET _KEY, name, msgspec.json.encode(sign).decode()": "processes",
    "core/quotas/tasks.py: _declared": _SOFTWARE,
    "core/signals.py: PSUBSCRIBE self._prefix + '*'": "hears; test_a_signal_teaches_nothing",
    "core/signals.py: GET_MESSAGE": "hears; test_a_signal_teaches_nothing",
    "core/terms/text.py: rendered": "by the whole text that is rendered, whoever wrote it",
    "core/storage/opening.py: store_of": "by settings; each key bears its tenant, test_files",
    "core/web/forms/bound.py: Bound.raw": _REQUEST,
    "core/web/forms/schema.py: fields_of": _SOFTWARE,
    "core/webhooks/reaching.py: _trusted": "whom the machine trusts",
    "core/web/headers.py: _policy": "by what the page allows and the installation's settings",
    "core/web/icons.py: _paths": _SOFTWARE,
    "core/web/shell.py: Shell.cookies": _REQUEST,
    "core/web/shell.py: Shell.toasts": _REQUEST,
    "core/plugin_settings/services.py: _fields": _SOFTWARE,
    "plugins/car_hire/routes/price_rows.py: Rules.rows": _REQUEST,
    "plugins/car_hire/schemas.py: HireInput.steps": _REQUEST,
    "plugins/car_hire/schemas_papers.py: CreditNoteInput.lines": _REQUEST,
    "plugins/car_hire/schemas_extras.py: ChoicesInput.extras": _REQUEST,
    "plugins/car_hire/schemas_prices.py: ClassPricesInput.seasons": _REQUEST,
    "plugins/car_hire/services/prices/sheet.py: _Reading._seen": _REQUEST,
    "plugins/car_hire/services/prices/sheet.py: _Reading.prices": _REQUEST,
    "plugins/car_hire/services/repacking.py: _Chain._met": _REQUEST,
    "tenants/domains/names.py: _suffixes": "public suffixes",
    "tenants/migration/lines.py: _compiled": _SOFTWARE,
    "tenants/migration/migrate.py: Report.slugs": _OPERATORS,
    "tenants/migration/terminal.py: LiveLine.done": _OPERATORS,
    "tenants/migration/terminal.py: LiveLine.failed": _OPERATORS,
    "tenants/migration/terminal.py: LiveLine.running": _OPERATORS,
    "tenants/operator/services/health.py: LLEN _BROKER.format(queue=queue)": "how many, not what",
    "tenants/portal/choices.py: _country_options": "by language",
    "tenants/portal/choices.py: _currency_options": "by language",
    "tenants/portal/choices.py: _places": "by language",
    "tenants/portal/choices.py: countries": "by language",
    "tenants/portal/choices.py: currencies": "by language",
    "tenants/portal/wizard.py: Journey._forms": _REQUEST,
}
"""No tenant is part of the key, and why none has to be."""

REDIS: Final = {
    "throttle:????????-????-????-????-????????????:*": "a tenant's attempts",
    "atrium.presence": "processes",
    "atrium:*": "Dramatiq's: ids of messages; test_actors and test_redis_poisoned",
}
"""What may lie in Redis."""

THREE: Final = Allowance("attack", 3, 60)


def test_everything_remembered_is_declared() -> None:
    """A cache or a key of Redis that is added must say here what keeps tenants apart in it."""
    found = remembered(ROOT, SOURCE)
    assert len(found) > 40
    assert not BY_TENANT.keys() & OF_NOBODY.keys()
    undeclared = found - BY_TENANT.keys() - OF_NOBODY.keys()
    assert not undeclared, "declare these in tests/attack/test_remembered.py"
    assert not (BY_TENANT.keys() | OF_NOBODY.keys()) - found, "these are gone"


def test_each_attack_that_is_named_is_there() -> None:
    """By its name here, or as a file."""
    for what, attack in BY_TENANT.items():
        assert attack in globals() or (ROOT / attack).is_file(), what


@pytest.mark.parametrize(
    "source",
    [
        "from functools import lru_cache\n@lru_cache\ndef price(id): ...",
        "_seen = {}",
        "class A:\n    def __init__(self):\n        self._rows: dict[str, int] = {}",
        "@dataclass\nclass A:\n    rows: OrderedDict = field(default_factory=OrderedDict)",
        "@dataclass(frozen=True)\nclass A:\n    _rows: dict = field(default_factory=dict)",
        "price = cache(read)",
        "async def f(redis):\n    await redis.set(f'price:{id}', 1)",
    ],
)
def test_a_new_memory_is_found(tmp_path: Path, source: str) -> None:
    """However it is written."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core/new.py").write_text(source)
    assert len(remembered(tmp_path, ("core",))) == 1


@pytest.fixture(params=["bravo", "delta"], ids=["pooled", "dedicated"])
def other(world: World, request: pytest.FixtureRequest) -> Tenant:
    """Whom acme attacks, and is attacked by."""
    found: Tenant = getattr(world, request.param)
    return found


async def test_a_secret_is_each_tenants_own(site: Site, other: Tenant) -> None:
    """The same secret, session and person by id in two tenants: each is who they are there, and
    to forget one leaves the other."""
    world, ids, token = site.world, (new_id(), new_id()), fresh_token()
    for tenant, name in [(world.acme, "Ana of acme"), (other, "Olga of the other")]:
        async with world.databases.transaction(tenant) as session:
            email = f"{ids[0]}@example.com"
            session.add(User(id=ids[0], email=email, name=name, role=Role.MEMBER))
            await session.flush()
            moment = clock.now()
            await session.execute(
                insert(UserSession).values(
                    id=ids[1],
                    user_id=ids[0],
                    kind="page",
                    token_hash=digest(token),
                    address="127.0.0.1",
                    agent="",
                    created_at=moment,
                    last_seen_at=moment,
                    expires_at=moment + ABSOLUTE,
                )
            )
    for tenant, name in 2 * [(world.acme, "Ana of acme"), (other, "Olga of the other")]:
        async with site.visitor(tenant, cookie=f"atrium={token}") as visitor:
            shown = await visitor.get("/account")
            assert shown.status_code == 200
            assert name in shown.text
    site.sessions.cache.forget(world.acme.id, ids[0])
    kept = [key.tenant_id for key in site.sessions.cache._known if key.token_hash == digest(token)]
    assert kept == [other.id]


async def test_a_sealed_row_opens_at_home_alone(world: World, other: Tenant) -> None:
    """What was sealed for one tenant, put under the same id into another's table, stays shut."""
    mail_id = new_id()
    for tenant in (world.acme, other):
        async with world.databases.transaction(tenant) as session:
            letter = Mail(id=mail_id, template="x", recipient="x@example.com", locale="en")
            letter.subject = letter.text = f"secret of {tenant.slug}"
            letter.state = "caught"
            session.add(letter)
    raw = text("SELECT subject FROM mails WHERE id = :id")
    async with world.databases.transaction(world.acme) as session:
        sealed = await session.scalar(raw, {"id": mail_id})
    poison = text("UPDATE mails SET subject = :sealed WHERE id = :id")
    async with world.databases.transaction(other) as session:
        await session.execute(poison, {"sealed": sealed, "id": mail_id})
        with pytest.raises(CannotOpen):
            await session.scalar(select(Mail.subject).where(Mail.id == mail_id))
        await session.execute(delete(Mail).where(Mail.id == mail_id))


async def test_a_failure_here_silences_none_there(world: World, other: Tenant) -> None:
    """Notes are kept rare by tenant: one's broken plugin hides no other's."""
    place = f"place-{secrets.token_hex(6)}"
    for tenant in (world.acme, other):
        async with world.databases.transaction(tenant) as session:
            await plugin_failures.note(session, "car_hire", place, ValueError())
    for tenant in (world.acme, other):
        async with world.databases.transaction(tenant) as session:
            assert place in {each.place for each in await plugin_failures.recent(session)}


@pytest.mark.parametrize("where", ["redis", "memory"])
async def test_attempts_are_counted_apart(
    world: World, other: Tenant, where: str, redis_url: str
) -> None:
    """Nobody is locked out by attempts elsewhere, nor let in by what a subject spells."""
    async with Redis.from_url(redis_url) as redis:
        throttle = Throttle(redis if where == "redis" else None)
        subject = f"{secrets.token_hex(6)}@example.com"
        with acting_for(world.acme):
            for _ in range(3):
                await throttle.take(THREE, subject)
            with pytest.raises(TooManyRequests):
                await throttle.take(THREE, subject)
        with acting_for(other):
            for guess in (subject, f"{world.acme.id}:attack:{subject}"):
                await throttle.clear(THREE, guess)
                await throttle.take(THREE, guess)
        with acting_for(world.acme), pytest.raises(TooManyRequests):
            await throttle.take(THREE, subject)


async def test_a_host_leads_to_one_tenant(site: Site, other: Tenant) -> None:
    """Whatever was asked before, spelt however: the answer kept is the right one's."""
    world, directory = site.world, site.catalogue
    base = world.settings.base_domain
    spelt = [
        f"{other.slug}.{base}", f"{other.slug.upper()}.{base}", f"{other.slug}.{base}.",
        f"acme.{base}.{other.slug}.{base}", f"{other.slug}.acme.{base}", f"acme.{base}\0",
        str(other.id), str(other.id.hex), f"formerly {other.slug}.{base}", base, "",
    ]  # fmt: skip
    for asked in spelt:
        if host := normalise(asked):
            await directory.by_host(host)
            await directory.formerly(host)
        found = await directory.by_host(f"acme.{base}")
        assert found is not None
        assert found.id == world.acme.id
        theirs = await directory.by_id(other.id)
        assert theirs is not None
        assert theirs.id == other.id
    for host in spelt[3:-2]:
        assert (named := normalise(host)) is None or await directory.by_host(named) is None, host


async def test_a_name_that_is_taken_over_is_no_longer_the_others(site: Site) -> None:
    """A subdomain kept as "nobody's" or as its former owner's does not stay so."""
    world, directory = site.world, site.catalogue
    old, base = f"taken-{secrets.token_hex(5)}", world.settings.base_domain
    assert await directory.by_host(f"{old}.{base}") is None
    first = await world.provision(old, plugins=())
    directory.forget_all()
    found = await directory.by_host(f"{old}.{base}")
    assert found is not None
    assert found.id == first.id
    async with world.databases.transaction(world.platform) as session:
        await naming.rename(session, world.signals, first.id, f"{old}-moved")
    await world.signals.publish("catalogue", "no id at all")  # poison: must not be what counts
    directory.forget(first.id)
    assert await directory.by_host(f"{old}.{base}") is None
    led = await directory.formerly(f"{old}.{base}")
    assert led is not None
    assert led.id == first.id


async def test_a_signal_teaches_nothing(site: Site, other: Tenant) -> None:
    """Whoever can publish can have things forgotten, and no more: nobody becomes another, and
    the ear goes on hearing."""
    world = site.world
    heard = site.sessions.cache._signals
    assert heard is not None
    channels = sorted(heard._listeners)
    assert len(channels) >= 3
    async with await site.person(other, Role.OWNER) as owner:
        before = await owner.get("/account")
        for channel in channels:
            for poison in ("", "\0", "x", str(other.id), f"{other.id} {world.acme.id}", "a b c",
                           f"{world.acme.id} {other.id}", '{"tenant": "x"}'):  # fmt: skip
                heard._tell(channel, poison)
        after = await owner.get("/account")
        assert (before.status_code, after.status_code) == (200, 200)
    async with await site.person(world.acme, Role.OWNER) as owner:
        assert "Olga" not in (await owner.get("/account")).text
        assert heard.connected.is_set()


FORGED = ("x-forwarded-host", "x-host", "forwarded", "x-original-url", "x-rewrite-url",
          "x-http-host-override", "x-tenant")  # fmt: skip


async def test_no_header_poisons_what_others_are_shown(site: Site, other: Tenant) -> None:
    """What anybody is shown depends on the host alone: a cache before us that knows no more than
    the address keeps nothing of another tenant's; and what is somebody's own is kept by none."""
    theirs = site.world.directory.url_of(other, "").partition("//")[2]
    forged = dict.fromkeys(FORGED, theirs) | {"forwarded": f"host={theirs}"}
    tenant = site.world.acme
    async with (
        site.visitor(tenant) as visitor,
        site.visitor(tenant, **forged) as poisoner,
        await site.person(tenant, Role.OWNER) as owner,
    ):
        for route in routes(site.edge.tenants):
            if route.method != "GET" or route.parameters or route.streams:
                continue
            if route.access.kind == "public":
                honest, poisoned = [await each.get(route.path) for each in (visitor, poisoner)]
                assert honest.status_code == poisoned.status_code, route
                assert theirs not in poisoned.text + str(poisoned.headers), route
            own = await owner.get(route.path)
            kept = own.headers.get("cache-control", "")
            if route.access.kind != "public":
                assert "no-store" in kept or "private" in kept, f"{route}: {kept!r}"


async def test_redis_holds_nothing_else(site: Site, redis_url: str) -> None:
    """After people came, failed to come, asked for prices and had jobs done."""
    for tenant in site.world.tenants:
        async with site.visitor(tenant) as visitor:
            for _ in range(2):
                typed = {"email": "eve@example.com", "password": "wrong"}
                await visitor.post("/sign-in", data=typed)
            await visitor.get("/car-hire")
        shop = await Shop.open(site.world.databases, tenant, cars=1)
        await shop.book(starts_in=2)
    async with Redis.from_url(redis_url) as redis:
        keys = [key.decode(errors="replace") async for key in redis.scan_iter("*")]
    assert any(str(site.world.delta.id) in key for key in keys)
    strange = [key for key in keys if not any(fnmatch.fnmatch(key, each) for each in REDIS)]
    assert not strange
    known = {each.id for each in site.world.tenants}
    assert {UUID(key.split(":")[1]) for key in keys if key.startswith("throttle:")} & known

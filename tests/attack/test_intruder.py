"""Tricks that an intruder knows, on the whole application."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

import httpx
import pytest
from sqlalchemy import func, select

from atrium.testing.site import Site
from core.auth import entry
from core.auth.models import User
from core.payments.models import PaymentAccount, PaymentNotice
from core.permissions import Role
from core.scope import Tenant
from tests.attack.loot import Loot

ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\r\nlocation: https://evil.example",
    "\u2028//evil.example",
    " //evil.example",
    "/x\0",
    "",
)
API = "/api/v1/car-hire"


@pytest.fixture(params=["acme", "delta"], ids=["pooled", "dedicated"])
def tenant(site: Site, request: pytest.FixtureRequest) -> Tenant:
    """A pooled tenant, and a dedicated one."""
    found: Tenant = getattr(site.world, request.param)
    return found


def leads_home(answer: httpx.Response) -> bool:
    """Whether a redirect stays on this site."""
    where = answer.headers["location"]
    return where.startswith("/") and not where.startswith(("//", "/\\")) and "evil" not in where


async def token_of(site: Site, tenant: Tenant, role: Role = Role.STAFF) -> str:
    """A token as the portal would hand it out."""
    user_id = await site.enrol(tenant, role)
    async with site.world.databases.transaction(tenant) as session:
        return await entry.issue(session, user_id)


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_nobody_is_led_elsewhere(site: Site, tenant: Tenant, target: str) -> None:
    """Coming in, or being in already, leads to a page of this site, whatever ``next`` says."""
    token = await token_of(site, tenant)
    async with site.visitor(tenant) as visitor:
        came = await visitor.post("/enter", data={"token": token, "next": target})
        again = await visitor.get("/sign-in", params={"next": target})
        up = await visitor.get("/sign-up", params={"next": target})
    if "\0" in target:  # refused outright, or led home
        assert came.status_code == 410
        assert {again.status_code, up.status_code} <= {422, 303, 200}
        return
    for answer in (came, again, up):
        assert answer.status_code == 303
        assert leads_home(answer), answer.headers["location"]
        assert "evil" not in "".join(answer.headers.values())


async def test_a_token_lets_one_in_once_and_only_here(site: Site, tenant: Tenant) -> None:
    """Not twice, not at another tenant, not for another purpose, and no more once disabled."""
    world = site.world
    token = await token_of(site, tenant)
    others = [each for each in (*world.tenants, world.platform) if each is not tenant]
    for other in others:
        async with site.visitor(other) as visitor:
            assert (await visitor.post("/enter", data={"token": token})).status_code == 410
            assert "atrium" not in visitor.cookies
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get("/invitation", params={"token": token})).status_code == 410
        accepted = {"token": token, "password": "a long enough one"}
        assert (await visitor.post("/invitation", data=accepted)).status_code == 410
        assert (await visitor.post("/enter", data={"token": token})).status_code == 303
        assert (await visitor.get("/account")).status_code == 200
    async with site.visitor(tenant) as thief:
        assert (await thief.post("/enter", data={"token": token})).status_code == 410
        assert (await thief.get("/account")).status_code == 303


async def test_coming_in_ends_the_session_that_was_planted(site: Site, tenant: Tenant) -> None:
    """An id that somebody put into the browser is worth nothing after its owner signed in."""
    async with await site.person(tenant, Role.MEMBER) as planted:
        known = planted.cookies["atrium"]
        token = await token_of(site, tenant, Role.OWNER)
        came = await planted.post("/enter", data={"token": token})
        assert came.cookies["atrium"] != known
    async with site.visitor(tenant) as thief:
        thief.cookies.set("atrium", known)
        assert (await thief.get("/account")).status_code == 303


async def test_others_bookings_cannot_be_touched(site: Site, tenant: Tenant) -> None:
    """To a customer the bookings of others do not exist: not to see, pay, answer or cancel."""
    loot = await Loot.of(site, tenant)
    card = {"payment_method": "pm_card_visa"}
    async with await site.person(tenant, Role.MEMBER) as customer:
        for where in (f"{API}/bookings", "/car-hire/bookings"):
            at = f"{where}/{loot.ids['booking_id']}"
            tries = [
                await customer.get(at),
                await customer.post(f"{at}/cancellation"),
                await (
                    customer.post(f"{at}/payment", json=card)
                    if where.startswith("/api/")
                    else customer.post(f"{at}/payment", data=card)
                ),
            ]
            assert [each.status_code for each in tries] == [404] * 3
        answered = await customer.post(
            f"/car-hire/bookings/{loot.ids['booking_id']}/payment/answer"
        )
        assert answered.status_code == 404
        for_others = await customer.post(
            f"{API}/bookings",
            json={
                "quote_id": str(loot.ids["quote_id"]),
                "customer_id": str(loot.ids["customer_id"]),
            },
        )
        assert for_others.status_code == 403


async def test_a_kept_answer_is_its_askers_alone(site: Site, tenant: Tenant) -> None:
    """The same Idempotency-Key of somebody else gives nothing of what was answered before."""
    loot = await Loot.of(site, tenant)
    body = {
        "name": "Ana Vidal", "email": f"{secrets.token_hex(4)}@example.com", "phone": "",
        "licence_number": "PT-99887", "licence_country": "PT",
        "licence_expires": "2045-01-31", "born": "1990-02-28",
    }  # fmt: skip
    key = {"idempotency-key": secrets.token_hex(8)}
    assert loot.ids
    async with (
        await site.person(tenant, Role.STAFF) as first,
        await site.person(tenant, Role.STAFF) as second,
        await site.person(tenant, Role.MEMBER) as member,
        site.visitor(tenant) as nobody,
    ):
        made = await first.post(f"{API}/customers", json=body, headers=key)
        same = await first.post(f"{API}/customers", json=body, headers=key)
        changed = await first.post(f"{API}/customers", json=body | {"phone": "1"}, headers=key)
        theirs = await second.post(f"{API}/customers", json=body, headers=key)
        refused = await member.post(f"{API}/customers", json=body, headers=key)
        unknown = await nobody.post(f"{API}/customers", json=body, headers=key)
    assert made.status_code == 201
    assert (same.status_code, same.json()["id"]) == (201, made.json()["id"])
    assert changed.status_code == 422
    assert "idempotency-replayed" not in theirs.headers
    assert made.json()["id"] not in theirs.text
    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert "PT-99887" not in refused.text + unknown.text


async def test_nobody_makes_themselves_more(site: Site, tenant: Tenant) -> None:
    """A role is not a field of one's own: neither in the profile nor at registration."""
    name = f"Eve {secrets.token_hex(4)}"
    async with await site.person(tenant, Role.MEMBER) as member:
        for path in ("/account", "/sign-up"):
            typed = {"name": name, "email": f"eve.{secrets.token_hex(4)}@example.com",
                     "password": "a long enough one", "role": "owner"}  # fmt: skip
            answer = await member.post(path, data=typed)
            assert answer.status_code == 422, path
    async with site.world.databases.transaction(tenant) as session:
        found = select(func.count()).where(User.name == name, User.role != "member")
        assert await session.scalar(found) == 0


async def test_an_admin_makes_no_owner(site: Site, tenant: Tenant) -> None:
    """Only owners make owners, and only they change one."""
    async with site.world.databases.transaction(tenant) as session:
        owner = (await session.scalars(select(User.id).where(User.role == "owner"))).first()
    async with await site.person(tenant, Role.ADMIN) as admin:
        email = f"eve.{secrets.token_hex(4)}@example.com"
        invited = await admin.post(
            "/settings/people/invite", data={"name": "Eve", "email": email, "role": "owner"}
        )
        lowered = await admin.post(
            f"/settings/people/{owner}", data={"name": "Olga", "role": "member"}
        )
        disabled = await admin.post(f"/settings/people/{owner}/disable")
    assert {invited.status_code, lowered.status_code, disabled.status_code} <= {403, 422}


@pytest.fixture
async def hook(site: Site, tenant: Tenant) -> tuple[str, str]:
    """The address and the secret of a webhook endpoint of the tenant."""
    token, secret = secrets.token_urlsafe(16), f"whsec_{secrets.token_hex(16)}"
    account = PaymentAccount(
        provider="stripe", account_ref="acct_intruder", name="x", live=False, active=False,
        publishable_key="pk_test_x", secret_key="sk_test_x", hook_token=token, hook_secret=secret,
    )  # fmt: skip
    async with site.world.databases.transaction(tenant) as session:
        session.add(account)
    return f"/webhooks/stripe/{tenant.id.hex}.{token}", secret


def signed(secret: str, body: bytes, moment: int) -> str:
    """The header that vouches for a body."""
    made = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def event(number: str) -> bytes:
    """A notice as Stripe writes it."""
    return (
        b'{"id":"%b","object":"event","type":"payment_intent.succeeded","api_version":"x",'
        b'"created":1,"livemode":false,"pending_webhooks":1,'
        b'"data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{}}}}'
        % number.encode()
    )


async def notices(site: Site, tenant: Tenant) -> int:
    """How many notices the tenant has taken down."""
    async with site.world.databases.transaction(tenant) as session:
        return await session.scalar(select(func.count()).select_from(PaymentNotice)) or 0


async def test_only_the_vendor_can_send_webhooks(
    site: Site, tenant: Tenant, hook: tuple[str, str]
) -> None:
    """Unsigned, wrongly signed, late, altered or at another tenant's endpoint: refused, and
    nothing written; signed and repeated: taken down once."""
    path, secret = hook
    body, now = event(f"evt_{secrets.token_hex(6)}"), int(time.time())
    other = next(each for each in site.world.tenants if each is not tenant)
    theirs = path.replace(tenant.id.hex, other.id.hex)
    before = {each.slug: await notices(site, each) for each in site.world.tenants}
    async with site.visitor(site.world.platform) as vendor:
        for at, header, sent in [
            (path, "", body),
            (path, f"t={now},v1=" + "0" * 64, body),
            (path, "t=,v1=", body),
            (path, "\xff", body),
            (path, signed(secret + "x", body, now), body),
            (path, signed(secret, body, now - 3600), body),
            (path, signed(secret, body, now), body + b" "),
            (theirs, signed(secret, body, now), body),
            (path[:-1], signed(secret, body, now), body),
            (path + "x" * 3000, signed(secret, body, now), body),
            (path.replace("stripe", "paypal"), signed(secret, body, now), body),
        ]:
            headers = {"stripe-signature": header.encode("latin-1")}
            answer = await vendor.post(at, content=sent, headers=headers)  # type: ignore[arg-type]  # bytes do
            assert answer.status_code in {400, 401, 403, 404}, (at, header)
        assert {each.slug: await notices(site, each) for each in site.world.tenants} == before
        for _ in range(3):
            headers = {"stripe-signature": signed(secret, body, now)}
            assert (await vendor.post(path, content=body, headers=headers)).status_code == 200
    assert await notices(site, tenant) == before[tenant.slug] + 1
    assert await notices(site, other) == before[other.slug]

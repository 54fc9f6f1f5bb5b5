"""Webhooks, sent by the stand-in to the real route: in any order, any number of times."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import stripe as sdk

from core.clock import now
from core.money import Money
from core.payments.models import Payment, PaymentNotice
from core.payments.services import notices as notices_service
from core.payments.services import reconcile
from core.payments.services.accounts import active
from tests.core.payments.conftest import Shop
from tests.core.payments.site import Site
from tests.standin.conftest import free_port


@pytest.fixture
def public_url() -> str:
    """Webhooks come to a port of the test's own."""
    return f"http://localhost:{free_port()}"


@pytest.fixture
async def site(shop: Shop, public_url: str) -> AsyncIterator[Site]:
    """The shop's site, listening."""
    made = Site(shop, int(public_url.rpartition(":")[2]))
    async with made.serving():
        yield made


async def notices(shop: Shop) -> int:
    """How many webhooks were taken down."""
    [[count]] = await shop.sql(
        "SELECT count(*) FROM payment_notices JOIN payment_accounts ON id = account_id"
        " WHERE account_ref = $1",
        shop.account_ref,
    )
    return int(count)


async def until(shop: Shop, count: int) -> None:
    async with asyncio.timeout(15):
        while await notices(shop) < count:  # noqa: ASYNC110  # in the database, by a server
            await asyncio.sleep(0.05)


async def test_a_webhook_completes_what_the_customer_left(shop: Shop, site: Site) -> None:
    """Who closes the page after 3-D Secure has paid all the same."""
    asked = await shop.pay("pm_card_authenticationRequired")
    await shop.authenticate(asked, success=True)
    await until(shop, 2)
    await shop.run_jobs()
    assert await shop.state(asked.id) == "authorised"


async def test_ten_of_each_shuffled_change_nothing_twice(shop: Shop, site: Site) -> None:
    """Every webhook of a payment's life, ten times over and out of order: one story."""
    shop.standin.control("POST", "/webhooks", {"hold": True})
    paid = await shop.pay()
    await shop.do(lambda payments: payments.capture(paid.id))
    await shop.do(lambda payments: payments.refund(paid.id, key="all"))
    sent = shop.standin.control(
        "POST", "/webhooks/release", {"order": "shuffle", "seed": 7, "duplicates": 10}
    )
    assert sent["sent"] == 40  # amount_capturable_updated, succeeded, refund.created, refunded
    async with asyncio.timeout(30):
        while site.heard < 40:  # noqa: ASYNC110  # counted by a server
            await asyncio.sleep(0.05)
    assert await notices(shop) == 4
    while await shop.run_jobs():
        pass
    assert await shop.state(paid.id) == "refunded"
    assert [name for name, _ in await shop.told()] == [
        "payments.authorised",
        "payments.captured",
        "payments.refunded",
    ]


async def test_webhooks_alone_tell_the_whole_story_in_any_order(shop: Shop, site: Site) -> None:
    """What was captured and refunded in Stripe's own dashboard is learnt, and counted once."""
    paid = await shop.pay()
    assert paid.provider_ref
    dashboard = shop.standin.client(shop.key)
    await dashboard.v1.payment_intents.capture_async(paid.provider_ref, {"amount_to_capture": 9000})
    for _ in range(3):
        await dashboard.v1.refunds.create_async(
            {"payment_intent": paid.provider_ref, "amount": 1000}
        )
    await until(shop, 8)
    jobs = await shop.sql(
        "UPDATE outbox.messages SET state = 'done' WHERE tenant = $1 AND state = 'pending'"
        " AND actor = 'core.payments.take_notice' RETURNING args",
        shop.tenant.id,
    )
    args = [json.loads(each) for (each,) in jobs] * 3
    random.Random(3).shuffle(args)
    for each in args:
        await shop.run("core.payments.take_notice", each)
    payment = await shop.do(lambda payments: payments.get(paid.id))
    assert payment.state == "partially_refunded"
    assert (payment.captured_amount, payment.refunded_amount) == (
        Money.of("90", "EUR"),
        Money.of("30", "EUR"),
    )
    [refunds] = await shop.sql(
        "SELECT count(*) FROM payment_refunds WHERE payment_id = $1", paid.id
    )
    assert refunds[0] == 3


async def test_a_lost_answer_is_found_by_webhook_too(shop: Shop, site: Site) -> None:
    """An unknown payment ends as soon as the provider speaks of it."""
    shop.standin.fault("drop_after", "/v1/payment_intents$", method="POST", times=20)
    paid = await shop.pay()
    assert paid.state == "unknown"
    shop.standin.control("DELETE", "/faults")
    await until(shop, 1)
    await shop.run_jobs()
    assert await shop.state(paid.id) == "authorised"


async def test_a_notice_about_nothing_of_ours_touches_no_payment(shop: Shop) -> None:
    """One that names neither a payment nor a reference is not about those without a reference."""
    paid = await shop.pay()
    async with shop.transaction() as session:
        account = await active(session)
        session.add(PaymentNotice(account_id=account.id, event_id="evt_else", kind="else"))
        payment = await session.get_one(Payment, paid.id)
        payment.provider_ref, account_id = None, account.id
    looked_up: list[UUID] = []

    async def look_up(_: object, payment_id: UUID, __: object) -> None:
        looked_up.append(payment_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notices_service, "sync", look_up)
        async with shop.transaction() as session:
            await notices_service.take(session, account_id, "evt_else")
    assert looked_up == []


async def test_only_the_provider_is_believed(shop: Shop, site: Site, public_url: str) -> None:
    """A wrong or missing signature is refused, an old one too; an unknown endpoint is not there."""
    async with shop.transaction() as session:
        account = await active(session)
        token, secret = account.hook_token, account.hook_secret or ""
    body = json.dumps({"id": "evt_1", "type": "x", "data": {"object": {"id": "pi_1"}}})
    sign = sdk.WebhookSignature.generate_signature_header
    signatures = {
        sign(body, secret): 200,
        sign(body, "whsec_other"): 400,
        sign(body + " ", secret): 400,
        sign(body, secret, int(now().timestamp()) - 3600): 400,
        "t=1,v1=": 400,
        "": 400,
    }
    endpoint = f"/webhooks/stripe/{shop.tenant.id.hex}."
    async with httpx.AsyncClient(base_url=public_url) as http:
        for signature, status in signatures.items():
            headers = {"Stripe-Signature": signature}
            reply = await http.post(endpoint + token, content=body, headers=headers)
            assert reply.status_code == status, signature
        other = await http.post(endpoint + "0" * 32, content=body, headers=headers)
        assert other.status_code == 404
    assert await notices(shop) == 1


async def test_who_leaves_during_3d_secure_is_released(shop: Shop) -> None:
    """A cardholder who never answers the bank frees the thing after half an hour."""
    asked = await shop.pay("pm_card_authenticationRequired")
    await shop.sql(
        "UPDATE payments SET updated_at = $2 WHERE id = $1", asked.id, now() - timedelta(hours=1)
    )
    async with shop.transaction() as session:
        await reconcile.sweep(session)
    await shop.run_jobs()
    assert await shop.state(asked.id) == "voided"


async def test_old_keys_and_notices_are_forgotten_after_thirty_days(shop: Shop) -> None:
    """Idempotency keys last thirty days, and no longer."""
    paid = await shop.pay()
    query = "SELECT count(*) FROM payment_operations WHERE payment_id = $1"
    for age, left in ((29, 1), (31, 0)):
        await shop.sql(
            "UPDATE payment_operations SET created_at = $2 WHERE payment_id = $1",
            paid.id,
            now() - timedelta(days=age),
        )
        async with shop.transaction() as session:
            await reconcile.sweep(session)
        assert (await shop.sql(query, paid.id))[0][0] == left

"""A business enters its own keys."""

from __future__ import annotations

import asyncio
import secrets

import httpx
import pytest

from core.errors import Invalid
from core.payments.provider import AccountInfo, OutcomeUnknown, ProviderUnavailable
from core.payments.services import NotAcceptingCards, accounts
from core.payments.stripe_provider import StripeProvider
from tests.core.payments.conftest import Shop
from tests.core.payments.site import Site, owner


def client(site: Site) -> httpx.AsyncClient:
    """A browser of somebody who may change settings."""
    site.identity = owner()
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(site),  # type: ignore[arg-type]  # the same protocol
        base_url="http://acme.localhost:8000",
        headers={"accept": "text/html", "origin": "http://acme.localhost:8000"},
    )


async def test_keys_are_checked_kept_sealed_and_never_shown(shop: Shop) -> None:
    """Keys that Stripe accepts are saved encrypted, and the page shows their ends alone."""
    key = f"sk_test_{secrets.token_hex(12)}"
    async with client(Site(shop, 8000)) as browser:
        form = {"publishable_key": key.replace("sk_", "pk_"), "secret_key": key}
        saved = await browser.post("/settings/payments", data=form)
        assert saved.status_code == 303
        page = (await browser.get("/settings/payments")).text
    assert key not in page
    assert f"{shop.tenant.id.hex}." in page
    rows = await shop.sql("SELECT * FROM payment_accounts WHERE active")
    assert len(rows) == 1
    assert key.encode() not in rows[0]["secret_key"]
    hooks = await shop.standin.client(key).v1.webhook_endpoints.list_async()
    assert [hook.url.rpartition(".")[2] for hook in hooks.data] == [rows[0]["hook_token"]]


@pytest.mark.parametrize(
    ("publishable", "secret", "field"),
    [
        ("pk_test_a", "sk_test_invalid", "secret_key"),
        ("pk_live_a", "sk_test_a", "publishable_key"),
        ("sk_test_a", "sk_test_a", "publishable_key"),
        ("pk_test_a", "pk_test_a", "secret_key"),
    ],
)
async def test_keys_that_do_not_work_change_nothing(
    shop: Shop, publishable: str, secret: str, field: str
) -> None:
    """Wrong keys are refused beside their field, and the old account stays."""
    async with shop.transaction() as session:
        with pytest.raises(Invalid) as refused:
            await accounts.connect(session, publishable_key=publishable, secret_key=secret)
    assert refused.value.errors[0].field == field
    async with shop.transaction() as session:
        assert (await accounts.active(session)).secret_key == shop.key


async def test_a_refused_form_keeps_what_was_typed_but_the_secret(shop: Shop) -> None:
    """The publishable key stays in its field; the secret one is never sent back."""
    async with client(Site(shop, 8000)) as browser:
        form = {"publishable_key": "pk_test_typed", "secret_key": "sk_test_invalidsecret"}
        page = await browser.post("/settings/payments", data=form)
    assert page.status_code == 422
    assert "pk_test_typed" in page.text
    assert "sk_test_invalidsecret" not in page.text
    assert "Stripe does not accept this key." in page.text


async def test_keys_cannot_be_checked_while_stripe_is_away(shop: Shop) -> None:
    """Nothing is saved unchecked."""
    shop.standin.fault("error", "/v1/account", status=500, times=10)
    async with shop.transaction() as session:
        with pytest.raises(ProviderUnavailable):
            await accounts.connect(session, publishable_key="pk_test_new", secret_key="sk_test_new")
    async with shop.transaction() as session:
        assert (await accounts.active(session)).secret_key == shop.key


async def test_the_old_keys_stay_until_webhooks_are_registered_for_the_new(shop: Shop) -> None:
    """Stripe failing midway leaves the account as it was, and the same form works afterwards."""
    await shop.sql(
        "UPDATE payment_accounts SET hook_ref = NULL, hook_token = gen_random_uuid() WHERE active"
    )
    renewed = shop.key.replace("sk_", "rk_")
    publishable = shop.key.replace("sk_", "pk_")
    shop.standin.fault("error", "/v1/webhook_endpoints", method="POST", status=500, times=10)
    async with shop.transaction() as session:
        with pytest.raises((ProviderUnavailable, OutcomeUnknown)):
            await accounts.connect(session, publishable_key=publishable, secret_key=renewed)
    async with shop.transaction() as session:
        assert (await accounts.active(session)).secret_key == shop.key
    shop.standin.good_weather()
    async with shop.transaction() as session:
        await accounts.connect(session, publishable_key=publishable, secret_key=renewed)
    async with shop.transaction() as session:
        account = await accounts.active(session)
        assert (account.secret_key, bool(account.hook_ref)) == (renewed, True)


async def test_keys_for_tests_do_not_replace_those_for_real_payments(shop: Shop) -> None:
    """Stripe gives both modes one account id, but neither sees the other's payments or webhooks."""
    await shop.sql("UPDATE payment_accounts SET live = true WHERE active")
    async with shop.transaction() as session:
        await accounts.connect(
            session, publishable_key=shop.key.replace("sk_", "pk_"), secret_key=shop.key
        )
    rows = await shop.sql(
        "SELECT live, active, hook_ref FROM payment_accounts WHERE account_ref = $1 ORDER BY live",
        shop.account_ref,
    )
    assert [(row["live"], row["active"]) for row in rows] == [(False, True), (True, False)]
    assert all(row["hook_ref"] for row in rows)


async def test_a_form_sent_twice_connects_one_account(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both clicks find the same row, though Stripe answers them at the same moment."""
    await shop.sql("UPDATE payment_accounts SET live = true WHERE active")
    both, asked = asyncio.Barrier(2), StripeProvider.account

    async def account(provider: StripeProvider) -> AccountInfo:
        found = await asked(provider)
        await both.wait()
        return found

    async def send() -> None:
        async with shop.transaction() as session:
            await accounts.accepts_cards(session)  # each takes a connection of its own
            await accounts.connect(
                session, publishable_key=shop.key.replace("sk_", "pk_"), secret_key=shop.key
            )

    monkeypatch.setattr(StripeProvider, "account", account)
    await asyncio.gather(send(), send())
    rows = await shop.sql(
        "SELECT active FROM payment_accounts WHERE account_ref = $1 AND NOT live", shop.account_ref
    )
    assert [row["active"] for row in rows] == [True]


async def test_a_disconnected_business_still_serves_old_payments(shop: Shop) -> None:
    """No new payments; what was reserved can be collected."""
    paid = await shop.pay()
    async with shop.transaction() as session:
        await accounts.disconnect(session)
    with pytest.raises(NotAcceptingCards):
        await shop.pay()
    assert (await shop.do(lambda payments: payments.capture(paid.id))).state == "captured"

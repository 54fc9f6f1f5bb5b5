"""A card that is kept with one payment, and used again without its holder."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from core.money import Money
from core.payments.models import Payment
from core.payments.provider import Declined
from core.payments.services import NoSavedCard, Payments
from tests.core.payments.conftest import PRICE, Shop

AGAIN = Money.of("60.00", "EUR")


async def kept(shop: Shop, method: str = "pm_card_visa") -> Payment:
    return await shop.do(
        lambda payments: payments.authorise(
            subject_type="test.order",
            subject_id=shop.subject,
            amount=PRICE,
            method=method,
            description="first",
            save=True,
        )
    )


async def again(shop: Shop, first: UUID, purpose: str = "charge.2") -> Payment:
    async def ask(payments: Payments) -> Payment:
        return await payments.authorise_again(
            await payments.get(first),
            subject_type="test.order",
            subject_id=shop.subject,
            amount=AGAIN,
            description="second",
            purpose=purpose,
        )

    return await shop.do(ask)


async def test_a_kept_card_pays_again_once_however_often_it_is_asked(shop: Shop) -> None:
    """Five at once and an answer lost on the way: one more intent on the same card."""
    first = await kept(shop)
    assert first.has_saved_card
    assert first.card == "visa 4242"
    assert timedelta(days=6) < first.reserved_until - first.created_at < timedelta(days=8)
    shop.standin.fault("drop_after", "/v1/payment_intents$")
    made = await asyncio.gather(*(again(shop, first.id) for _ in range(5)))
    assert len({each.id for each in made}) == 1
    async with shop.transaction() as session:
        second = await Payments(session).get(made[0].id)
    assert (second.state, second.authorised_amount) == ("authorised", AGAIN)
    assert second.reserved_until < first.reserved_until
    assert second.has_saved_card
    assert sorted(each["amount"] for each in await shop.at_stripe()) == [6_000, 10_000]


async def test_a_card_that_was_not_to_be_kept_is_not_used_again(shop: Shop) -> None:
    paid = await shop.pay()
    with pytest.raises(NoSavedCard):
        await again(shop, paid.id)


async def test_a_bank_that_wants_to_ask_or_has_no_money_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refusal with its reason; a refused attempt leaves room for another."""
    first = await kept(shop)
    path = f"/cards/{first.method_ref}/refusal"
    for code in ("insufficient_funds", "authentication_required"):
        shop.standin.control("POST", path, {"code": code})
        with pytest.raises(Declined) as refused:
            await again(shop, first.id)
        assert refused.value.reason == code
    shop.standin.control("POST", path, {})
    assert (await again(shop, first.id)).state == "authorised"

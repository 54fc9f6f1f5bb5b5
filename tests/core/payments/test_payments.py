"""Payments in good weather and bad, against the Stripe stand-in over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Invalid
from core.money import Money
from core.payments import gateway
from core.payments.provider import Declined, ProviderUnavailable
from core.payments.services import AlreadyPaying
from core.payments.services.reconcile import StillUnknown
from core.payments.states import NotInState
from core.payments.stripe_gateway import StripeGateway
from tests.core.payments.conftest import PRICE, Shop
from tests.standin.conftest import free_port

INTENTS = "/v1/payment_intents$"


def euros(amount: str) -> Money:
    return Money.of(amount, "EUR")


async def test_a_card_is_authorised_and_captured_in_part(shop: Shop) -> None:
    """An authorised payment is captured for less; the rest is released; listeners are told."""
    paid = await shop.pay()
    assert (paid.state, paid.authorised_amount) == ("authorised", PRICE)
    taken = await shop.do(lambda payments: payments.capture(paid.id, euros("70.00")))
    assert (taken.state, taken.captured_amount) == ("captured", euros("70"))
    assert await shop.told() == [("payments.authorised", "100.00"), ("payments.captured", "70.00")]
    [intent] = await shop.at_stripe()
    assert (intent["amount_received"], intent["amount_capturable"]) == (7000, 0)


async def test_never_more_is_captured_than_was_authorised(shop: Shop) -> None:
    """A larger capture is refused by us, before the provider is asked."""
    paid = await shop.pay()
    with pytest.raises(Invalid):
        await shop.do(lambda payments: payments.capture(paid.id, euros("100.01")))
    assert await shop.state(paid.id) == "authorised"


async def test_refunds_stop_at_what_was_captured(shop: Shop) -> None:
    """Partial refunds add up to what was captured and no further; one key is one refund."""
    paid = await shop.pay()
    await shop.do(lambda payments: payments.capture(paid.id, euros("70")))
    for _ in range(2):
        part = await shop.do(lambda payments: payments.refund(paid.id, euros("30"), key="one"))
        assert (part.state, part.refunded_amount) == ("partially_refunded", euros("30"))
    with pytest.raises(Invalid):
        await shop.do(lambda payments: payments.refund(paid.id, euros("40.01"), key="two"))
    whole = await shop.do(lambda payments: payments.refund(paid.id, key="three"))
    assert (whole.state, whole.refunded_amount) == ("refunded", euros("70"))
    assert (await shop.told())[2:] == [
        ("payments.refunded", "30.00"),
        ("payments.refunded", "70.00"),
    ]


async def test_two_refunds_at_once_do_not_exceed_what_is_left(shop: Shop) -> None:
    """While one refund is being asked for, its amount is not there for another."""
    paid = await shop.pay()
    await shop.do(lambda payments: payments.capture(paid.id))
    shop.standin.fault("delay", "/v1/refunds$", seconds=0.5)
    results = await asyncio.gather(
        *(
            shop.do(lambda payments, key=key: payments.refund(paid.id, euros("60"), key=key))  # type: ignore[misc]  # a default binds the loop's value
            for key in "ab"
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in results) == ["Invalid", "Payment"]


async def test_a_refund_that_came_through_at_last_is_not_made_again(shop: Shop) -> None:
    """Refused at first, made at the second attempt: the third of that key finds it made."""
    paid = await shop.pay()
    await shop.do(lambda payments: payments.capture(paid.id))
    here = gateway.installed()
    away = StripeGateway(api_base=f"http://localhost:{free_port()}", script_url="", public_url="")
    gateway.install(away)
    with pytest.raises(ProviderUnavailable):
        await shop.do(lambda payments: payments.refund(paid.id, euros("30"), key="late"))
    await away.close()
    gateway.install(here)
    for _ in range(2):
        found = await shop.do(lambda payments: payments.refund(paid.id, euros("30"), key="late"))
        assert found.refunded == 30


async def test_what_is_released_is_neither_captured_nor_released_again(shop: Shop) -> None:
    """A voided payment takes no money, and voiding it twice is as good as once."""
    paid = await shop.pay()
    for _ in range(2):
        assert (await shop.do(lambda payments: payments.void(paid.id))).state == "voided"
    with pytest.raises(NotInState):
        await shop.do(lambda payments: payments.capture(paid.id))
    assert [event for event, _ in await shop.told()] == ["payments.authorised", "payments.failed"]


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("pm_card_chargeDeclined", "declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired"),
    ],
)
async def test_a_decline_is_told_recorded_and_may_be_tried_again(
    shop: Shop, method: str, words: str
) -> None:
    """A declined card says why beside the field; another card then pays for the same thing."""
    with pytest.raises(Declined) as refused:
        await shop.pay(method)
    assert words in str(refused.value)
    assert refused.value.errors[0].field == "payment_method"
    assert (await shop.pay()).state == "authorised"
    assert [each.state for each in await shop.all()] == ["declined", "authorised"]


@pytest.mark.parametrize("success", [True, False])
async def test_three_d_secure_on_the_page(shop: Shop, success: bool) -> None:
    """The bank's question leads to `requires_action`, and its answer to the end."""
    asked = await shop.pay("pm_card_authenticationRequired")
    assert asked.state == "requires_action"
    assert asked.client_secret
    await shop.authenticate(asked, success=success)
    if success:
        assert (await shop.do(lambda payments: payments.resume(asked.id))).state == "authorised"
    else:
        with pytest.raises(Declined, match="could not confirm"):
            await shop.do(lambda payments: payments.resume(asked.id))


async def test_a_card_that_the_bank_refused_leaves_room_for_another(shop: Shop) -> None:
    """The bank's no is kept although the request that learns of it is undone."""
    asked = await shop.pay("pm_card_authenticationRequired")
    await shop.authenticate(asked, success=False)
    with pytest.raises(Declined):
        await shop.do(lambda payments: payments.resume(asked.id))
    assert await shop.state(asked.id) == "declined"
    assert (await shop.pay()).state == "authorised"


async def test_three_d_secure_by_redirect(shop: Shop) -> None:
    """With a return address there is a page of the bank's to send the customer to."""
    asked = await shop.pay(
        "pm_card_authenticationRequired", return_url="http://acme.localhost:8000/paid"
    )
    assert asked.redirect_url
    assert asked.redirect_url.startswith(f"{shop.standin.base}/3ds/")


async def test_a_lost_request_is_sent_again(shop: Shop) -> None:
    """A request that never arrived is repeated within the call, and the customer sees nothing."""
    shop.standin.fault("drop_before", INTENTS)
    assert (await shop.pay()).state == "authorised"
    assert len(await shop.at_stripe()) == 1


async def test_a_lost_reply_is_asked_for_again_with_the_same_key(shop: Shop) -> None:
    """What was done but not heard is done once: the repeat gets the first one's answer."""
    shop.standin.fault("drop_after", INTENTS)
    assert (await shop.pay()).state == "authorised"
    assert len(await shop.at_stripe()) == 1


async def test_a_reply_that_stays_lost_is_unknown_and_found_out(shop: Shop) -> None:
    """After the retry budget the payment is unknown; the job finds the one that was made."""
    shop.standin.fault("drop_after", INTENTS, method="POST", times=20)
    paid = await shop.pay()
    assert paid.state == "unknown"
    assert (await shop.pay()).id == paid.id
    shop.standin.control("DELETE", "/faults")
    await shop.run_jobs()
    assert await shop.state(paid.id) == "authorised"
    assert len(await shop.at_stripe()) == 1
    assert await shop.told() == [("payments.authorised", "100.00")]


async def test_an_unknown_payment_stays_so_while_nobody_can_say(shop: Shop) -> None:
    """The job fails, to be tried again, rather than guess."""
    shop.standin.fault("drop_before", "/v1/payment_intents", times=40)
    paid = await shop.pay()
    with pytest.raises(StillUnknown):
        await shop.run_jobs()
    assert await shop.state(paid.id) == "unknown"


async def test_a_payment_no_longer_wanted_is_released_when_it_is_found(shop: Shop) -> None:
    """Voiding what is in doubt takes effect as soon as the doubt ends."""
    shop.standin.fault("drop_after", INTENTS, method="POST", times=20)
    paid = await shop.pay()
    shop.standin.control("DELETE", "/faults")
    assert (await shop.do(lambda payments: payments.void(paid.id))).state == "unknown"
    await shop.run_jobs()
    await shop.run_jobs()
    assert await shop.state(paid.id) == "voided"
    assert [intent["status"] for intent in await shop.at_stripe()] == ["canceled"]


async def test_a_lost_capture_is_found_out(shop: Shop) -> None:
    """A capture whose answer stays lost is `capturing` until the job learns that it was done."""
    paid = await shop.pay()
    shop.standin.fault("drop_after", "/capture$", times=20)
    assert (await shop.do(lambda payments: payments.capture(paid.id))).state == "capturing"
    shop.standin.control("DELETE", "/faults")
    await shop.run_jobs()
    assert await shop.state(paid.id) == "captured"


async def test_a_process_that_dies_in_the_call_leaves_a_trace_that_is_followed(
    shop: Shop,
) -> None:
    """The intent is in the database before the call: whoever dies in it is found out after."""
    shop.standin.fault("delay", INTENTS, method="POST", seconds=0.6)
    dying = asyncio.create_task(shop.pay())
    await asyncio.sleep(0.3)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    [paid] = await shop.all()
    assert paid.state == "authorising"
    await asyncio.sleep(0.6)
    await shop.run_jobs()
    assert await shop.state(paid.id) == "authorised"
    assert len(await shop.at_stripe()) == 1


async def test_an_error_of_the_providers_is_retried(shop: Shop) -> None:
    """A 503 is answered with another attempt."""
    shop.standin.fault("error", INTENTS, method="POST", status=503)
    assert (await shop.pay()).state == "authorised"


async def test_a_slow_answer_is_waited_for_once(shop: Shop) -> None:
    """An answer slower than our patience is asked for again, not charged again."""
    shop.standin.fault("delay", INTENTS, method="POST", seconds=2.5)
    assert (await shop.pay()).state == "authorised"
    assert len(await shop.at_stripe()) == 1


async def test_a_provider_that_is_away_took_nothing(shop: Shop) -> None:
    """Nobody listens: certainly nothing was charged, and the customer may try again."""
    here = gateway.installed()
    away = StripeGateway(api_base=f"http://localhost:{free_port()}", script_url="", public_url="")
    gateway.install(away)
    with pytest.raises(ProviderUnavailable):
        await shop.pay()
    await away.close()
    gateway.install(here)
    assert (await shop.pay()).state == "authorised"
    assert [each.failure_code for each in await shop.all()] == ["not_reached", None]


async def test_ten_clicks_make_one_payment(shop: Shop) -> None:
    """Ten requests at once get the same payment, and the card is charged once."""
    paid = await asyncio.gather(*(shop.pay() for _ in range(10)))
    assert {each.id for each in paid} == {paid[0].id}
    assert {each.state for each in paid} == {"authorised"}
    assert len(await shop.at_stripe()) == 1
    taken = await asyncio.gather(
        *(shop.do(lambda payments: payments.capture(paid[0].id)) for _ in range(10))
    )
    assert {each.state for each in taken} == {"captured"}
    assert [event for event, _ in await shop.told()] == ["payments.authorised", "payments.captured"]


async def test_another_amount_for_the_same_is_refused(shop: Shop) -> None:
    """While a payment lives, one of another amount for the same thing cannot begin."""
    await shop.pay()
    with pytest.raises(AlreadyPaying):
        await shop.pay(amount=euros("99"))


@pytest.mark.parametrize("amount", ["0", "-5", "0.001"])
async def test_nothing_is_not_paid(shop: Shop, amount: str) -> None:
    """An amount that rounds to nothing or less is refused."""
    with pytest.raises(Invalid):
        await shop.pay(amount=euros(amount))


async def test_a_release_that_failed_is_made_by_a_job(shop: Shop) -> None:
    """Nobody listens: the reservation stands, nobody pays with it, and it goes once they do."""
    paid = await shop.pay()
    here = gateway.installed()
    away = StripeGateway(api_base=f"http://localhost:{free_port()}", script_url="", public_url="")
    gateway.install(away)
    with pytest.raises(ProviderUnavailable):
        await shop.do(lambda payments: payments.void(paid.id))
    await away.close()
    gateway.install(here)
    assert await shop.state(paid.id) == "authorised"
    with pytest.raises(AlreadyPaying):
        await shop.pay()
    await shop.run_jobs()
    assert await shop.state(paid.id) == "voided"
    assert (await shop.pay()).id != paid.id

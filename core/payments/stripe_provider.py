"""The port's implementation on Stripe's official SDK: PaymentIntents, captured by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import msgspec
import stamina
import stripe
import structlog

from core.breaker import Breaker, CircuitOpen
from core.money import Money
from core.payments.provider import (
    AccountInfo,
    BadSignature,
    Declined,
    Hook,
    KeysRefused,
    NextAction,
    Notice,
    Order,
    OutcomeUnknown,
    ProviderUnavailable,
    Refunded,
    Refused,
    Snapshot,
)
from core.payments.states import State

T = TypeVar("T")
log = structlog.get_logger(__name__)

ATTEMPTS: Final = 4
SIGNATURE_AGE: Final = 300
"""Seconds within which a webhook's signature is fresh, as Stripe advises."""
HOOK_EVENTS: Final = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
_STATES: Final = {
    # Ours are confirmed as they are made, so a method is wanted again only after a refusal.
    "requires_payment_method": State.DECLINED,
    "requires_action": State.REQUIRES_ACTION,
    "requires_capture": State.AUTHORISED,
    "succeeded": State.CAPTURED,
    "canceled": State.VOIDED,
}
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OURS: Final = "atrium_payment"
_KEPT: Final = {"setup_future_usage": "off_session"}


class _Again(Exception):
    """Worth another attempt; ``maybe_done`` when the request may have reached Stripe."""

    def __init__(self, *, maybe_done: bool) -> None:
        super().__init__()
        self.maybe_done = maybe_done


class StripeProvider:
    """Stripe with one account's keys. ``retry_for`` seconds bound all attempts of a call."""

    def __init__(self, client: stripe.StripeClient, breaker: Breaker, *, retry_for: float) -> None:
        self._v1 = client.v1
        self._breaker = breaker
        self._retry_for = retry_for

    async def authorise(self, order: Order, key: str) -> Snapshot:
        """Make and confirm a PaymentIntent with manual capture; a card to be kept needs a customer
        to keep it under, made under a key of its own."""
        params = _order_params(order)
        if order.save:
            params |= {"customer": await self._customer(order, key), **_KEPT}
        intent = await self._change(
            lambda: self._v1.payment_intents.create_async(params, {"idempotency_key": key})
        )
        return _snapshot(intent)

    async def _customer(self, order: Order, key: str) -> str:
        said: Any = {"metadata": {_OURS: str(order.payment_id)}}
        made = await self._change(
            lambda: self._v1.customers.create_async(said, {"idempotency_key": f"{key}:customer"})
        )
        return made.id

    async def capture(self, ref: str, amount: Money, key: str) -> Snapshot:
        """Capture up to the authorised amount; Stripe releases the rest."""
        intent = await self._change(
            lambda: self._v1.payment_intents.capture_async(
                ref, {"amount_to_capture": amount.minor}, {"idempotency_key": key}
            )
        )
        return _snapshot(intent)

    async def void(self, ref: str, key: str) -> Snapshot:
        """Cancel the PaymentIntent."""
        intent = await self._change(
            lambda: self._v1.payment_intents.cancel_async(ref, {}, {"idempotency_key": key})
        )
        return _snapshot(intent)

    async def refund(self, ref: str, amount: Money, key: str) -> Refunded:
        """Refund part or all of what was captured."""
        refund = await self._change(
            lambda: self._v1.refunds.create_async(
                {"payment_intent": ref, "amount": amount.minor}, {"idempotency_key": key}
            )
        )
        return _refunded(refund)

    async def retrieve(self, ref: str) -> Snapshot:
        """The PaymentIntent, and its refunds where money was taken."""
        intent = await self._look(
            lambda: self._v1.payment_intents.retrieve_async(ref, {"expand": ["latest_charge"]})
        )
        if intent.status != "succeeded":
            return _snapshot(intent)
        refunds = await self._look(
            lambda: self._v1.refunds.list_async({"payment_intent": ref, "limit": 100})
        )
        counted = [each for each in refunds.data if each.status not in ("failed", "canceled")]
        return _snapshot(intent, tuple(_refunded(each) for each in counted))

    async def find(self, payment_id: UUID, since: datetime) -> Snapshot | None:
        """By our id in the metadata of what was made around that time.

        A list shows at once what was made; Stripe's search may lag by a minute and more.
        """
        window: Any = {
            "gte": int((since - timedelta(minutes=5)).timestamp()),
            "lte": int((since + timedelta(hours=25)).timestamp()),
        }

        async def look() -> stripe.PaymentIntent | None:
            first = await self._v1.payment_intents.list_async({"created": window, "limit": 100})
            async for intent in first.auto_paging_iter():
                if _our_id(intent.to_dict().get("metadata")) == payment_id:
                    return intent
            return None

        found = await self._look(look)
        return await self.retrieve(found.id) if found else None

    async def account(self) -> AccountInfo:
        """The account that the secret key belongs to."""
        account: Any = await self._look(lambda: self._v1.accounts.retrieve_current_async())
        said = account.to_dict()
        shown = (said.get("settings") or {}).get("dashboard") or {}
        profile = said.get("business_profile") or {}
        name = shown.get("display_name") or profile.get("name") or said["id"]
        return AccountInfo(ref=said["id"], name=name, live=bool(said.get("charges_enabled")))

    async def register_hook(self, url: str, key: str) -> Hook:
        """A webhook endpoint for the events we act on."""
        events: Any = list(HOOK_EVENTS)
        made = await self._change(
            lambda: self._v1.webhook_endpoints.create_async(
                {"url": url, "enabled_events": events}, {"idempotency_key": key}
            )
        )
        return Hook(ref=made.id, secret=made.secret or "")

    async def remove_hook(self, ref: str) -> None:
        """Delete the webhook endpoint; one that is gone already is as good."""
        try:
            await self._change(lambda: self._v1.webhook_endpoints.delete_async(ref))
        except Refused as refused:
            if refused.reason != "resource_missing":
                raise

    def read_notice(self, body: bytes, signature: str, secret: str) -> Notice:
        """Verify and read a webhook."""
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_AGE)
            event = msgspec.json.decode(body, type=_StripeEvent)
        except (stripe.SignatureVerificationError, msgspec.DecodeError, UnicodeDecodeError):
            raise BadSignature from None
        subject = event.data.object
        ref = subject.id if subject.object == "payment_intent" else subject.payment_intent
        return Notice(
            event_id=event.id, kind=event.type, ref=ref, payment_id=_our_id(subject.metadata)
        )

    async def _change(self, send: Callable[[], Awaitable[T]]) -> T:
        """Ask for something to be done, again while it is worth it, under the same key."""
        maybe_done = False
        try:
            async for attempt in stamina.retry_context(
                on=_Again,
                attempts=ATTEMPTS,
                timeout=self._retry_for,
                wait_initial=0.2,
                wait_max=3.0,
                wait_jitter=0.3,
            ):
                with attempt:
                    try:
                        return await self._once(send)
                    except _Again as again:
                        maybe_done = maybe_done or again.maybe_done
                        raise
        except (_Again, CircuitOpen) as failure:
            if maybe_done:
                raise OutcomeUnknown from failure
            raise ProviderUnavailable from failure
        raise AssertionError("stamina ends by a result or an exception")

    async def _look(self, send: Callable[[], Awaitable[T]]) -> T:
        """Read something: whatever went wrong, nothing was done."""
        try:
            return await self._change(send)
        except OutcomeUnknown as lost:
            raise ProviderUnavailable from lost

    async def _once(self, send: Callable[[], Awaitable[T]]) -> T:
        self._breaker.enter()
        try:
            result = await send()
        except stripe.StripeError as error:
            translated = _translate(error)
            if isinstance(translated, _Again) and not isinstance(error, stripe.RateLimitError):
                self._breaker.failed()
            else:
                self._breaker.succeeded()
            log.info(
                "stripe.refused",
                status=error.http_status,
                error=_code(error),
                request=error.request_id,
            )
            raise translated from error
        self._breaker.succeeded()
        return result


def _translate(error: stripe.StripeError) -> Exception:
    """What an error of the SDK means to us."""
    match error:
        case stripe.APIConnectionError():
            return _Again(maybe_done=not isinstance(error.__cause__, _NOT_SENT))
        case stripe.RateLimitError():
            return _Again(maybe_done=False)
        case stripe.CardError():
            return Declined(_decline_reason(error), ref=_intent_ref(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return KeysRefused(reason=_code(error))
        case stripe.InvalidRequestError() | stripe.IdempotencyError():
            if _code(error) in ("token_already_used", "token_in_use"):
                return Declined("method_used")
            return Refused(reason=_code(error))
    # 409 while the same key is being worked on, and every 5xx: it may have been done.
    return _Again(maybe_done=True)


def _code(error: stripe.StripeError) -> str:
    return str(error.code or (error.error.code if error.error else None) or "refused")


def _decline_reason(error: stripe.CardError) -> str:
    said = error.error
    reason = (said.decline_code if said else None) or error.code or "card_declined"
    return _authentication(str(reason))


def _authentication(reason: str) -> str:
    """The bank wants to ask a holder who is not there; or it asked, and they did not answer."""
    if reason == "authentication_required" or "authentication" not in reason:
        return reason
    return "authentication_failed"


def _intent_ref(error: stripe.CardError) -> str | None:
    intent: Any = error.error.payment_intent if error.error else None
    return str(intent["id"]) if intent else None


def _order_params(order: Order) -> Any:
    params: dict[str, Any] = {
        "amount": order.amount.minor,
        "currency": order.amount.unit.lower(),
        "capture_method": "manual",
        "confirm": True,
        "payment_method_types": ["card"],
        "description": order.description,
        "metadata": {_OURS: str(order.payment_id)},
        "expand": ["latest_charge"],
    }
    if order.method.startswith("tok_"):
        params["payment_method_data"] = {"type": "card", "card": {"token": order.method}}
    else:
        params["payment_method"] = order.method
    if order.customer:
        params |= {"customer": order.customer, "off_session": True}
    elif order.return_url:
        params["return_url"] = order.return_url
    else:
        params["use_stripe_sdk"] = True
    return params


def _snapshot(intent: stripe.PaymentIntent, refunds: tuple[Refunded, ...] = ()) -> Snapshot:
    said: dict[str, Any] = intent.to_dict()
    error = said.get("last_payment_error") or {}
    reason = error.get("decline_code") or error.get("code")
    return Snapshot(
        ref=intent.id,
        state=_STATES.get(intent.status),
        captured=Money.from_minor(intent.amount_received or 0, intent.currency.upper()),
        refunds=refunds,
        next_action=_next_action(said),
        failure_code=_authentication(reason) if reason else None,
        card=_card(said),
        lapses_at=_lapses_at(said),
        customer=said.get("customer"),
        method=said.get("payment_method"),
    )


def _next_action(said: dict[str, Any]) -> NextAction | None:
    if said["status"] != "requires_action":
        return None
    redirect = (said.get("next_action") or {}).get("redirect_to_url") or {}
    return NextAction(client_secret=said["client_secret"], redirect_url=redirect.get("url"))


def _card(said: dict[str, Any]) -> str | None:
    card = _card_of_charge(said)
    return f"{card['brand']} {card['last4']}" if card else None


def _lapses_at(said: dict[str, Any]) -> datetime | None:
    """``capture_before``: a few days, and fewer where the holder was not there."""
    before = _card_of_charge(said).get("capture_before")
    return datetime.fromtimestamp(before, UTC) if before else None


def _card_of_charge(said: dict[str, Any]) -> dict[str, Any]:
    charge = said.get("latest_charge")
    if not isinstance(charge, dict):
        return {}
    return (charge.get("payment_method_details") or {}).get("card") or {}


def _refunded(refund: stripe.Refund) -> Refunded:
    return Refunded(ref=refund.id, amount=Money.from_minor(refund.amount, refund.currency.upper()))


class _Subject(msgspec.Struct):
    id: str
    object: str = ""
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class _Data(msgspec.Struct):
    object: _Subject


class _StripeEvent(msgspec.Struct):
    id: str
    type: str
    data: _Data


def _our_id(metadata: dict[str, str] | None) -> UUID | None:
    try:
        return UUID((metadata or {}).get(_OURS, ""))
    except ValueError:
        return None

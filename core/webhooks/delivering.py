"""One attempt: read what is to be sent, ask with no transaction open, note what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs, notifications
from core.audit.services import record
from core.db import outside
from core.i18n import _
from core.notices import Channel, Notice
from core.permissions import MANAGE_SETTINGS
from core.webhooks import endpoints, schedule, signing
from core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from core.webhooks.reaching import Outcome, installed
from core.webhooks.spreading import DELIVER

SWITCHED_OFF: Final = Notice(
    name="core.webhook_switched_off",
    title=_("Webhooks that were switched off"),
    text=_("Nothing more is sent to {host}: it has answered with nothing but errors for days."),
    audience=MANAGE_SETTINGS,
    channels=frozenset({Channel.APP, Channel.MAIL}),
    icon="webhook",
)


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    headers: dict[str, str]
    body: str
    at: datetime


async def attempt(session: AsyncSession, delivery_id: UUID) -> None:
    """Send a delivery that waits, and ask for the next attempt where this one fails.

    The attempt is counted before it is made. Whoever dies in between leaves an attempt without a
    line in the log, and the message goes out again: receivers tell by its id.
    """
    request = await _begin(session, delivery_id)
    if request is None:
        return
    outcome = await outside(
        session, lambda: installed().post(request.url, request.headers, request.body)
    )
    await _note(session, delivery_id, request.at, outcome)


async def _begin(session: AsyncSession, delivery_id: UUID) -> _Request | None:
    """What to send now, or None: it is over, or its endpoint rests."""
    found = await _locked(session, delivery_id)
    if found is None:
        return None
    delivery, endpoint = found
    moment = clock.now()
    if delivery.attempts >= delivery.most:  # the last of them never ended: its worker died
        _end(delivery, "given_up")
        await session.flush()
        return None
    resting = endpoint.resting_until is not None and endpoint.resting_until > moment
    if resting and delivery.most > 1:  # a test is what somebody sits waiting for
        assert endpoint.resting_until is not None
        await _put_off(session, delivery, endpoint.resting_until)
        return None
    if (rest := schedule.rest(endpoint.failures)) is not None:
        endpoint.resting_until = moment + rest  # this one tries; the others wait for what it meets
    delivery.attempts += 1
    delivery.next_at = None
    message = await session.get_one(WebhookMessage, delivery.message_id)
    signed_by = endpoints.secrets_of(endpoint)
    headers = signing.headers(signed_by, message_id(message.id), moment, message.body)
    await session.flush()
    return _Request(endpoint.url, headers, message.body, moment)


async def _locked(
    session: AsyncSession, delivery_id: UUID
) -> tuple[WebhookDelivery, WebhookEndpoint] | None:
    """A delivery that waits, with its endpoint, which is locked first: those who switch it off
    take them in that order."""
    seen = await session.get(WebhookDelivery, delivery_id)
    if seen is None:
        return None
    endpoint = await session.get(
        WebhookEndpoint, seen.endpoint_id, with_for_update=True, populate_existing=True
    )
    delivery = await session.get(
        WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True
    )
    if endpoint is None or delivery is None or delivery.state != "waiting":
        return None
    if not endpoint.is_heard:
        _end(delivery, "given_up")
        await session.flush()
        return None
    return delivery, endpoint


async def _put_off(session: AsyncSession, delivery: WebhookDelivery, until: datetime) -> None:
    """Wait for the endpoint to rest; that is no attempt."""
    if clock.now() - delivery.created_at > schedule.PUT_OFF_FOR:
        _end(delivery, "given_up")
    else:
        await _wait(session, delivery, until + schedule.pause(1))
    await session.flush()


async def _note(session: AsyncSession, delivery_id: UUID, at: datetime, outcome: Outcome) -> None:
    found = await _locked(session, delivery_id)
    if found is None:
        return  # removed or switched off meanwhile
    delivery, endpoint = found
    session.add(
        WebhookAttempt(
            delivery_id=delivery.id,
            number=delivery.attempts,
            at=at,
            milliseconds=outcome.milliseconds,
            status=outcome.status,
            problem=outcome.problem,
            answer=outcome.answer,
        )
    )
    if outcome.is_good:
        _end(delivery, "delivered")
        endpoint.failures, endpoint.failing_since, endpoint.resting_until = 0, None, None
    else:
        await _failed(session, delivery, endpoint, outcome)
    await session.flush()


async def _failed(
    session: AsyncSession, delivery: WebhookDelivery, endpoint: WebhookEndpoint, outcome: Outcome
) -> None:
    moment = clock.now()
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or moment
    rest = schedule.rest(endpoint.failures)
    endpoint.resting_until = moment + rest if rest is not None else None
    if delivery.attempts >= delivery.most:
        _end(delivery, "given_up")
    else:
        await _wait(session, delivery, moment + schedule.pause(delivery.attempts))
    too_long = moment - endpoint.failing_since >= schedule.OFF_AFTER
    if outcome.is_gone or (too_long and rest is not None):
        await _switch_off(session, endpoint)


async def _wait(session: AsyncSession, delivery: WebhookDelivery, until: datetime) -> None:
    delivery.next_at = until
    await jobs.put(session, DELIVER, {"delivery_id": delivery.id}, due_at=until)


async def _switch_off(session: AsyncSession, endpoint: WebhookEndpoint) -> None:
    endpoint.state = "failed"
    endpoint.version += 1
    await session.flush()
    await endpoints.give_up(session, endpoint.id)
    await record(session, "core.webhook_failed", endpoints.SUBJECT, endpoint.id)
    await notifications.notify(
        session,
        SWITCHED_OFF,
        subject=(endpoints.SUBJECT, endpoint.id),
        link=f"/settings/webhooks/{endpoint.id}",
        host=endpoints.host_of(endpoint),
    )


def _end(delivery: WebhookDelivery, state: str) -> None:
    delivery.state, delivery.next_at, delivery.ended_at = state, None, clock.now()


def message_id(message: UUID) -> str:
    """As receivers see it: the same at every attempt, at every endpoint."""
    return f"msg_{message.hex}"

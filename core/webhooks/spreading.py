"""From an event to its deliveries: one for each endpoint that asked for such events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.events import Event
from core.i18n import _
from core.ids import made_at, new_id
from core.webhooks import endpoints
from core.webhooks.declaration import Webhook
from core.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from core.webhooks.schedule import ATTEMPTS

DELIVER: Final = "core.webhooks.deliver"
"""The job that makes one attempt."""


_WORDS: Final = "This is a test: the endpoint works."


class WebhookTest(Event, frozen=True, kw_only=True):
    """Somebody pressed "send a test". It goes to that endpoint alone, and is tried once."""

    name: ClassVar[str] = "core.webhook_test"

    endpoint_id: UUID
    text: str


TEST: Final = Webhook(
    event=WebhookTest,
    title=_("Test"),
    example=WebhookTest(endpoint_id=UUID(int=0), text=_WORDS),
)


async def spread(
    session: AsyncSession, told: Webhook, body: Mapping[str, Any], message: UUID
) -> None:
    """Keep an event for whoever wants such events; ``message`` is its id in the outbox, by which
    receivers know it, and which holds when it happened.

    Called by the fan-out, so that event, message and deliveries are kept or not kept together.
    """
    wanted = select(WebhookEndpoint.id).where(
        WebhookEndpoint.state == "on",
        WebhookEndpoint.secret.is_not(None),
        WebhookEndpoint.events.contains([told.name]),
    )
    found = (await session.scalars(wanted.order_by(WebhookEndpoint.id))).all()
    if found:
        await _keep(session, told, body, message)
        await deliver(session, message, found, most=ATTEMPTS)


async def test(session: AsyncSession, endpoint_id: UUID) -> WebhookDelivery:
    """Send an endpoint a message that says nothing, once.

    Raises:
        SwitchedOff: nothing is sent to it.
    """
    await _heard(session, endpoint_id)
    event = WebhookTest(endpoint_id=endpoint_id, text=_WORDS)
    message = new_id()
    await _keep(session, TEST, msgspec.to_builtins(event), message)
    (made,) = await deliver(session, message, [endpoint_id], most=1)
    return made


async def again(session: AsyncSession, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a message to its endpoint once more, under the same id.

    Raises:
        SwitchedOff: nothing is sent to it.
    """
    await _heard(session, delivery.endpoint_id)
    (made,) = await deliver(session, delivery.message_id, [delivery.endpoint_id], most=ATTEMPTS)
    return made


async def deliver(
    session: AsyncSession, message: UUID, wanted: Iterable[UUID], *, most: int
) -> Sequence[WebhookDelivery]:
    """Have a message sent to endpoints, with at most so many attempts."""
    moment = clock.now()
    made = [
        WebhookDelivery(
            id=new_id(), message_id=message, endpoint_id=each, attempts=0, most=most,
            state="waiting", created_at=moment, next_at=moment,
        )
        for each in wanted
    ]  # fmt: skip
    session.add_all(made)
    await session.flush()
    for each in made:
        await jobs.put(session, DELIVER, {"delivery_id": each.id})
    return made


async def _heard(session: AsyncSession, endpoint_id: UUID) -> None:
    if not (await endpoints.one(session, endpoint_id)).is_heard:
        raise endpoints.SwitchedOff


async def _keep(
    session: AsyncSession, told: Webhook, body: Mapping[str, Any], message: UUID
) -> None:
    said = {
        "type": told.name,
        "version": told.version,
        "timestamp": made_at(message),
        "data": body,
    }
    row = WebhookMessage(id=message, type=told.name, body=msgspec.json.encode(said).decode())
    session.add(row)
    await session.flush()

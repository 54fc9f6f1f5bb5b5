"""What was sent to an endpoint, and how each attempt went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import NotFound
from core.i18n import _
from core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from core.webhooks.schedule import KEPT

PAGE_SIZE: Final = 30

Listed = Row[WebhookDelivery, str]
"""A delivery with the type of its message."""


async def page(
    session: AsyncSession, endpoint_id: UUID, state: str = "", before: UUID | None = None
) -> Sequence[Listed]:
    """Deliveries to an endpoint, the newest first, one more than a page."""
    query = (
        select(WebhookDelivery, WebhookMessage.type)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if state:
        query = query.where(WebhookDelivery.state == state)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    return (await session.execute(query)).all()


async def one(
    session: AsyncSession, endpoint_id: UUID, delivery_id: UUID
) -> tuple[WebhookDelivery, WebhookMessage, Sequence[WebhookAttempt]]:
    """A delivery to that endpoint, what was sent, and every attempt.

    Raises:
        NotFound: it was sent no such thing, or too long ago.
    """
    found = await session.get(WebhookDelivery, delivery_id)
    if found is None or found.endpoint_id != endpoint_id:
        raise NotFound(_("There is no such delivery"))
    message = await session.get_one(WebhookMessage, found.message_id)
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id)
    attempts = (await session.scalars(query.order_by(WebhookAttempt.number))).all()
    return found, message, attempts


async def tidy(session: AsyncSession) -> None:
    """Forget what is older than the log tells of, and secrets that sign no more."""
    moment = clock.now()
    old = delete(WebhookMessage).where(WebhookMessage.created_at < moment - KEPT)
    await session.execute(old)
    over = update(WebhookEndpoint).where(WebhookEndpoint.previous_until < moment)
    await session.execute(over.values(previous_secret=None, previous_until=None))

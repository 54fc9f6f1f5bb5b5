"""Endpoints of a business: added, changed, given other secrets, switched off and on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, quotas
from core.audit.services import record
from core.errors import Conflict, EditedMeanwhile, Invalid, NotFound
from core.i18n import _
from core.quotas import Limit
from core.webhooks.models import WebhookDelivery, WebhookEndpoint
from core.webhooks.reaching import installed
from core.webhooks.schemas import EndpointInput
from core.webhooks.signing import new_secret

SUBJECT: Final = "webhook_endpoint"
OVERLAP: Final = timedelta(hours=24)
"""For which the secret before the present one signs too."""


async def count(session: AsyncSession) -> int:
    """How many there are."""
    return await session.scalar(select(func.count()).select_from(WebhookEndpoint)) or 0


ENDPOINTS: Final = Limit(
    name="core.webhook_endpoints", title=_("Webhook endpoints"), allowed=50, count=count
)


class SwitchedOff(Conflict):
    """Nothing is sent to an endpoint that is off."""

    code = "webhook_off"
    title = _("This endpoint is switched off: switch it on first")


async def every(session: AsyncSession) -> Sequence[WebhookEndpoint]:
    """All of them, the oldest first."""
    return (await session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id))).all()


async def one(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """One of them.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(WebhookEndpoint, endpoint_id)
    if found is None:
        raise NotFound(_("There is no such endpoint"))
    return found


async def _locked(
    session: AsyncSession, endpoint_id: UUID, expected: int | None = None
) -> WebhookEndpoint:
    found = await session.get(
        WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True
    )
    if found is None:
        raise NotFound(_("There is no such endpoint"))
    if expected is not None and expected != found.version:
        raise EditedMeanwhile
    found.version += 1
    return found


async def add(
    session: AsyncSession, given: EndpointInput, known: Collection[str]
) -> WebhookEndpoint:
    """Have the events that were chosen among ``known`` sent to an address; the secret is on the
    row that this answers, and is shown to nobody afterwards.

    Raises:
        Invalid: no such address can be asked, or an event is not known.
        QuotaExceeded: there are as many endpoints as may be.
    """
    _check(given, known)
    await quotas.take(session, ENDPOINTS)
    made = WebhookEndpoint(
        url=given.url,
        description=given.description or "",
        events=sorted(set(given.events)),
        secret=new_secret(),
    )
    session.add(made)
    await session.flush()
    await record(session, "core.webhook_added", SUBJECT, made.id, {"host": host_of(made)})
    return made


async def change(
    session: AsyncSession,
    endpoint_id: UUID,
    given: EndpointInput,
    known: Collection[str],
    expected: int | None = None,
) -> WebhookEndpoint:
    """Another address, description or choice of events; what waits goes to the new address.

    Raises:
        Invalid: as ``add``; events that it had already may stay, whoever declares them.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _locked(session, endpoint_id, expected)
    _check(given, {*known, *found.events})
    found.url, found.description = given.url, given.description or ""
    found.events = sorted(set(given.events))
    await session.flush()
    await record(session, "core.webhook_changed", SUBJECT, found.id, {"host": host_of(found)})
    return found


async def rotate(
    session: AsyncSession, endpoint_id: UUID, expected: int | None = None
) -> WebhookEndpoint:
    """Give it another secret; for a day messages are signed with the one before as well."""
    found = await _locked(session, endpoint_id, expected)
    if found.secret is not None:
        found.previous_secret, found.previous_until = found.secret, clock.now() + OVERLAP
    found.secret = new_secret()
    await session.flush()
    await record(session, "core.webhook_secret_rotated", SUBJECT, found.id)
    return found


async def switch_on(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Send to it again what happens from now on."""
    found = await _locked(session, endpoint_id)
    found.state = "on"
    found.failures, found.failing_since, found.resting_until = 0, None, None
    await session.flush()
    await record(session, "core.webhook_switched_on", SUBJECT, found.id)
    return found


async def switch_off(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Send nothing to it, not even what waits."""
    found = await _locked(session, endpoint_id)
    found.state = "off"
    await give_up(session, found.id)
    await session.flush()
    await record(session, "core.webhook_switched_off", SUBJECT, found.id)
    return found


async def remove(session: AsyncSession, endpoint_id: UUID) -> None:
    """Forget it, with the log of what it was sent."""
    found = await _locked(session, endpoint_id)
    await session.delete(found)
    await quotas.give_back(session, ENDPOINTS)
    await session.flush()
    await record(session, "core.webhook_removed", SUBJECT, found.id, {"host": host_of(found)})


async def give_up(session: AsyncSession, endpoint_id: UUID) -> None:
    """End what waits for an endpoint."""
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "waiting"
    )
    await session.execute(waiting.values(state="given_up", next_at=None, ended_at=clock.now()))


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign for it now, the newest first."""
    until = endpoint.previous_until
    overlapping = until is not None and until > clock.now()
    found = [endpoint.secret, endpoint.previous_secret if overlapping else None]
    return [each for each in found if each is not None]


def host_of(endpoint: WebhookEndpoint) -> str:
    """What may be told of its address anywhere: paths of some services hold a token."""
    return httpx.URL(endpoint.url).host


def _check(given: EndpointInput, known: Collection[str]) -> None:
    installed().check(given.url)
    if not given.events:
        raise Invalid(_("Choose at least one event"), field="events")
    if unknown := sorted(set(given.events) - set(known)):
        raise Invalid(_("There is no such event"), field=f"events.{given.events.index(unknown[0])}")

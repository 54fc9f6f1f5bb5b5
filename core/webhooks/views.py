"""How pages and programs are shown endpoints, deliveries and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import msgspec

from core.i18n import LazyText, _
from core.plugin import Plugin
from core.webhooks.declaration import Webhook
from core.webhooks.delivering import message_id
from core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from core.webhooks.spreading import TEST

STATES: Final[Mapping[str, LazyText | str]] = {
    "on": _("On"),
    "off": _("Off"),
    "failed": _("Off: it kept failing"),
    "without_secret": _("Off: it needs a secret"),
}
COLORS: Final = {"on": "green", "off": "secondary", "failed": "red", "without_secret": "orange"}
ENDS: Final[Mapping[str, LazyText | str]] = {
    "waiting": _("Waiting"),
    "delivered": _("Delivered"),
    "given_up": _("Given up"),
}
END_COLORS: Final = {"waiting": "yellow", "delivered": "green", "given_up": "red"}
PROBLEMS: Final[Mapping[str, LazyText | str]] = {
    "no_address": _("The name leads to no address."),
    "not_public": _("The name leads to an address that is not public."),
    "timeout": _("No answer in time."),
    "tls": _("The certificate is not trusted, or TLS failed."),
    "connection": _("No connection, or it broke."),
}


@dataclass(frozen=True, slots=True)
class Group:
    """The events that one part declares."""

    title: LazyText | str
    events: Sequence[Webhook]


def groups(parts: Iterable[Plugin]) -> list[Group]:
    """What can be heard of these parts, the products first."""
    found = [Group(each.title, each.webhooks) for each in parts if each.webhooks]
    return sorted(found, key=lambda each: any(e.name.startswith("payments.") for e in each.events))


def known(parts: Iterable[Plugin]) -> dict[str, Webhook]:
    """The events of these parts by name."""
    return {each.name: each for part in parts for each in part.webhooks}


def titles(parts: Iterable[Plugin]) -> dict[str, LazyText | str]:
    """What events are called, the test among them."""
    return {name: each.title for name, each in (known(parts) | {TEST.name: TEST}).items()}


def state_of(endpoint: WebhookEndpoint) -> str:
    """One of ``STATES``."""
    if endpoint.state == "on" and endpoint.secret is None:
        return "without_secret"
    return endpoint.state


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; ``state`` is ``on``, ``off``, ``failed`` (switched off because it kept failing)
    or ``without_secret`` (came with an archive: give it one). ``secret`` is there in the answer
    that made it, and nowhere else."""

    id: UUID
    version: int
    url: str
    description: str
    events: list[str]
    state: str
    created_at: datetime
    failing_since: datetime | None
    previous_secret_until: datetime | None
    secret: str | None = None

    @classmethod
    def of(cls, row: WebhookEndpoint, *, secret: str | None = None) -> Self:
        """Without its secret, unless that was just made."""
        return cls(
            id=row.id,
            version=row.version,
            url=row.url,
            description=row.description,
            events=row.events,
            state=state_of(row),
            created_at=row.created_at,
            failing_since=row.failing_since,
            previous_secret_until=row.previous_until,
            secret=secret,
        )


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One request: ``status`` and the beginning of the ``answer``, or the ``problem``."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    problem: str | None
    answer: str | None

    @classmethod
    def of(cls, row: WebhookAttempt) -> Self:
        """As it was noted."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A message for an endpoint; ``message_id`` is its ``webhook-id``."""

    id: UUID
    message_id: str
    type: str
    state: str
    attempts: int
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: WebhookDelivery, type: str) -> Self:  # noqa: A002  # as the field is called
        """With the type of its message."""
        return cls(
            id=row.id,
            message_id=message_id(row.message_id),
            type=type,
            state=row.state,
            attempts=row.attempts,
            created_at=row.created_at,
            next_at=row.next_at,
            ended_at=row.ended_at,
        )


class WholeDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with the body that was sent and every attempt."""

    delivery: DeliveryView
    body: msgspec.Raw
    attempts: list[AttemptView]


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A type of event: ``schema`` is the JSON Schema of a whole message."""

    type: str
    version: int
    title: str
    description: str
    schema: dict[str, Any]
    example: dict[str, Any]

    @classmethod
    def of(cls, told: Webhook) -> Self:
        """In the language of whoever asks."""
        return cls(
            type=told.name,
            version=told.version,
            title=str(told.title),
            description=told.about,
            schema=told.schema(),
            example=msgspec.to_builtins(told.example),
        )

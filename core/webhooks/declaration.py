"""A domain event that programs of a business may hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from core.events import Event
from core.i18n import LazyText


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An event that owners may have sent to their endpoints; its fields are the payload."""

    event: type[Event]
    """Emitted by ``core.events.emit``. Its fields name things, not people: what is sent lies with
    somebody else, and outlives an erasure."""
    title: LazyText | str
    """What owners choose by, such as "Booking made"."""
    example: Event
    """One as it may come, shown to those who write the receiving program."""
    version: int = 1
    """It grows when a field goes or means something else; new fields change nothing."""

    @property
    def name(self) -> str:
        """The type that a message bears."""
        return self.event.name

    @property
    def about(self) -> str:
        """When it is sent, as the event's own class says it."""
        return " ".join((self.event.__doc__ or "").replace("``", "").split())

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a whole message of this type."""
        described, defined = self.described("#/$defs/{name}")
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **described,
            "$defs": defined,
        }

    def described(self, ref_template: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a message looks like, and the schemas that this refers to by ``ref_template``."""
        known, defined = msgspec.json.schema_components(
            [self.event, datetime], ref_template=ref_template
        )
        described = {
            "title": self.name,
            "description": self.about,
            "type": "object",
            "required": ["type", "version", "timestamp", "data"],
            "properties": {
                "type": {"const": self.name},
                "version": {"const": self.version},
                "timestamp": known[1],
                "data": known[0],
            },
        }
        return described, defined

"""Domain events: said once, in the transaction in which they became true.

An event is written to the outbox like a job. The worker that receives it writes one message
for each listener whose plugin the tenant has enabled; each of those succeeds or fails alone.
A listener is an actor whose body takes the event: ``async def bill(session, event: HireEnded)``.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import put

FAN_OUT: Final = "core.fan_out"
"""The actor that turns an event into a message for each of its listeners."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; ``name`` is ``plugin.thing_happened``. Fields must be JSON-able."""

    name: ClassVar[str]


async def emit(session: AsyncSession, event: Event) -> None:
    """Tell whoever listens, once this transaction has committed."""
    body: dict[str, Any] = msgspec.to_builtins(event)
    await put(session, FAN_OUT, {"event": event.name, "body": body})

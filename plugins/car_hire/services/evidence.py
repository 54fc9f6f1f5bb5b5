"""What shows that something is charged rightly: a letter or a photo, kept with the charge as it
was sent."""

from __future__ import annotations

from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.i18n import _
from core.storage import services as storage
from core.storage.models import StoredFile

FIELD: Final = "evidence"
"""What forms call it."""
KINDS_SENT: Final = frozenset({"application/pdf", "image/png", "image/jpeg"})


class Charged(Protocol):
    """What somebody is charged with, locked."""

    file_id: UUID | None


async def put(session: AsyncSession, charged: Charged, file: StoredFile) -> None:
    """Let ``file`` show it, in the place of what did before.

    Raises:
        Invalid: it is neither a PDF nor a picture; it is discarded.
    """
    if file.media_type not in KINDS_SENT:
        await storage.discard(session, file.id)
        raise Invalid(_("Send a PDF, or a picture as PNG or JPEG."), field=FIELD)
    before, charged.file_id = charged.file_id, file.id
    await session.flush()
    if before is not None:
        await storage.discard(session, before)

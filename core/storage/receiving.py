"""Files that people send: streamed to disk, looked at, and kept.

The route declares ``request_max_body_size=None`` and calls this, which counts what comes.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from litestar import Request
from sqlalchemy.ext.asyncio import AsyncSession

from core import compute, pictures
from core.db import outside
from core.errors import Invalid
from core.i18n import LazyText, _, fill
from core.storage import services
from core.storage.models import StoredFile
from core.storage.store import CHUNK
from core.web.forms.streamed import Streamed, pour

REFUSED: Final[dict[str, LazyText]] = {
    pictures.NO_PICTURE: _("This is no PNG, JPEG or WebP picture; send it as one of these."),
    pictures.TOO_MANY_PIXELS: _("This picture has more than 50 million pixels; make it smaller."),
    pictures.MOVES: _("This picture moves or has several pages; choose a still one."),
    pictures.DAMAGED: _("This picture is damaged or incomplete; please send it again."),
}
_TOO_LARGE: Final = _("This file is larger than {size} MB.")


async def file(
    request: Request[Any, Any, Any], session: AsyncSession, key: str, area: str, most: int
) -> StoredFile:
    """Keep the file ``key`` of a multipart request as it is, at most ``most`` bytes; what was
    recorded so far is committed.

    Raises:
        Invalid: too large, no file, an empty one, or broken off; with the field ``key``.
        StorageAway: nothing was kept.
    """
    with tempfile.TemporaryDirectory(prefix="atrium-") as folder:
        path = Path(folder) / "sent"
        came = await _poured(request, session, key, path, most)
        return await services.keep(session, area, came.name, _of(path))


async def picture(
    request: Request[Any, Any, Any], session: AsyncSession, key: str, area: str
) -> StoredFile:
    """Keep the photo ``key`` of a multipart request, drawn anew (``core.pictures.photo``); what
    was recorded so far is committed.

    Raises:
        Invalid: likewise, or it is no picture that can be read.
        StorageAway: nothing was kept.
    """
    with tempfile.TemporaryDirectory(prefix="atrium-") as folder:
        path = Path(folder) / "sent"
        came = await _poured(request, session, key, path, pictures.LARGEST_PHOTO)
        sent = await asyncio.to_thread(path.read_bytes)
    drawn = await outside(session, lambda: drawn_anew(sent, key))
    name = f"{Path(came.name).stem}.{'png' if drawn.media_type == 'image/png' else 'jpg'}"
    return await services.keep(session, area, name, drawn.body)


async def drawn_anew(sent: bytes, field: str) -> pictures.Photo:
    """The photo in the file ``sent``, computed in a process of its own.

    Raises:
        Invalid: at ``field``, with what to do about it.
    """
    try:
        return await compute.run(pictures.photo, sent)
    except compute.Refused as refused:
        raise Invalid(REFUSED[refused.reason], field=field) from None
    except compute.ComputationFailed:
        raise Invalid(REFUSED[pictures.DAMAGED], field=field) from None


async def _poured(
    request: Request[Any, Any, Any], session: AsyncSession, key: str, path: Path, most: int
) -> Streamed:
    too_large = fill(_TOO_LARGE, size=most // 1_000_000)
    return await outside(session, lambda: pour(request, key, path, most, too_large))


async def _of(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK):
            yield chunk

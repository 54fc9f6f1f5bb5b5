"""/files/…: every stored file of every product, to those whom its area lets read it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import structlog
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.auth.guard import SignInRequired
from core.errors import NotFound, Unauthenticated
from core.permissions import public
from core.plugin import Plugins
from core.scope import Tenant
from core.storage import services
from core.storage.areas import FileArea
from core.storage.models import StoredFile
from core.storage.store import Missing
from core.web.http import Session

_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
"""What a browser draws and cannot run; everything else is saved."""
_EVERYBODYS: Final = "public, max-age=3600"
_GUARDED: Final = "private, no-cache"
"""Kept by the reader alone, and asked for again each time: who may no longer read it cannot."""

log = structlog.get_logger(__name__)


# Who may read a file is said by its area; the handler insists on it before it tells anything.
@get(["/files/{file_id:uuid}", "/api/v1/files/{file_id:uuid}"], access=public,
     include_in_schema=False)  # fmt: skip
async def serve_file(
    request: Request[Any, Any, Any], session: Session, file_id: FromPath[UUID]
) -> Stream:
    """The file. To whoever may not read it, it does not exist."""
    tenant: Tenant = session.info["tenant"]
    plugins: Plugins = request.app.state["plugins"]
    file = await session.get(StoredFile, file_id)
    area = _area_of(plugins, tenant, file) if file is not None else None
    await _insist_may(session, file_id, area, is_api=request.scope["path"].startswith("/api/"))
    assert file is not None
    assert area is not None
    headers = _headers(file, area)  # before the transaction ends, and the row with it
    try:
        pieces = await services.opened(session, file)
    except Missing:
        log.exception("storage.lost", file=str(file_id), area=file.area)
        raise NotFound from None
    return Stream(pieces, media_type=file.media_type, headers=headers)


def _area_of(plugins: Plugins, tenant: Tenant, file: StoredFile) -> FileArea | None:
    """The area as its plugin declares it; None where the plugin is gone, or not enabled."""
    declared = (each for part in plugins.enabled(tenant.plugins) for each in part.areas)
    return next((each for each in declared if each.name == file.area), None)


async def _insist_may(
    session: AsyncSession, file_id: UUID, area: FileArea | None, *, is_api: bool
) -> None:
    """Raises: NotFound, SignInRequired, Unauthenticated; a stranger cannot tell which files are."""
    if area is not None and area.access == public:
        return
    identity = identities.current()
    if identity is None:
        raise Unauthenticated if is_api else SignInRequired
    if area is None:
        raise NotFound
    needs = area.access.permission
    if identity.may(needs) and not (identity.machine and needs is None):
        return
    if identity.machine or not await area.belongs(session, file_id, identity.user_id):
        raise NotFound


def _headers(file: StoredFile, area: FileArea) -> dict[str, str]:
    way = "inline" if file.media_type in _SHOWN else "attachment"
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in file.name)
    return {
        "content-length": str(file.size),
        "content-disposition": f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name)}",
        "etag": f'"{file.sha256}"',
        "cache-control": _EVERYBODYS if area.access == public else _GUARDED,
        "x-content-type-options": "nosniff",
    }

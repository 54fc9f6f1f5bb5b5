"""/brand/logo/…: the logo, at the business's own host."""

from __future__ import annotations

import re
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from core.errors import NotFound
from core.logos import services
from core.permissions import public
from core.web.http import Session
from core.web.static import FOREVER

_NAME: Final = re.compile(r"[0-9a-f]{32}(-dark|-light)?\.(png|jpg)")


@get("/brand/logo/{name:str}", access=public, include_in_schema=False)
async def serve_logo(session: Session, name: FromPath[str]) -> Response[bytes]:
    """The picture; its name changes with its content, so it may be kept for ever."""
    if not _NAME.fullmatch(name):
        raise NotFound
    logo = await services.one(session, name)
    headers = {"cache-control": FOREVER, "etag": f'"{name.partition(".")[0]}"'}
    return Response(logo.body, media_type=logo.media_type, headers=headers)

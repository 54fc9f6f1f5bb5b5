"""/dev/mail: the letters of this host's tenant, in development only."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from core.mail import services
from core.permissions import public
from core.web.http import Session
from core.web.pages import Page

# A letter brings its own style, as letters must; it may do nothing else.
_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'self'"
)


@get("/dev/mail", access=public, include_in_schema=False)
async def letters(session: Session) -> Page:
    """Every letter, newest first."""
    return Page("core/mail_list.html", {"mails": await services.latest(session)})


@get("/dev/mail/{mail_id:uuid}", access=public, include_in_schema=False)
async def letter(session: Session, mail_id: FromPath[UUID]) -> Page:
    """One letter, as it looks and as text."""
    return Page("core/mail_show.html", {"mail": await services.one(session, mail_id)})


@get("/dev/mail/{mail_id:uuid}/html", access=public, include_in_schema=False)
async def letter_html(session: Session, mail_id: FromPath[UUID]) -> Response[str]:
    """The HTML part, for a sandboxed frame."""
    mail = await services.one(session, mail_id)
    headers = {"content-security-policy": _POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(mail.html or "", media_type="text/html", headers=headers)

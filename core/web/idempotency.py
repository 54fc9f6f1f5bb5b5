"""A request that comes twice takes effect once, for handlers that declare ``idempotent=True``.

Programs send an ``Idempotency-Key``. Forms bear a key of their own, in a hidden field that
``macros/forms.html`` puts there: a second click finds the answer to the first.

``reserve`` runs after the guards, when it is known who asks; ``recorded`` sees the answer on
its way out and keeps it before the edge commits, so that effect and answer are one.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from litestar import Request, Response
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.db import commit
from core.errors import Invalid
from core.i18n import _
from core.idempotency.models import KeptAnswer
from core.idempotency.services import Reservation, keep, reserve_in_turn
from core.idempotency.services import reserve as reserve_key
from core.web.forms.bind import FORM_KEY

OPT: Final = "idempotent"
LONGEST_ANSWER: Final = 256_000
_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[!-~]{1,200}")
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_STATE: Final = "idempotency"


async def reserve(request: Request[Any, Any, Any]) -> Response[bytes] | None:
    """Litestar ``before_request`` hook: the kept answer, if this request was answered before."""
    if not request.route_handler.opt.get(OPT):
        return None
    asked = hashlib.sha256(request.scope["query_string"] + b"\0" + await request.body())
    session: AsyncSession = request.scope["state"]["session"]
    if (key := request.headers.get(_HEADER)) is not None:
        if not _KEY.fullmatch(key):
            raise Invalid(
                _("Use 1 to 200 printable ASCII characters without spaces."), field=_HEADER
            )
        wanted = _reservation(request, key, asked.digest())
        kept = await reserve_key(session, wanted)
    elif (key := await _key_of_form(request)) is not None:
        # Who goes back and sends the form with other values means something else by it.
        wanted = _reservation(request, f"{key} {asked.hexdigest()}", asked.digest())
        kept = await reserve_in_turn(session, wanted)
    else:
        return None
    if kept is not None:
        return _again(kept)
    request.scope["state"][_STATE] = wanted
    return None


def _reservation(request: Request[Any, Any, Any], key: str, asked: bytes) -> Reservation:
    who = identity.current()
    return Reservation(
        owner=str(who.user_id) if who else "anonymous",
        route=f"{request.method} {request.url.path}",
        key=key,
        request=asked,
    )


async def _key_of_form(request: Request[Any, Any, Any]) -> str | None:
    """The key in the hidden field; None where there is none that we could have made."""
    if request.content_type[0] not in _FORMS:
        return None
    key = (await request.form()).get(FORM_KEY)
    return key if isinstance(key, str) and _KEY.fullmatch(key) else None


def _again(kept: KeptAnswer) -> Response[bytes]:
    headers = {"idempotency-replayed": "true"}
    if kept.location:
        headers["location"] = kept.location
    return Response(
        (kept.body or "").encode("latin-1"),
        status_code=kept.status or 200,
        media_type=kept.media_type or "application/json",
        headers=headers,
    )


def recorded(app: ASGIApp) -> ASGIApp:
    """Litestar middleware: keeps the answer of a request that ``reserve`` let through."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(scope, send)
        await app(scope, receive, answer)

    return middleware


class _Answer:
    """Holds an answer back until it is complete, keeps it, and lets it go."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: HTTPResponseStartEvent | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        made: Reservation | None = self._scope["state"].get(_STATE)
        if made is None:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message["body"]
            if not message["more_body"]:
                await self._finish(made)

    async def _finish(self, made: Reservation) -> None:
        assert self._start is not None
        session: AsyncSession = self._scope["state"]["session"]
        status = self._start["status"]
        if status < 400:
            await self._keep(session, made)
        elif status < 500:
            # What the handler did is undone. Only if it had committed midway is there still a
            # reservation, and then its refusal (a declined card, say) is the answer for good.
            await session.rollback()
            await self._keep(session, made)
            await commit(session)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body, "more_body": False})

    async def _keep(self, session: AsyncSession, made: Reservation) -> None:
        assert self._start is not None
        headers = {name.lower(): value.decode("latin-1") for name, value in self._start["headers"]}
        if len(self._body) <= LONGEST_ANSWER:
            await keep(
                session,
                made,
                status=self._start["status"],
                media_type=headers.get(b"content-type"),
                location=headers.get(b"location"),
                body=self._body.decode("latin-1"),
            )

"""/notifications/unsubscribing: the way out of letters, without signing in."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.params import FromQuery

from core.crypto import ready
from core.notices import Notice
from core.notifications import preferences
from core.notifications.centre import centre
from core.notifications.unsubscribing import DIGEST, PATH, opened
from core.permissions import public
from core.web.http import Session
from core.web.pages import Page

_TEMPLATE = "notifications/unsubscribing.html"


class Unsubscribing(Controller):
    """People see a page with a button; mail programs post at once (RFC 8058)."""

    path = PATH
    include_in_schema = False

    @get(access=public)
    async def ask(self, session: Session, token: FromQuery[str] = "") -> Page:
        """Ask whether they mean it: programs that only look at links must change nothing."""
        await ready(session)
        notice = _notice(opened(token).kind)
        return Page(_TEMPLATE, {"notice": notice, "token": token, "done": False})

    @post(access=public, status_code=200)
    async def end(self, session: Session, token: FromQuery[str] = "") -> Page:
        """Send no more such letters. Once more does no harm."""
        await ready(session)
        bearer = opened(token)
        notice = _notice(bearer.kind)
        if bearer.kind == DIGEST:
            await preferences.no_more_digests(session, bearer.user_id)
        elif notice is not None:
            await preferences.no_more_letters(session, bearer.user_id, notice)
        return Page(_TEMPLATE, {"notice": notice, "token": token, "done": True})


def _notice(kind: str) -> Notice | None:
    """The kind in question, whoever may be told of it; none for the letter of the morning."""
    return centre().notice(kind)

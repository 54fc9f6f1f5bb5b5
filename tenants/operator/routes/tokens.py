"""Tokens of programs: made, shown once, and revoked."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from core.auth.web import refused
from core.errors import DomainError
from core.i18n import _
from core.web.forms import blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.operator import tokens
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.schemas import ACCESSES, NewToken

PATH: Final = f"{parts.HOME}/tokens"
_TEMPLATE: Final = "operator/tokens.html"
_SHOWN: Final = {"accesses": ACCESSES, "state_of": tokens.state_of, "secret": None}


class Tokens(Controller):
    """``/operator/tokens``."""

    path = PATH
    include_in_schema = False

    @get("/", access=looking)
    async def show(self, session: Session) -> Page:
        """All of them, and the form for another."""
        context = {"form": blank(NewToken), "rows": await tokens.every(session)}
        return Page(_TEMPLATE, _SHOWN | context)

    @post("/", access=acting, status_code=200)
    async def make(self, request: AnyRequest, session: Session) -> Page:
        """Make one; this answer is the only one that ever shows its secret."""
        form = await posted(request, NewToken)
        try:
            given = form.value
            _token, secret = await tokens.make(session, given.name, given.access, given.expires_at)
        except DomainError as problem:
            rows = await tokens.every(session)
            return refused(_TEMPLATE, form, problem, **_SHOWN, rows=rows)
        context = {"form": blank(NewToken), "rows": await tokens.every(session), "secret": secret}
        return Page(_TEMPLATE, _SHOWN | context)

    @post("/{token_id:uuid}/revoke", access=acting, status_code=200)
    async def revoke(self, session: Session, token_id: FromPath[UUID]) -> Response[bytes]:
        """Let it in no more."""
        await tokens.revoke(session, token_id)
        return SeeOther(PATH, flash=_("The token is revoked."))

"""What the routes of this domain share: the session cookie, and forms that refuse kindly."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from litestar.datastructures import Cookie
from litestar.di import Provide
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.authority import Authority
from core.auth.guard import safe_next
from core.auth.identity import Identity
from core.auth.services import SignedIn
from core.auth.sessions import ABSOLUTE
from core.errors import DomainError
from core.scope import Directory, Tenant
from core.web.forms import Bound, bind
from core.web.http import AnyRequest
from core.web.navigation import desk_of
from core.web.pages import Page, SeeOther

T = TypeVar("T", bound=msgspec.Struct)


SECRET_ADDRESS: Final = {"referrer-policy": "no-referrer", "cache-control": "no-store"}
"""For pages whose address holds a one-time secret: no other site and no cache may learn it."""


def _authority(request: AnyRequest) -> Authority:
    authority: Authority = request.app.state["authority"]
    return authority


dependencies = {"authority": Provide(_authority, sync_to_thread=False)}


def session_cookie(authority: Authority, token: str) -> Cookie:
    """The cookie that carries a session's secret: out of reach of scripts and of other sites."""
    return Cookie(
        key=authority.cookie_name,
        value=token,
        path="/",
        max_age=int(ABSOLUTE.total_seconds()),
        secure=authority.secure,
        httponly=True,
        samesite="lax",
    )


def spent_cookie(authority: Authority) -> Cookie:
    """Has the browser forget its session."""
    return Cookie(
        key=authority.cookie_name,
        value="",
        path="/",
        max_age=0,
        secure=authority.secure,
        httponly=True,
        samesite="lax",
    )


async def drop_previous(request: AnyRequest, session: AsyncSession, authority: Authority) -> None:
    """End the session that the browser came with: nobody signs in on top of another, and an id
    that somebody planted in the browser is worth nothing afterwards."""
    if token := request.cookies.get(authority.cookie_name):
        await authority.sessions.end_by_token(session, token)


def let_in(
    request: AnyRequest, authority: Authority, signed_in: SignedIn, target: str | None
) -> SeeOther:
    """Hand the browser its new session and go on to where the person was going."""
    home = landing(request, signed_in.identity)
    return SeeOther(safe_next(target, home), cookies=[session_cookie(authority, signed_in.token)])


def address_of(request: AnyRequest, tenant: Tenant, path: str) -> str:
    """The address of ``path`` for a letter: by the catalogue, not by what the request claims."""
    directory: Directory = request.app.state["directory"]
    return directory.url_of(tenant, path)


def landing(request: AnyRequest, identity: Identity) -> str:
    """Where a person begins: staff at the desk, customers on the site."""
    return desk_of(request.app.state["plugins"], identity) or "/"


def shell_of(identity: Identity) -> str:
    """The template that staff or customers see around a page both have."""
    return "shell/desk.html" if identity.is_staff else "shell/site.html"


def refused(template: str, form: Bound[Any], error: DomainError, /, **context: Any) -> Page:
    """The form again with what was typed and what is wrong with it."""
    form.refuse(error)
    return Page(
        template,
        {**context, "form": form},
        status=error.status,
        headers=error.headers,
    )


def searched(request: AnyRequest, struct: type[T]) -> Bound[T]:
    """A search form as the address has it; what belongs to others (page, language) is left out."""
    known = {field.encode_name for field in msgspec.structs.fields(struct)}
    return bind(struct, {k: v for k, v in request.query_params.items() if k in known})

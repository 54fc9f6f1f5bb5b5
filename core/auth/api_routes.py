"""Sessions of programs: a bearer token for an e-mail and a password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from core import clock
from core.auth import identity as identities
from core.auth import services
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.auth.sessions import ABSOLUTE
from core.auth.web import dependencies
from core.i18n import _
from core.permissions import member, public
from core.web.forms import Form, email, password
from core.web.http import Session


class Credentials(Form):
    """What proves who one is."""

    email: Annotated[str, email(_("E-mail address"))]
    password: Annotated[str, password(_("Password"), new=False)]


class Me(msgspec.Struct, frozen=True):
    """The signed-in person."""

    id: UUID
    name: str
    email: str
    role: str
    permissions: list[str]


class NewSession(msgspec.Struct, frozen=True):
    """``token`` goes into ``Authorization: Bearer …``; it is shown this once."""

    token: str
    expires_at: datetime
    person: Me


class Sessions(Controller):
    """``/api/v1/sessions``."""

    path = "/api/v1/sessions"
    tags = ("Sessions",)
    dependencies = dependencies

    @post(access=public)
    async def begin(
        self, data: JSONBody[Credentials], session: Session, authority: NamedDependency[Authority]
    ) -> NewSession:
        """Sign a program in."""
        signed_in = await services.sign_in(
            session, authority, email=data.email, password=data.password, kind="api"
        )
        return NewSession(signed_in.token, clock.now() + ABSOLUTE, _me(signed_in.identity))

    @get("/current", access=member)
    async def current(self) -> Me:
        """Who is asking."""
        return _me(identities.required())

    @delete("/current", access=member)
    async def end(self, session: Session, authority: NamedDependency[Authority]) -> None:
        """Sign out."""
        await services.sign_out(session, authority, identities.required())


def _me(identity: Identity) -> Me:
    return Me(
        id=identity.user_id,
        name=identity.name,
        email=identity.email,
        role=identity.role.value,
        permissions=sorted(identity.permissions),
    )

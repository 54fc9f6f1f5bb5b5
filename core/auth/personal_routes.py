"""What is kept of a person: for themselves as a file, and forgotten by those who manage people."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from core import personal
from core.auth import identity as identities
from core.auth import people
from core.auth.allowances import OWN_DATA
from core.auth.authority import Authority
from core.auth.people_routes import PATH as PEOPLE
from core.auth.web import dependencies
from core.i18n import _
from core.permissions import MANAGE_PEOPLE, member, permission
from core.personal import PersonalData, Rows
from core.plugin import CORE, Plugins
from core.web.http import AnyRequest, Session
from core.web.pages import SeeOther


class OwnData(Controller):
    """``/account/data``."""

    path = "/account/data"
    include_in_schema = False

    @get(access=member, allowance=OWN_DATA)
    async def download(self, request: AnyRequest, session: Session) -> Response[dict[str, Rows]]:
        """Everything that is kept of whoever asks, as a JSON file."""
        found = await personal.told(session, _kept(request), identities.required().user_id)
        headers = {
            "content-disposition": 'attachment; filename="my-data.json"',
            "cache-control": "no-store",
        }
        return Response(found, headers=headers)


class Erasures(Controller):
    """``/settings/people/ID/erasure``."""

    path = f"{PEOPLE}/{{person_id:uuid}}/erasure"
    dependencies = dependencies
    include_in_schema = False

    @post(access=permission(MANAGE_PEOPLE.name))
    async def erase(
        self,
        request: AnyRequest,
        session: Session,
        authority: NamedDependency[Authority],
        person_id: FromPath[UUID],
    ) -> SeeOther:
        """Forget a person, wherever in this business; what the law wants kept has no name then."""
        await people.disable(session, authority, identities.required(), person_id)
        await personal.forget(session, _kept(request), person_id)
        return SeeOther(PEOPLE, flash=_("What was kept of this person is erased."))


def _kept(request: AnyRequest) -> list[PersonalData]:
    """What the parts keep, core's account last: the others may need it to know whose it is."""
    plugins: Plugins = request.app.state["plugins"]
    parts = sorted(plugins, key=lambda part: (part.name == CORE, part.name))
    return [each for part in parts for each in part.personal]

"""/notifications: what people were told, live and page by page; /account/notifications: how."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.web import dependencies, searched, shell_of
from core.i18n import _, locale
from core.notices import Channel
from core.notifications import live, preferences, reading, services
from core.notifications.preferences import Wishes
from core.notifications.reading import Reader
from core.notifications.unsubscribed import Unsubscribing
from core.permissions import member
from core.plugin import NavItem
from core.scope import Tenant
from core.web.forms import Form, choice, posted, tick
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther

PATH: Final = "/notifications"
CHOICES: Final = "/account/notifications"


class Search(Form):
    """Which to show."""

    show: Annotated[Literal["unread"], choice(_("Show"), {"unread": _("Unread")})] | None = None
    kind: Annotated[str, choice(_("Kind"))] | None = None


class Choices(Form):
    """The kinds by channel, and what holds for all of them."""

    app: list[str] = msgspec.field(default_factory=list)
    mail: list[str] = msgspec.field(default_factory=list)
    digest: list[str] = msgspec.field(default_factory=list)
    quiet: Annotated[bool, tick(_("Quiet"))] = False
    daily: Annotated[bool, tick(_("A letter each morning"))] = False


class Notifications(Controller):
    """``/notifications``."""

    path = PATH
    dependencies = dependencies
    include_in_schema = False

    @get(access=member)
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        tenant: NamedDependency[Tenant],
        cursor: FromQuery[UUID | None] = None,
    ) -> Page:
        """All of them, newest first."""
        identity = identities.required()
        reader = Reader.of(tenant, identity)
        form = searched(request, Search)
        wanted = form.value if form.ok else Search()
        found, following = await reading.page(
            session, reader, unread=wanted.show == "unread", kind=wanted.kind or "", before=cursor
        )
        context = {
            "around": shell_of(identity),
            "form": form,
            "kinds": [(name, str(kind.notice.title)) for name, kind in reader.kinds.items()],
            "told": found,
            "next": following,
            "first": cursor is not None,
            "is_filtered": bool(wanted.show or wanted.kind),
        }
        return Page("notifications/page.html", context, block="results")

    @get("/panel", access=member)
    async def panel(self, session: Session, tenant: NamedDependency[Tenant]) -> Page:
        """The newest, for under the bell."""
        return await _panel(session, Reader.of(tenant, identities.required()))

    @get("/stream", access=member)
    async def stream(
        self,
        request: AnyRequest,
        tenant: NamedDependency[Tenant],
        authority: NamedDependency[Authority],
    ) -> ServerSentEvent:
        """What the bell hears, for as long as the page is open."""
        state = request.app.state
        line = live.Line(
            databases=state["databases"],
            directory=state["directory"],
            sessions=authority.sessions,
            tenant=tenant,
            token=request.cookies.get(authority.cookie_name, ""),
            language=locale(),
        )
        since = _id(request.headers.get("last-event-id"))
        user_id = identities.required().user_id
        return ServerSentEvent(live.told(line, state["ears"], user_id, since))

    @get("/{notification_id:uuid}", access=member)
    async def follow(
        self, session: Session, tenant: NamedDependency[Tenant], notification_id: FromPath[UUID]
    ) -> SeeOther:
        """Go to what it is about; it is read by that."""
        reader = Reader.of(tenant, identities.required())
        return SeeOther(await services.read(session, reader, notification_id))

    @post("/{notification_id:uuid}/reading", access=member)
    async def read(
        self, session: Session, tenant: NamedDependency[Tenant], notification_id: FromPath[UUID]
    ) -> SeeOther:
        """Mark one as read."""
        reader = Reader.of(tenant, identities.required())
        await services.read(session, reader, notification_id)
        return SeeOther(PATH)

    @post("/{notification_id:uuid}/removal", access=member)
    async def remove(
        self, session: Session, tenant: NamedDependency[Tenant], notification_id: FromPath[UUID]
    ) -> SeeOther:
        """Delete one."""
        await services.remove(session, Reader.of(tenant, identities.required()), notification_id)
        return SeeOther(PATH, flash=_("The notification was deleted."))

    @post("/reading", access=member, status_code=200)
    async def read_all(
        self, request: AnyRequest, session: Session, tenant: NamedDependency[Tenant]
    ) -> Page | SeeOther:
        """Mark all as read; under the bell, the panel is shown anew."""
        reader = Reader.of(tenant, identities.required())
        await services.read_all(session, reader)
        if request.headers.get("hx-target") == "at-bell-panel":
            return await _panel(session, reader)
        return SeeOther(PATH)

    @post("/clearing", access=member)
    async def clear(self, session: Session, tenant: NamedDependency[Tenant]) -> SeeOther:
        """Delete what was read."""
        await services.clear(session, Reader.of(tenant, identities.required()))
        return SeeOther(PATH, flash=_("What you had read was deleted."))


class NotificationChoices(Controller):
    """``/account/notifications``."""

    path = CHOICES
    include_in_schema = False

    @get(access=member)
    async def show(self, session: Session, tenant: NamedDependency[Tenant]) -> Page:
        """How one is told of what."""
        identity = identities.required()
        reader = Reader.of(tenant, identity)
        return Page(
            "notifications/choices.html",
            {
                "around": shell_of(identity),
                "kinds": _by_part(reader),
                "wishes": await preferences.wishes(session, reader),
                "channels": _CHANNELS,
            },
        )

    @post(access=member)
    async def save(
        self, request: AnyRequest, session: Session, tenant: NamedDependency[Tenant]
    ) -> SeeOther:
        """Change it."""
        given = (await posted(request, Choices)).value
        reader = Reader.of(tenant, identities.required())
        ways = {
            name: frozenset(each for each in Channel if name in getattr(given, each.value))
            for name in reader.kinds
        }
        await preferences.save(session, reader, Wishes(ways, given.quiet, given.daily))
        return SeeOther(CHOICES, flash=_("Your choices were saved."))


_CHANNELS: Final = (
    (Channel.APP, _("Here")),
    (Channel.MAIL, _("By letter, at once")),
    (Channel.DIGEST, _("In the morning's letter")),
)


async def _panel(session: AsyncSession, reader: Reader) -> Page:
    context = {"standing": await reading.standing(session, reader)}
    return Page("notifications/panel.html", context)


def _by_part(reader: Reader) -> list[dict[str, Any]]:
    """The kinds, under the part that declares them."""
    parts: dict[str, dict[str, Any]] = {}
    for kind in reader.kinds.values():
        part = parts.setdefault(kind.part, {"title": kind.part_title, "notices": []})
        part["notices"].append(kind.notice)
    return list(parts.values())


def _id(text: str | None) -> UUID | None:
    """The id that a browser says it heard last; none if it is none of ours."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


CONTROLLERS: Final[tuple[type[Controller], ...]] = (
    Notifications,
    NotificationChoices,
    Unsubscribing,
)
NAVIGATION: Final = (
    NavItem(title=_("Notifications"), path=PATH, icon="bell", area="account", order=90),
)

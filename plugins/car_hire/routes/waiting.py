"""The waiting list: joined on the site, at the desk and by programs, and looked after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.auth import identity
from core.errors import DomainError, NotFound
from core.i18n import _
from core.permissions import permission, public
from core.throttle import Allowance
from core.web.api import Listing, page_of, paged, place
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import WAIT_STATES, Customer, Wait
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, DESK, AnyRequest, versioned
from plugins.car_hire.schemas_waiting import WaitInput
from plugins.car_hire.services import customers, fleet, quotes
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.waiting import joining

SITE: Final = "/car-hire/waiting"
AT_DESK: Final = "/car-hire/desk/waiting"
ACCESS = permission(DESK)
JOINS: Final = Allowance("car_hire.waiting", 30, 60 * 60)
"""Each writes a letter to an address that anybody may type."""
COLORS: Final = {"waiting": "blue", "offered": "orange", "taken": "green"}
ASKED: Final = ("class_id", "starts_at", "ends_at", "pick_up_branch_id", "return_branch_id")
_UNSEEN: Final = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
"""The address is a secret: no other site and no search engine hears of it."""
Session = NamedDependency[AsyncSession]


class Waiting(Controller):
    """What customers see of it."""

    path = SITE
    include_in_schema = False

    @get(access=public)
    async def new(self, request: AnyRequest, session: Session) -> Page:
        """Who wants to wait, for what was searched."""
        person = identity.current()
        known = {key: value for key in ASKED if (value := request.query_params.get(key))}
        who = {"name": person.name, "email": person.email} if person else {}
        return await _form(session, "site", blank(WaitInput, known | who))

    @post(access=public, idempotent=True, allowance=JOINS)
    async def join(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """On to the list; a letter tells when a car is free."""
        form = await posted(request, WaitInput)
        try:
            _made, secret = await joining.join(session, form.value, await _own(session))
        except DomainError as error:
            return await _form(session, "site", form.refuse(error), error.status)
        return SeeOther(joining.path_of(secret), flash=_("You are on the list. We write to you"))

    @get("/{wait_link:str}", access=public)
    async def show(self, session: Session, wait_link: FromPath[str]) -> Page:
        """How it stands, and the way to the offer."""
        wait = await joining.by_link(session, wait_link)
        offered = wait.state == "offered" and (wait.offer_until or wait.starts_at) > clock.now()
        quote = await quotes.one(session, wait.quote_id) if offered and wait.quote_id else None
        context = {
            "wait": wait,
            "secret": wait_link,
            "quote": quote,
            "money": quote and quotes.money_of(quote, quote.gross),
            "vehicle_class": await fleet.vehicle_class(session, wait.class_id),
            "titles": WAIT_STATES,
            "colors": COLORS,
            "branch_names": (await network.read(session)).told,
        }
        return Page("car_hire/site/waiting.html", context, headers=_UNSEEN)

    @post("/{wait_link:str}/departure", access=public, allowance=JOINS)
    async def leave(self, session: Session, wait_link: FromPath[str]) -> SeeOther:
        """Wait no longer."""
        wait = await joining.by_link(session, wait_link)
        await joining.leave(session, wait.id)
        return SeeOther(joining.path_of(wait_link), flash=_("You wait no longer"))


class DeskWaiting(Controller):
    """What the desk sees of it."""

    path = AT_DESK
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(
        self, session: Session, status: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Page:
        """Who waits, in the order in which they are served."""
        state = status if status in WAIT_STATES else ""
        rows = await joining.page(session, state, place(cursor))
        found = paged(rows, joining.PAGE_SIZE, cursor, lambda row: row[0].id)
        shown = {
            "status": state,
            "titles": WAIT_STATES,
            "colors": COLORS,
            "branch_names": (await network.read(session)).told,
        }
        return Page("car_hire/desk/waiting.html", found | shown)

    @get("/new", access=ACCESS)
    async def new(self, request: AnyRequest, session: Session) -> Page:
        """Somebody at the counter or on the telephone wants to wait."""
        known = {key: value for key in ASKED if (value := request.query_params.get(key))}
        return await _form(session, "desk", blank(WaitInput, known))

    @post("/new", access=ACCESS, idempotent=True)
    async def join(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Put them on the list."""
        form = await posted(request, WaitInput)
        try:
            await joining.join(session, form.value)
        except DomainError as error:
            return await _form(session, "desk", form.refuse(error), error.status)
        return SeeOther(AT_DESK, flash=_("They are on the list, and have a letter that says so"))

    @post("/{wait_id:uuid}/departure", access=ACCESS)
    async def leave(self, session: Session, wait_id: FromPath[UUID]) -> SeeOther:
        """Take somebody off the list; an offer goes to the next."""
        try:
            await joining.leave(session, wait_id)
        except NotFound:
            raise
        except DomainError as error:
            return SeeOther(AT_DESK, flash=error.message, level="danger")
        return SeeOther(AT_DESK, flash=_("They wait no longer"))


class WaitView(views.RowView, frozen=True, kw_only=True):
    """Somebody who waits; ``offer_until`` is how long a car is held for them."""

    id: UUID
    version: int
    class_id: UUID
    starts_at: datetime
    ends_at: datetime
    pick_up_branch_id: UUID
    return_branch_id: UUID
    name: str
    email: str
    state: str
    offer_until: datetime | None
    created_at: datetime


class JoinedView(views.View, frozen=True, kw_only=True):
    """That somebody waits, and the page that tells how it stands."""

    state: str
    path: str

    @classmethod
    def of(cls, wait: Wait, secret: str) -> Self:
        """Of who has just joined."""
        return cls(state=wait.state, path=joining.path_of(secret))


class WaitingApi(Controller):
    """The waiting list, for programs."""

    path = f"{API}/waiting"
    tags = ("Car hire",)

    @get(access=ACCESS)
    async def listing(
        self, session: Session, status: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Listing[WaitView]:
        """Who waits or is offered a car, or is in the state asked for; the first to be served
        first."""
        state = status if status in WAIT_STATES else ""
        rows = [row[0] for row in await joining.page(session, state, place(cursor))]
        page, following = page_of(rows, joining.PAGE_SIZE, lambda row: (str(row.id),))
        return Listing([WaitView.of(each) for each in page], following)

    @post(access=public, idempotent=True, allowance=JOINS)
    async def join(self, session: Session, data: JSONBody[WaitInput]) -> JoinedView:
        """Wait for a car of a class that is taken; a letter tells when one is free."""
        return JoinedView.of(*await joining.join(session, data, await _own(session)))

    @post("/{wait_id:uuid}/departure", access=ACCESS, status_code=200)
    async def leave(self, session: Session, wait_id: FromPath[UUID]) -> Response[WaitView]:
        """Take somebody off the list; an offer goes to the next."""
        return versioned(WaitView.of(await joining.leave(session, wait_id)))


async def _own(session: AsyncSession) -> Customer | None:
    person = identity.current()
    return await customers.of_user(session, person.user_id) if person else None


async def _form(
    session: AsyncSession, area: str, form: Bound[WaitInput], status: int = 200
) -> Page:
    context: dict[str, Any] = {
        "form": form,
        "class_names": {str(each.id): each.name for each in await fleet.classes(session)},
        "branch_names": (await network.read(session)).names,
    }
    return Page(f"car_hire/{area}/wait.html", context, status=status)


CONTROLLERS = (Waiting, DeskWaiting, WaitingApi)

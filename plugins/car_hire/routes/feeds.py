"""Calendars for other programs: made at the desk, one's own on the site, read by whoever has the
address."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.errors import DomainError
from core.i18n import _
from core.mail import address_of
from core.permissions import member, permission, public
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import FEED_SHOWS, Customer
from plugins.car_hire.routes.http import DESK
from plugins.car_hire.schemas_feeds import FeedInput
from plugins.car_hire.services import customers, fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.feeds import keeping, writing

FEEDS: Final = "/car-hire/feeds"
PATH: Final = "/car-hire/desk/feeds"
OWN: Final = "/car-hire/own-calendar"
ENDING: Final = ".ics"
CALENDAR: Final = "text/calendar; charset=utf-8"
ACCESS: Final = permission(DESK)


class Feed(Controller):
    """What calendar programs ask for."""

    path = FEEDS
    include_in_schema = False

    @get("/{name:str}", access=public, media_type=CALENDAR)
    async def read(self, session: Session, name: FromPath[str]) -> Response[bytes]:
        """The calendar whose secret the address holds."""
        found = await keeping.by_secret(session, name.removesuffix(ENDING))
        body = await writing.written(session, found)
        headers = {
            "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            "cache-control": "private, no-cache",
            "content-disposition": 'inline; filename="calendar.ics"',
            "vary": "accept-language",
            "x-robots-tag": "noindex",
            "referrer-policy": "no-referrer",
        }
        return Response(body, media_type=CALENDAR, headers=headers)


class DeskFeeds(Controller):
    """The desk's calendars."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(self, session: Session) -> Page:
        """Every calendar, and a form for another."""
        return await _page(session, blank(FeedInput, {"shows": ["plate"]}))

    @post(access=ACCESS, status_code=200)
    async def add(self, request: AnyRequest, session: Session) -> Page:
        """Make one. This page alone has its address."""
        form = await posted(request, FeedInput)
        try:
            made, secret = await keeping.add(session, form.value, identity.required().name)
        except DomainError as error:
            return await _page(session, form.refuse(error), status=error.status)
        fresh = blank(FeedInput, {"shows": ["plate"]})
        return await _page(session, fresh, told=(made.title, address(secret)))

    @post("/{feed_id:uuid}/renewal", access=ACCESS, status_code=200)
    async def renew(self, session: Session, feed_id: FromPath[UUID]) -> Page:
        """Give one another address. This page alone has it."""
        found, secret = await keeping.renew(session, feed_id)
        form = blank(FeedInput, {"shows": ["plate"]})
        return await _page(session, form, told=(found.title, address(secret)))

    @post("/{feed_id:uuid}/end", access=ACCESS)
    async def end(self, session: Session, feed_id: FromPath[UUID]) -> SeeOther:
        """End one; its address leads nowhere."""
        await keeping.end(session, feed_id)
        return SeeOther(PATH, flash=_("The calendar is ended; nobody can read it any more"))


class OwnFeed(Controller):
    """A customer's own bookings in their own calendar."""

    path = OWN
    include_in_schema = False

    @get(access=member)
    async def show(self, session: Session) -> Page:
        """Whether there is one, and what it is for."""
        return await _own_page(session)

    @post(access=member, status_code=200)
    async def begin(self, session: Session) -> Page | SeeOther:
        """Make it, or give it another address. This page alone has it."""
        known = await customers.of_user(session, identity.required().user_id)
        if known is None:
            return SeeOther(OWN, flash=_("Book a car first"), level="warning")
        return await _own_page(session, address(await keeping.begin_own(session, known)))

    @post("/end", access=member)
    async def end(self, session: Session) -> SeeOther:
        """End it; its address leads nowhere."""
        known = await customers.of_user(session, identity.required().user_id)
        if known is not None:
            await keeping.end_own(session, known)
        return SeeOther(OWN, flash=_("The calendar is ended; nobody can read it any more"))


def address(secret: str) -> str:
    """Where a calendar program finds a feed."""
    return address_of(f"{FEEDS}/{secret}{ENDING}")


async def _page(
    session: AsyncSession,
    form: Bound[FeedInput],
    told: tuple[str, str] | None = None,
    status: int = 200,
) -> Page:
    feeds = await keeping.of_desk(session)
    cars = await fleet.titles(session, [each.vehicle_id for each in feeds if each.vehicle_id])
    context: dict[str, Any] = {
        "form": form,
        "feeds": feeds,
        "told": told,
        "shows": FEED_SHOWS,
        "cars": cars,
        "class_names": {str(each.id): each.name for each in await fleet.classes(session)},
        "branch_names": {str(k): name for k, name in (await network.read(session)).told.items()},
    }
    return Page("car_hire/desk/feeds.html", context, status=status)


async def _own_page(session: AsyncSession, told: str | None = None) -> Page:
    known: Customer | None = await customers.of_user(session, identity.required().user_id)
    feed = await keeping.own(session, known) if known else None
    return Page("car_hire/site/own_calendar.html", {"known": known, "feed": feed, "told": told})


CONTROLLERS = (Feed, DeskFeeds, OwnFeed)

"""The search: the site's first page, where dates, branch and class stay in the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from litestar import Controller, get
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _, fill
from core.permissions import public
from core.scope import Tenant
from core.web.formatting import wall
from core.web.forms import Bound, bind, blank
from core.web.http import Session
from core.web.listed import Listed
from core.web.pages import Page
from plugins.car_hire import policy
from plugins.car_hire.models import FUELS, GEARS, VehicleClass
from plugins.car_hire.routes.http import AnyRequest
from plugins.car_hire.schemas import SearchInput
from plugins.car_hire.services import limits, nearest, pricing, quotes
from plugins.car_hire.services.branches import network, suggesting
from plugins.car_hire.services.nearest import Near
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.quotes import Offer
from plugins.car_hire.services.storefront import showing, structured
from plugins.car_hire.services.storefront.addresses import SITE
from plugins.car_hire.services.storefront.showing import paths_of_classes, photo_of

DATES: Final = ("starts_at", "ends_at")
FIELDS: Final = SearchInput.__struct_fields__


class Times(NamedTuple):
    """From when to when."""

    starts_at: datetime
    ends_at: datetime


class Search(Controller):
    """What customers see first."""

    path = SITE
    include_in_schema = False

    @get(access=public)
    async def home(self, request: AnyRequest, session: Session) -> Page:
        """Search by dates, branch and class; below it what is free, and when what is not."""
        asked = {key: value for key in FIELDS if (value := request.query_params.get(key))}
        searched = any(key in asked for key in DATES)
        form = await begun(session, asked)
        paths = await paths_of_classes(session)
        context: dict[str, Any] = {"offers": None, "near": {}, "open": None, "prices": {}}
        if searched and form.ok:
            context |= await _results(session, form)
        if context["offers"] is None:
            context["prices"] = (await current.read(session)).shown()
        return Page(
            "car_hire/site/home.html",
            {
                "form": form,
                "paths": paths,
                "path_of": {row.id: path for path, row in paths.items()},
                "class_names": {str(each.id): each.name for each in paths.values()},
                "branch_names": (await network.read(session)).names,
                "gears": GEARS,
                "fuels": FUELS,
                "photo_of": photo_of,
                "again": lambda near, class_id: address(asked, near, class_id),
                **context,
            },
            status=422 if searched and form.errors else 200,
            listed=None if asked else await _listed(session, paths),
        )


async def begun(session: AsyncSession, asked: Mapping[str, str]) -> Bound[SearchInput]:
    """The search as it was asked for; whoever named no dates yet is proposed some."""
    if any(key in asked for key in DATES):
        return bind(SearchInput, asked)
    starts_at, ends_at = await suggesting.usual(session)
    return blank(SearchInput, {"starts_at": wall(starts_at), "ends_at": wall(ends_at), **asked})


async def _results(session: AsyncSession, form: Bound[SearchInput]) -> dict[str, Any]:
    """What is free, the class that was asked for first, and other dates of what is not."""
    wanted = form.value
    try:
        quotes.check_dates(wanted.starts_at, wanted.ends_at)
        journey = await network.open_for(session, wanted)
        offers = await quotes.search(session, wanted.starts_at, wanted.ends_at, None, journey)
    except DomainError as error:
        form.refuse(error)
        return {"open": await _open(session, wanted)}
    asked = quotes.asked_for(session, wanted.starts_at, wanted.ends_at)
    offers.sort(key=lambda each: each.vehicle_class.id != wanted.class_id)
    return {
        "offers": offers,
        "wanted": _of_class(offers, wanted.class_id),
        "near": await nearest.dates(session, offers, asked, journey),
        "objections": {
            each.vehicle_class.id: limits.texts(session, each.vehicle_class, each.broken)
            for each in offers
        },
        "instead": {
            each.vehicle_class.id: Times(*near)
            for each in offers
            if (near := pricing.nearest(each.broken))
        },
    }


def _of_class(offers: list[Offer], class_id: object) -> Offer | None:
    return next((each for each in offers if each.vehicle_class.id == class_id), None)


async def _open(session: AsyncSession, wanted: SearchInput) -> Times | None:
    """When somebody is there instead; nothing where the dates were wrong for another reason."""
    try:
        quotes.check_dates(wanted.starts_at, wanted.ends_at)
        branches = await network.read(session)
        journey = branches.journey(wanted.pick_up_branch_id, wanted.return_branch_id)
    except DomainError:
        return None
    found = await suggesting.instead(session, journey, wanted.starts_at, wanted.ends_at)
    return None if found is None or found == (wanted.starts_at, wanted.ends_at) else Times(*found)


def address(asked: Mapping[str, str], times: Near | Times, class_id: object = None) -> str:
    """The same search at other times, of another class if one is given."""
    changed = {"starts_at": wall(times.starts_at), "ends_at": wall(times.ends_at)}
    chosen = {"class_id": str(class_id)} if class_id else {}
    return f"{SITE}?{urlencode({**asked, **changed, **chosen})}#cars"


async def _listed(session: AsyncSession, paths: Mapping[str, VehicleClass]) -> Listed:
    """What search engines are told of the search before anybody searched."""
    tenant: Tenant = session.info["tenant"]
    rules, branches = await policy.read(session), await showing.branches(session)
    return Listed(
        path=SITE,
        description=fill(
            _("{name}: choose your dates, see the whole price at once, and book. {classes}."),
            name=tenant.name,
            classes=", ".join(each.name for each in paths.values()),
        ),
        data=(structured.business(tenant, rules, branches), structured.classes(paths)),
    )


CONTROLLERS = (Search,)

"""Pages that anybody may find: classes, branches, the conditions and questions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText, _, fill, gettext
from core.money import Money
from core.permissions import public
from core.scope import Tenant, current
from core.web.formatting import wall
from core.web.http import Session
from core.web.listed import Listed
from core.web.pages import Page
from plugins.car_hire import policy
from plugins.car_hire.models import FUELS, GEARS
from plugins.car_hire.routes.http import AnyRequest
from plugins.car_hire.services import pricing
from plugins.car_hire.services.storefront import (
    conditions,
    former,
    from_prices,
    showing,
    structured,
)
from plugins.car_hire.services.storefront.addresses import (
    BRANCHES,
    CONDITIONS,
    QUESTIONS,
    SITE,
)

WEEKDAYS: Final[tuple[LazyText, ...]] = (
    _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
    _("Sunday"),
)  # fmt: skip
_FIRST: Final = (_("Hire a car"), SITE)


class Storefront(Controller):
    """What the site tells before anybody searches."""

    path = SITE
    include_in_schema = False

    @get("/cars/{word:str}", access=public)
    async def of_class(
        self, request: AnyRequest, session: Session, word: FromPath[str]
    ) -> Page | Redirect:
        """One class: what it is like, what it costs at the least, and what is asked of drivers."""
        try:
            shown = await showing.one_class(session, word)
        except former.Moved as moved:
            return _led_on(request, moved)
        tenant: Tenant = session.info["tenant"]
        trail = structured.trail([_FIRST, (shown.row.name, shown.path)])
        listed = Listed(
            path=shown.path,
            description=_of_class(shown),
            image=shown.photo,
            data=(structured.car(tenant, shown), trail),
        )
        context = {"shown": shown, "gears": GEARS, "fuels": FUELS, "search": _search(shown)}
        context |= _amounts(shown.terms) if shown.terms else {}
        return Page("car_hire/site/class.html", context, listed=listed)

    @get("/branches", access=public)
    async def of_branches(self, session: Session) -> Page:
        """Every branch with its address and hours."""
        found = await showing.branches(session)
        tenant: Tenant = session.info["tenant"]
        listed = Listed(
            path=BRANCHES,
            description=fill(
                _("Where {name} hands cars over: {branches}. Addresses, telephones, hours."),
                name=tenant.name,
                branches=", ".join(each.row.name for each in found),
            ),
            data=(
                structured.business(tenant, await policy.read(session), found),
                structured.trail([_FIRST, (_("Branches"), BRANCHES)]),
            ),
        )
        context = {"branches": found, "weekdays": WEEKDAYS}
        return Page("car_hire/site/branches.html", context, listed=listed)

    @get("/branches/{word:str}", access=public)
    async def of_branch(
        self, request: AnyRequest, session: Session, word: FromPath[str]
    ) -> Page | Redirect:
        """One branch: where it is, when somebody is there, and the way to a car from there."""
        try:
            shown = await showing.one_branch(session, word)
        except former.Moved as moved:
            return _led_on(request, moved)
        tenant: Tenant = session.info["tenant"]
        trail = [_FIRST, (_("Branches"), BRANCHES), (shown.row.name, shown.path)]
        listed = Listed(
            path=shown.path,
            description=fill(
                _("Hire a car at {branch}: {address}. Opening hours, telephone and the way there."),
                branch=shown.row.name,
                address=shown.row.street_address or tenant.name,
            ),
            data=(structured.branch(tenant, shown), structured.trail(trail)),
        )
        context = {"shown": shown, "weekdays": WEEKDAYS}
        return Page("car_hire/site/branch.html", context, listed=listed)

    @get("/conditions", access=public)
    async def terms_of_hire(self, session: Session) -> Page:
        """The terms of hire, from the rules that bills are made by."""
        return await _told(
            session,
            "car_hire/site/conditions.html",
            CONDITIONS,
            _("Terms of hire"),
            _("Deposit, fuel, distance, cover, cancelling: what {name} charges, and when."),
        )

    @get("/questions", access=public)
    async def asked_often(self, session: Session) -> Page:
        """The same as answers to what people ask."""
        return await _told(
            session,
            "car_hire/site/questions.html",
            QUESTIONS,
            _("Questions"),
            _("How old must I be, what do I bring, what is the deposit? Answers by {name}."),
        )


def _led_on(request: AnyRequest, moved: former.Moved) -> Redirect:
    """For good, as search engines see it; what else stood in the address goes along."""
    asked = request.url.query
    return Redirect(f"{moved.path}?{asked}" if asked else moved.path, status_code=301)


async def _told(
    session: AsyncSession, template: str, path: str, title: LazyText, about: LazyText
) -> Page:
    clauses, rules = await conditions.read(session), await policy.read(session)
    data: list[dict[str, Any]] = [structured.trail([_FIRST, (title, path)])]
    if path == QUESTIONS and clauses:
        data.append(structured.questions(clauses))
    about = fill(about, name=current().name)
    listed = Listed(path=path, description=about, data=tuple(data))
    return Page(template, {"clauses": clauses, "rules": rules}, listed=listed)


def _amounts(terms: pricing.Terms) -> dict[str, Money]:
    """What the page shows of the terms, with tax."""
    young = terms.young_driver
    return {
        "per_km": from_prices.gross(terms, terms.mileage.per_km),
        "deposit": Money(terms.deposit, terms.currency),
        "young": from_prices.gross(terms, young.per_day if young else Decimal(0)),
    }


def _search(shown: showing.ClassShown) -> str:
    """The search in which the price that is shown is found."""
    asked = {"class_id": str(shown.row.id)}
    if shown.least:
        asked |= {"starts_at": wall(shown.least.starts_at), "ends_at": wall(shown.least.ends_at)}
    return f"{SITE}?{urlencode(asked)}"


def _of_class(shown: showing.ClassShown) -> str:
    """What a search engine shows below the title."""
    row = shown.row
    cars = ", ".join(shown.models)
    parts = [
        row.description,
        gettext("%(cars)s or similar.") % {"cars": cars} if cars else "",
        gettext("%(seats)s seats, %(gears)s.") % {"seats": row.seats, "gears": GEARS[row.gears]},
    ]
    if shown.least:
        parts.append(gettext("From %(price)s a day, tax included.") % {"price": shown.least.day})
    return " ".join(each for each in parts if each)[:300]


CONTROLLERS = (Storefront,)

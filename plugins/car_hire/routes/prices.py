"""The owner's prices: lists in versions, a grid of classes and units, rules, trial, publication."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError, NotFound
from core.i18n import _, in_reading
from core.permissions import permission
from core.scope import Tenant
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import PriceList
from plugins.car_hire.routes import price_rows
from plugins.car_hire.routes.http import RATES, AnyRequest, still_seen, version_seen
from plugins.car_hire.routes.site import usual_dates
from plugins.car_hire.schemas_prices import DAYS, PublicationInput, TrialInput
from plugins.car_hire.services import fleet, pricing
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.prices import checking, current, lists, seasons, trying

PATH: Final = "/car-hire/desk/prices"
ACCESS = permission(RATES)
CONDITIONS: Final = "conditions"
"""The tab beside those of the seasons."""
Session = NamedDependency[AsyncSession]


class Prices(Controller):
    """Price lists."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def overview(self, session: Session) -> Page:
        """The list that counts, what comes, what was; a year of seasons."""
        tenant: Tenant = session.info["tenant"]
        rows = await lists.history(session)
        counting = await current.counting(session)
        house = current.house_of(counting) if counting else current.NOTHING
        context = {
            "rows": rows,
            "counting": counting,
            "draft": next((each for each in rows if each.state == "draft"), None),
            "now": clock.now(),
            "year": seasons.year(house, clock.today(tenant.zone)),
        }
        return Page("car_hire/desk/prices.html", context)

    @post(access=ACCESS)
    async def begin(self, session: Session) -> SeeOther:
        """The next draft, a copy of the newest list."""
        draft = await lists.begin(session)
        return SeeOther(f"{PATH}/{draft.id}")

    @get("/{list_id:uuid}", access=ACCESS)
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        list_id: FromPath[UUID],
        season: FromQuery[str] = "",
    ) -> Page:
        """The grid of one season, or of what is not time; and a hire tried out."""
        found = await lists.one(session, list_id)
        _check_season(found, season)
        asked = {key: value for key, value in request.query_params.items() if value}
        wanted = {key: asked[key] for key in TrialInput.__struct_fields__ if key in asked}
        trial = bind(TrialInput, wanted) if wanted else blank(TrialInput, usual_dates())
        return await _list_page(session, found, season, trial=trial)

    @post("/{list_id:uuid}", access=ACCESS)
    async def save(
        self,
        request: AnyRequest,
        session: Session,
        list_id: FromPath[UUID],
        season: FromQuery[str] = "",
    ) -> Page | SeeOther:
        """Save a grid; with an error, show it again as it was typed."""
        found = await lists.one(session, list_id)
        _check_season(found, season)
        typed = await typed_fields(request)
        known = await current.prices_of(session, list_id)
        expected, classes = version_seen(typed), await fleet.classes(session)
        rows = price_rows.grid(season, classes, known, typed)
        try:
            price_rows.refuse_unknown(classes, typed)
            given = price_rows.prices(rows, season, known)
            await lists.put_prices(session, list_id, given, expected)
        except DomainError as error:
            seen = still_seen(error, expected)
            return await _list_page(session, found, season, rows=rows, error=error, seen=seen)
        return SeeOther(f"{PATH}/{list_id}?season={season}", flash=_("Saved"))

    @get("/{list_id:uuid}/rules", access=ACCESS)
    async def rules(self, session: Session, list_id: FromPath[UUID]) -> Page:
        """Seasons, adjustments, limits, taxes and fees."""
        found = await lists.one(session, list_id)
        rows = price_rows.Rules.kept(current.house_of(found))
        return await _rules_page(session, found, rows)

    @post("/{list_id:uuid}/rules", access=ACCESS)
    async def save_rules(
        self, request: AnyRequest, session: Session, list_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Save them; with an error, show them again as they were typed."""
        found = await lists.one(session, list_id)
        typed = await typed_fields(request)
        expected = version_seen(typed)
        rows = price_rows.Rules.typed(typed)
        try:
            await lists.put_rules(session, list_id, rows.value, expected)
        except DomainError as error:
            rows.refuse(error)
            return await _rules_page(session, found, rows, error, still_seen(error, expected))
        return SeeOther(f"{PATH}/{list_id}/rules", flash=_("Saved"))

    @post("/{list_id:uuid}/publication", access=ACCESS)
    async def publish(
        self, request: AnyRequest, session: Session, list_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The list counts from a moment on."""
        found = await lists.one(session, list_id)
        typed = await typed_fields(request)
        expected = version_seen(typed)
        form = bind(PublicationInput, typed)
        try:
            await lists.publish(session, list_id, form.value.effective_from, expected)
        except DomainError as error:
            seen = still_seen(error, expected)
            form.refuse(error)
            return await _list_page(session, found, "", publication=form, error=error, seen=seen)
        return SeeOther(PATH, flash=_("Published. Quotes already made keep their prices"))

    @post("/{list_id:uuid}/withdrawal", access=ACCESS)
    async def take_back(self, session: Session, list_id: FromPath[UUID]) -> SeeOther:
        """A list that does not count yet is a draft again."""
        await lists.one(session, list_id)
        try:
            await lists.take_back(session, list_id)
        except DomainError as error:
            return SeeOther(PATH, flash=error.message, level="danger")
        return SeeOther(f"{PATH}/{list_id}", flash=_("The list is a draft again"))

    @get("/{list_id:uuid}/changes", access=ACCESS)
    async def changes(
        self, session: Session, list_id: FromPath[UUID], since: FromQuery[UUID | None] = None
    ) -> Page:
        """How a list differs from another, unless told from the one before it."""
        found = await lists.one(session, list_id)
        rows = await lists.history(session)
        older = [each for each in rows if each.number < found.number]
        other = await lists.one(session, since) if since else next(iter(older), None)
        names = {str(each.id): each.name for each in await fleet.classes(session)}
        context = {
            "found": found,
            "other": other,
            "rows": [each for each in rows if each.id != found.id],
            "names": names,
            "changes": await trying.compare(session, other, found) if other else [],
        }
        return Page("car_hire/desk/price_changes.html", context)


async def _list_page(
    session: AsyncSession,
    found: PriceList,
    season: str,
    *,
    rows: list[price_rows.Row] | None = None,
    trial: Bound[TrialInput] | None = None,
    publication: Bound[PublicationInput] | None = None,
    error: DomainError | None = None,
    seen: int | None = None,
) -> Page:
    house = current.house_of(found)
    classes = await fleet.classes(session)
    known = await current.prices_of(session, found.id)
    names = {each.id: each.name for each in classes}
    trial = trial or blank(TrialInput, usual_dates())
    return Page(
        "car_hire/desk/price_list.html",
        {
            "found": found,
            "version": seen or found.version,
            "is_draft": found.state == "draft",
            "season": season,
            "tabs": _tabs(house),
            "grid": rows or price_rows.grid(season, classes, known),
            "warnings": checking.warnings(house, known, names),
            "error": error,
            "trial": trial,
            "class_names": {str(key): name for key, name in names.items() if key in known},
            "priced": await _tried(session, found, trial),
            "publication": publication or blank(PublicationInput),
            "now": clock.now(),
        },
        status=error.status if error else 200,
    )


def _check_season(found: PriceList, season: str) -> None:
    """Let through the tabs there are.

    Raises:
        NotFound: the list has no such season.
    """
    if season not in dict(_tabs(current.house_of(found))):
        raise NotFound(_("This list has no such season"))


def _tabs(house: pricing.HouseRules) -> list[tuple[str, Any]]:
    named = [(each.code, in_reading(each.texts)) for each in house.seasons]
    return [("", _("Usual")), *named, (CONDITIONS, _("Deposit, distance, fuel"))]


async def _tried(
    session: AsyncSession, found: PriceList, trial: Bound[TrialInput]
) -> dict[str, Any] | None:
    if not trial.ok:
        return None
    wanted = trial.value
    try:
        priced = await trying.out(session, found, wanted.class_id, wanted.starts_at, wanted.ends_at)
    except DomainError as error:
        trial.refuse(error)
        return None
    unit = priced.gross.unit
    return {"lines": [told(line, unit) for line in priced.lines], "gross": priced.gross,
            "net": priced.net, "tax": priced.tax}  # fmt: skip


async def _rules_page(
    session: AsyncSession,
    found: PriceList,
    rows: price_rows.Rules,
    error: DomainError | None = None,
    seen: int | None = None,
) -> Page:
    named = {each.code: in_reading(each.texts) for each in current.house_of(found).seasons}
    classes = {str(each.id): each.name for each in await fleet.classes(session)}
    return Page(
        "car_hire/desk/price_rules.html",
        {"found": found, "version": seen or found.version, "is_draft": found.state == "draft",
         "rules": rows, "days": DAYS,
         "options": {"class_id": classes, "season": named}, "error": error},
        status=error.status if error else 200,
    )  # fmt: skip


CONTROLLERS = (Prices,)

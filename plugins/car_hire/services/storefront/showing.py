"""What the pages of one class and one branch show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import NotFound
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Branch, BranchDay, Vehicle, VehicleClass
from plugins.car_hire.services import fleet, pricing
from plugins.car_hire.services.branches import network, opening
from plugins.car_hire.services.branches.opening import Span
from plugins.car_hire.services.extras import showing
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.storefront import former, from_prices
from plugins.car_hire.services.storefront.addresses import BRANCHES, CARS, by_word
from plugins.car_hire.services.storefront.from_prices import FromPrice

MODELS: Final = 4
"""How many cars a page names as what one may get."""
AHEAD: Final = timedelta(days=90)
"""How far special opening hours are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassShown:
    """A class as its page shows it; without a price it cannot be hired yet."""

    row: VehicleClass
    path: str
    models: Sequence[str]
    """Such as ``Renault Clio``: one of them, or one like it."""
    least: FromPrice | None
    terms: pricing.Terms | None
    options: showing.Options
    others: Mapping[str, VehicleClass]
    """The other classes by the paths of their pages."""

    @property
    def photo(self) -> str | None:
        """The path of its photo."""
        return photo_of(self.row)


def photo_of(row: VehicleClass) -> str | None:
    """The path of the photo of a class, if it has one."""
    return f"/files/{row.photo_id}" if row.photo_id else None


async def paths_of_classes(session: AsyncSession) -> dict[str, VehicleClass]:
    """The pages of classes that customers may book, by path and in the order of names."""
    words = by_word(await fleet.classes(session, on_offer=True))
    ordered = sorted(words.items(), key=lambda each: each[1].name.lower())
    return {f"{CARS}/{word}": row for word, row in ordered}


async def one_class(session: AsyncSession, word: str) -> ClassShown:
    """The class that is found by ``word``.

    Raises:
        Moved: it was, and has another word now.
        NotFound: there is none, or customers may not book it.
    """
    paths = await paths_of_classes(session)
    path = f"{CARS}/{word}"
    found = paths.pop(path, None)
    if found is None:
        known = {row.id: other for other, row in paths.items()}
        await former.refuse_moved(session, "class", word, known)
        raise NotFound(_("There is no such class"))
    rules, prices = await policy.read(session), await current.read(session, found.id)
    terms = from_prices.shown_terms(found, prices, rules)
    return ClassShown(
        row=found,
        path=path,
        models=await _models(session, found),
        least=await from_prices.least(session, found, prices, rules),
        terms=terms,
        options=await showing.of_terms(session, found.id, terms) if terms else showing.Options([]),
        others=paths,
    )


async def _models(session: AsyncSession, chosen: VehicleClass) -> Sequence[str]:
    name = Vehicle.make + " " + Vehicle.model
    query = (
        select(name)
        .where(Vehicle.class_id == chosen.id, Vehicle.status != fleet.RETIRED)
        .group_by(name)
        .order_by(name)
        .limit(MODELS)
    )
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchShown:
    """A branch with its hours; ``week`` is empty where nobody keeps hours."""

    row: Branch
    path: str
    week: Sequence[tuple[int, Sequence[Span]]]
    """Each ISO day of the week with its spans."""
    special: Sequence[tuple[BranchDay, Sequence[Span]]]
    """Days to come with other hours; without spans it is closed."""

    @property
    def map_path(self) -> str | None:
        """Where a map shows it; None where nobody has said where it is."""
        if self.row.latitude is None or self.row.longitude is None:
            return None
        at = f"{self.row.latitude:f}", f"{self.row.longitude:f}"
        return f"https://www.openstreetmap.org/?mlat={at[0]}&mlon={at[1]}#map=17/{at[0]}/{at[1]}"


async def branches(session: AsyncSession) -> list[BranchShown]:
    """Every branch in use with its hours and the special days of the next months."""
    tenant: Tenant = session.info["tenant"]
    found = (await network.read(session)).in_use
    words = {each.id: word for word, each in by_word(found).items()}
    days = await _days(session, clock.today(tenant.zone))
    return [_shown(each, words[each.id], days) for each in found]


async def one_branch(session: AsyncSession, word: str) -> BranchShown:
    """The branch that is found by ``word``.

    Raises:
        Moved: it was, and has another word now.
        NotFound: there is none, or it is closed for good.
    """
    path = f"{BRANCHES}/{word}"
    shown = await branches(session)
    for each in shown:
        if each.path == path:
            return each
    known = {each.row.id: each.path for each in shown}
    await former.refuse_moved(session, "branch", word, known)
    raise NotFound(_("There is no such branch"))


def _shown(branch: Branch, word: str, days: Sequence[BranchDay]) -> BranchShown:
    hours = {int(day): opening.read(spans) for day, spans in branch.hours.items()}
    own = [each for each in days if each.branch_id == branch.id]
    return BranchShown(
        row=branch,
        path=f"{BRANCHES}/{word}",
        week=[(day, hours.get(day, [])) for day in range(1, 8)] if hours else [],
        special=[(each, opening.read(each.spans)) for each in own],
    )


async def _days(session: AsyncSession, today: date) -> Sequence[BranchDay]:
    query = select(BranchDay).where(BranchDay.day.between(today, today + AHEAD))
    return (await session.scalars(query.order_by(BranchDay.day))).all()

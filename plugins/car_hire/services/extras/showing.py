"""What can be chosen with a car, as people compare it: prices with tax, and how many are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import LazyText, in_reading
from core.money import Money
from plugins.car_hire import policy
from plugins.car_hire.models import SIDES, Quote
from plugins.car_hire.services import occupying, pricing, quotes
from plugins.car_hire.services.extras import catalogue, reserving
from plugins.car_hire.services.extras.catalogue import Offered
from plugins.car_hire.services.extras.reserving import Period
from plugins.car_hire.services.prices import current


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An extra or a cover; money is with tax, and ``left`` None is as many as one likes."""

    code: str
    kind: str
    name: str
    about: str
    price: Money
    per: str
    cap: Money | None
    excess: Money
    left_out: Sequence[LazyText]
    """The parts of the car that a cover does not cover."""
    includes: Sequence[LazyText]
    most: int
    left: int | None

    @property
    def quantities(self) -> range:
        """How many one may choose."""
        return range(self.most + 1 if self.left is None else min(self.most, self.left) + 1)


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen with one car."""

    rows: Sequence[Option]

    def of(self, *kinds: str) -> list[Option]:
        """Those of some kinds."""
        return [each for each in self.rows if each.kind in kinds]

    @property
    def driver(self) -> Option | None:
        """What an additional driver costs; None where there may be none."""
        return next(iter(self.of("driver")), None)

    @property
    def basic(self) -> Option | None:
        """The cover that is in every hire."""
        return next(iter(self.of("basic")), None)


async def of_quote(session: AsyncSession, quote: Quote) -> Options:
    """What goes with a quoted car, at the prices that the quote keeps or, otherwise, today's."""
    rules = await policy.read(session)
    period = occupying.blocked(quote.starts_at, quote.ends_at, rules.buffer)
    asked = quotes.asked_then(quote)
    before = {each.extra.code: each.extra for each in asked.chosen}
    found = await catalogue.offered(session, quote.class_id, also=before)
    return await _shown(session, found, quotes.terms_then(quote), period, before)


async def of_class(
    session: AsyncSession, class_id: UUID, starts_at: datetime, ends_at: datetime
) -> Options:
    """What goes with a class, at today's prices.

    Raises:
        NotPriced: no price list says what the class costs.
    """
    rules = await policy.read(session)
    terms = (await current.read(session, class_id)).terms(class_id, starts_at, rules)
    found = await catalogue.offered(session, class_id)
    period = occupying.blocked(starts_at, ends_at, rules.buffer)
    return await _shown(session, found, terms, period, {})


async def of_all(
    session: AsyncSession, found: Sequence[Offered], terms: pricing.Terms, period: Period
) -> Options:
    """What goes with any class, for ``period``; taxes are those of ``terms``."""
    return await _shown(session, found, terms, period, {})


async def of_terms(session: AsyncSession, class_id: UUID, terms: pricing.Terms) -> Options:
    """What goes with a class by ``terms``, whenever that may be: not how many are left."""
    waivers = {each.code: each for each in terms.waivers}
    return Options(
        [
            _option(each, each.priced, waivers.get(each.code, each.waiver), terms, None)
            for each in await catalogue.offered(session, class_id)
        ]
    )


async def _shown(
    session: AsyncSession,
    found: Sequence[Offered],
    terms: pricing.Terms,
    period: Period,
    before: dict[str, pricing.Extra],
) -> Options:
    extras = [each.extra for each in found]
    left = await reserving.left(session, extras, period)
    waivers = {each.code: each for each in terms.waivers}
    return Options(
        [
            _option(
                each,
                before.get(each.code, each.priced),
                waivers.get(each.code, each.waiver),
                terms,
                left.get(each.extra.id),
            )
            for each in found
        ]
    )


def _option(
    each: Offered,
    priced: pricing.Extra,
    waiver: pricing.Waiver,
    terms: pricing.Terms,
    left: int | None,
) -> Option:
    def gross(amount: Decimal, kind: str) -> Money:
        return Money(amount * (1 + terms.taxes.of(kind)), terms.currency).rounded()

    kind = "cover" if each.extra.is_cover else "extra"
    return Option(
        code=each.code,
        kind=each.kind,
        name=in_reading(priced.texts),
        about=in_reading(each.extra.about),
        price=gross(priced.price, kind),
        per=priced.per,
        cap=None if priced.cap is None else gross(priced.cap, kind),
        excess=gross(waiver.excess, "damage"),
        left_out=[SIDES[zone] for zone in waiver.excluded if zone in SIDES],
        includes=[title for zone, title in SIDES.items() if zone not in waiver.excluded],
        most=each.extra.most,
        left=left,
    )

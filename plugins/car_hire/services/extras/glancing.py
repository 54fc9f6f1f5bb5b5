"""What somebody at the counter takes with the car, and their code, in the price of every class at
once: as many statements for forty classes as for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.i18n import LazyText
from plugins.car_hire import policy
from plugins.car_hire.schemas_promotions import PriceChoices
from plugins.car_hire.services import adding, pricing
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.extras import catalogue, choosing, reserving, showing
from plugins.car_hire.services.extras.reserving import Period
from plugins.car_hire.services.extras.showing import Options
from plugins.car_hire.services.promotions import discounting
from plugins.car_hire.services.quotes import Offer


@dataclass(frozen=True, slots=True)
class Glanced:
    """The price of a class with what was chosen; or without, and why what was does not go."""

    priced: pricing.Priced
    objection: LazyText | str | None


@dataclass(frozen=True, slots=True)
class Glance:
    """What can be chosen, and what each class costs with what was."""

    options: Options | None
    prices: Mapping[UUID, Glanced]


async def over(
    session: AsyncSession,
    offers: Sequence[Offer],
    asked: pricing.Asked,
    journey: Journey,
    period: Period,
    choices: PriceChoices,
) -> Glance:
    """Every offer with the choices in its price.

    Raises:
        UnknownCode: there is no such code.
        UsedUp: every use of it is taken.
        ExtraUnavailable: there are not enough of an extra then.
    """
    found = [each for each in await catalogue.everything(session) if each.extra.on_offer]
    wanted = await discounting.read(session, choices)
    known = {each.code for each in found}
    counted = {code: many for code, many in choices.extras.items() if many and code in known}
    await reserving.refuse_lacking(session, counted, period)
    rules = await policy.read(session)
    prices: dict[UUID, Glanced] = {}
    for offer in offers:
        chosen = offer.vehicle_class
        try:
            mine = discounting.put(wanted, chosen, asked, journey, rules.grace_minutes)
            going = catalogue.going_with(chosen.id, found)
            terms, mine = choosing.put(going, chosen, offer.terms, mine, choices)
        except Invalid as error:
            prices[chosen.id] = Glanced(offer.priced, error.errors[0].message)
        else:
            prices[chosen.id] = Glanced(await adding.to_quote(session, chosen, terms, mine), None)
    options = await showing.of_all(session, found, offers[0].terms, period) if offers else None
    return Glance(options, prices)

"""The demonstration's prices: a season of sun, a season of feasts, weekends, weeks and months."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from plugins.car_hire.services import fleet, pricing
from plugins.car_hire.services.prices import current, lists

_PORTUGUESE_VAT: Final = pricing.TaxRule(kind="hire", rate=Decimal("0.23"))
HOUSE: Final = pricing.HouseRules(taxes=(_PORTUGUESE_VAT,))
"""What a new business begins with."""

_SUMMER: Final = Decimal("1.4")
_FEASTS: Final = Decimal("1.25")
_EARLY: Final = pricing.Adjustment(
    texts={"en": "Booked a month ahead", "pt": "Reserva com um mês de antecedência"},
    share=Decimal("-0.05"),
    lead_from=30,
)
_LAST_MINUTE: Final = pricing.Adjustment(
    texts={"en": "Last minute", "pt": "Última hora"}, share=Decimal("0.10"), lead_to=0
)


async def publish(session: AsyncSession) -> None:
    """ACME's list: everything that a small firm in Lisbon would have in it."""
    tenant: Tenant = session.info["tenant"]
    draft = await lists.begin(session)
    house = _house(clock.today(tenant.zone).year)
    electric = {each.id for each in await fleet.classes(session) if each.name == "Electric"}
    prices = {
        class_id: _prices(each, house, electric=class_id in electric)
        for class_id, each in (await current.prices_of(session, draft.id)).items()
    }
    await lists.put_rules(session, draft.id, house)
    await lists.put_prices(session, draft.id, prices)
    await lists.publish(session, draft.id)


def _house(year: int) -> pricing.HouseRules:
    seasons = [season for each in (year, year + 1) for season in (_summer(each), _feasts(each))]
    return msgspec.structs.replace(
        HOUSE,
        seasons=tuple(seasons),
        adjustments=(_EARLY, _LAST_MINUTE),
        young_driver=pricing.YoungDriver(under=25, per_day=Decimal(8), cap=Decimal(80)),
        one_way=Decimal(60),
        out_of_hours=Decimal(25),
        airport_share=Decimal("0.08"),
        late_cap=Decimal(90),
        limits=(
            pricing.Limit(lead_days=365),
            *(pricing.Limit(season=each.code, days_from=2) for each in seasons),
        ),
        student_share=Decimal("0.10"),
    )


def _summer(year: int) -> pricing.SeasonDates:
    return pricing.SeasonDates(
        code=f"summer-{year}",
        texts={"en": f"Summer {year}", "pt": f"Verão {year}"},
        first=date(year, 6, 15),
        last=date(year, 9, 15),
    )


def _feasts(year: int) -> pricing.SeasonDates:
    return pricing.SeasonDates(
        code=f"feasts-{year}",
        texts={"en": f"Christmas and New Year {year}", "pt": f"Natal e Ano Novo {year}"},
        first=date(year, 12, 20),
        last=date(year + 1, 1, 3),
    )


def _prices(
    known: pricing.ClassPrices, house: pricing.HouseRules, *, electric: bool
) -> pricing.ClassPrices:
    seasons = {
        each.code: _rate((known.rate.day * _share(each)).quantize(Decimal(1)))
        for each in house.seasons
    }
    fuel = msgspec.structs.replace(known.fuel, service=Decimal(0 if electric else 15))
    rate = _rate(known.rate.day)
    return msgspec.structs.replace(known, rate=rate, seasons=seasons, fuel=fuel)


def _share(season: pricing.SeasonDates) -> Decimal:
    return _SUMMER if season.code.startswith("summer") else _FEASTS


def _rate(day: Decimal) -> pricing.Rate:
    """A weekend day is a tenth dearer, a week costs six days and a month twenty."""
    return pricing.Rate(
        hour=(day / 4).quantize(Decimal("0.5")),
        day=day,
        weekend=(day * Decimal("1.1")).quantize(Decimal("0.5")),
        week=day * 6,
        month=day * 20,
    )

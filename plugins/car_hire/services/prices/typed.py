"""Between what people type about prices and what a list keeps, both ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from core.errors import FieldError, Invalid
from core.web.forms.bind import bound
from core.web.forms.fields import Form
from core.web.forms.messages import MISSING
from plugins.car_hire.schemas_prices import (
    AdjustmentInput,
    ClassPricesInput,
    ConditionsInput,
    FeesInput,
    LimitInput,
    RateInput,
    RulesInput,
    SeasonInput,
    TaxInput,
)
from plugins.car_hire.services import pricing

F = TypeVar("F", bound=Form)
PERCENT = Decimal(100)


def rules(given: RulesInput) -> pricing.HouseRules:
    """The rules of a list as they are kept.

    Raises:
        Invalid: naming each field at fault, such as ``seasons[1].first``.
    """
    errors: list[FieldError] = []
    seasons = _each(SeasonInput, "seasons", given.seasons, errors)
    adjustments = _each(AdjustmentInput, "adjustments", given.adjustments, errors)
    taxes = _each(TaxInput, "taxes", given.taxes, errors)
    limits = _each(LimitInput, "limits", given.limits, errors)
    if errors:
        raise Invalid(errors=errors)
    return house(given, seasons, adjustments, taxes, limits)


def _each(
    kind: type[F], name: str, rows: Iterable[Mapping[str, Any]], errors: list[FieldError]
) -> list[F]:
    made = []
    for place, row in enumerate(rows):
        form = bound(kind, row)
        errors += [each._replace(field=f"{name}[{place}].{each.field}") for each in form.errors]
        if form.ok:
            made.append(form.value)
    return made


def house(
    fees: FeesInput,
    seasons: Iterable[SeasonInput],
    adjustments: Iterable[AdjustmentInput],
    taxes: Iterable[TaxInput],
    limits: Iterable[LimitInput] = (),
) -> pricing.HouseRules:
    """The rules of a list from fields that are right each for itself."""
    young = fees.young_under
    return pricing.HouseRules(
        month_days=fees.month_days,
        weekend=tuple(sorted(int(day) for day in fees.weekend if day.isdecimal())),
        seasons=tuple(
            pricing.SeasonDates(
                code=each.code or code_of(each.texts), texts=each.texts,
                first=each.first, last=each.last,
            )
            for each in seasons
        ),
        adjustments=tuple(
            pricing.Adjustment(
                texts=each.texts, share=each.percent / PERCENT,
                lead_from=each.lead_from, lead_to=each.lead_to,
                days_from=each.days_from, days_to=each.days_to,
            )
            for each in adjustments
        ),
        taxes=tuple(
            pricing.TaxRule(
                kind=each.kind, rate=each.percent / PERCENT,
                valid_from=each.valid_from or pricing.EVER,
            )
            for each in taxes
        ),
        limits=tuple(
            pricing.Limit(
                class_id=str(each.class_id or ""), season=each.season,
                days_from=each.days_from, days_to=each.days_to,
                lead_hours=each.lead_hours, lead_days=each.lead_days,
            )
            for each in limits
        ),
        young_driver=None if young is None else pricing.YoungDriver(
            under=young, per_day=fees.young_per_day, cap=fees.young_cap
        ),
        one_way=fees.one_way,
        out_of_hours=fees.out_of_hours,
        airport_share=fees.airport_percent / PERCENT,
        late_cap=fees.late_cap,
        student_share=fees.student_percent / PERCENT,
    )  # fmt: skip


def code_of(texts: Mapping[str, str]) -> str:
    """A season's code from its name: ``Natal e Ano Novo`` is ``natal-e-ano-novo``."""
    name = unicodedata.normalize("NFKD", next(iter(texts.values()), ""))
    plain_name = name.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain_name).strip("-")[:40] or "season"


def fees(kept: pricing.HouseRules) -> dict[str, Any]:
    """What the form of fees shows."""
    young = kept.young_driver
    return {
        "weekend": [str(day) for day in kept.weekend],
        "month_days": kept.month_days,
        "one_way": plain(kept.one_way),
        "out_of_hours": plain(kept.out_of_hours),
        "airport_percent": plain(kept.airport_share * PERCENT),
        "late_cap": plain(kept.late_cap),
        "student_percent": plain(kept.student_share * PERCENT),
        "young_under": young.under if young else None,
        "young_per_day": plain(young.per_day if young else Decimal(0)),
        "young_cap": plain(young.cap if young else None),
    }


def rows(kept: pricing.HouseRules) -> dict[str, list[dict[str, Any]]]:
    """What the rows of seasons, adjustments, limits and taxes show."""

    def names(texts: Mapping[str, str]) -> dict[str, str]:
        return {"name_en": texts.get("en", ""), "name_pt": texts.get("pt", "")}

    return {
        "seasons": [
            {**names(each.texts), "code": each.code, "first": each.first, "last": each.last}
            for each in kept.seasons
        ],
        "adjustments": [
            {
                **names(each.texts),
                "percent": plain(each.share * PERCENT),
                "lead_from": each.lead_from, "lead_to": each.lead_to,
                "days_from": each.days_from, "days_to": each.days_to,
            }
            for each in kept.adjustments
        ],
        "limits": [msgspec.structs.asdict(each) for each in kept.limits],
        "taxes": [
            {
                "kind": each.kind,
                "percent": plain(each.rate * PERCENT),
                "valid_from": None if each.valid_from == pricing.EVER else each.valid_from,
            }
            for each in kept.taxes
        ],
    }  # fmt: skip


def rate(given: RateInput) -> pricing.Rate | None:
    """What time costs; None where nothing is given."""
    if given.day is None:
        return None
    return pricing.Rate(
        hour=given.hour, day=given.day, weekend=given.weekend, week=given.week, month=given.month
    )


def conditions(given: ConditionsInput) -> dict[str, Any]:
    """Deposit, mileage and fuel."""
    return {
        "deposit": given.deposit,
        "mileage": pricing.Mileage(per_day=given.km_per_day, per_km=given.per_km),
        "fuel": pricing.Fuel(
            policy=given.fuel_policy, per_unit=given.fuel_unit,
            service=given.fuel_service, tank=given.fuel_tank,
        ),
    }  # fmt: skip


def class_prices(given: ClassPricesInput) -> pricing.ClassPrices:
    """What a class costs, as it is kept.

    Raises:
        Invalid: naming each field at fault, such as ``seasons.summer.day``.
    """
    errors: list[FieldError] = []
    usual = _rate("rate", given.rate, errors)
    seasons = {
        code: made
        for code, row in given.seasons.items()
        if (made := _rate(f"seasons.{code}", row, errors)) is not None
    }
    if usual is None and not errors:
        errors.append(FieldError("rate.day", MISSING))
    if errors or usual is None:
        raise Invalid(errors=errors)
    return pricing.ClassPrices(rate=usual, seasons=seasons, **conditions(given))


def _rate(at: str, row: Mapping[str, Any], errors: list[FieldError]) -> pricing.Rate | None:
    form = bound(RateInput, row)
    errors += [each._replace(field=f"{at}.{each.field}") for each in form.errors]
    return rate(form.value) if form.ok else None


def shown_rate(kept: pricing.Rate | None) -> dict[str, str]:
    """What a row of prices shows."""
    if kept is None:
        return {}
    return {name: plain(value) for name, value in msgspec.structs.asdict(kept).items()}


def shown_conditions(kept: pricing.ClassPrices) -> dict[str, Any]:
    """What a row of conditions shows."""
    return {
        "deposit": plain(kept.deposit),
        "km_per_day": kept.mileage.per_day,
        "per_km": plain(kept.mileage.per_km),
        "fuel_policy": kept.fuel.policy,
        "fuel_unit": plain(kept.fuel.per_unit),
        "fuel_service": plain(kept.fuel.service),
        "fuel_tank": plain(kept.fuel.tank),
    }


def plain(value: Decimal | None) -> str:
    """``12.5`` rather than ``12.500000``, for a form."""
    return "" if value is None else f"{value.normalize():f}"

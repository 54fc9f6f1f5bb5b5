"""Rows of a page of prices: forms with a prefix each, several of which are sent together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from core.errors import DomainError, FieldError, Invalid
from core.i18n import _
from core.web.forms import Bound, Form, bind, blank
from core.web.forms.messages import UNKNOWN
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.schemas_prices import (
    AdjustmentInput,
    ConditionsInput,
    FeesInput,
    LimitInput,
    RateInput,
    SeasonInput,
    TaxInput,
)
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices import typed as typing

Typed = Mapping[str, Any]
BLANK: Final = {"seasons": 2, "adjustments": 1, "limits": 1, "taxes": 1}
"""How many empty rows stand below those there are."""
KINDS: Final[dict[str, type[Form]]] = {
    "seasons": SeasonInput,
    "adjustments": AdjustmentInput,
    "limits": LimitInput,
    "taxes": TaxInput,
}
_FORMS: Final[dict[bool, type[Form]]] = {True: ConditionsInput, False: RateInput}


@dataclass(frozen=True, slots=True)
class Row:
    """A class in the grid."""

    vehicle_class: VehicleClass
    form: Bound[Any]
    is_sent: bool = False
    """Whether it was on the page that was sent: a class added meanwhile was not."""


def grid(
    season: str,
    classes: Sequence[VehicleClass],
    known: Mapping[UUID, pricing.ClassPrices],
    typed: Typed | None = None,
) -> list[Row]:
    """A row for each class: as kept, or as typed."""
    kind = _FORMS[season == "conditions"]
    rows = []
    for each in classes:
        at = f"{each.id}-"
        kept = _kept(season, known.get(each.id))
        sent = _below(at, typed or {})
        form = bind(kind, sent) if sent else blank(kind, kept)
        form.prefix, form.id = at, str(each.id)
        rows.append(Row(each, form, bool(sent)))
    return rows


def refuse_unknown(classes: Sequence[VehicleClass], typed: Typed) -> None:
    """Refuse fields that belong to no class.

    Raises:
        Invalid: naming them.
    """
    known = tuple(f"{each.id}-" for each in classes)
    errors = [FieldError(key, UNKNOWN) for key in typed if not key.startswith(known)]
    if errors:
        raise Invalid(errors=errors)


def _kept(season: str, prices: pricing.ClassPrices | None) -> dict[str, Any]:
    if prices is None:
        return {}
    if season == "conditions":
        return typing.shown_conditions(prices)
    return typing.shown_rate(prices.seasons.get(season) if season else prices.rate)


def prices(
    rows: Iterable[Row], season: str, known: Mapping[UUID, pricing.ClassPrices]
) -> dict[UUID, pricing.ClassPrices]:
    """What the classes cost with what was typed; a class without a price is left out.

    Raises:
        Invalid: a field is wrong, or a price is taken from a class that had one.
    """
    errors = [FieldError("", _("Mend the fields that are marked"))]
    made = {}
    wrong = False
    for row in rows:
        if not row.is_sent:
            continue
        before = known.get(row.vehicle_class.id)
        after = _changed(row.form, season, before) if row.form.ok else None
        wrong = wrong or not row.form.ok
        if after is not None:
            made[row.vehicle_class.id] = after
    if wrong:
        raise Invalid(errors=errors)
    return made


def _changed(
    form: Bound[Any], season: str, before: pricing.ClassPrices | None
) -> pricing.ClassPrices | None:
    if season == "conditions":
        given = typing.conditions(form.value)
        return msgspec.structs.replace(before, **given) if before else None
    rate = typing.rate(form.value)
    if season:
        if before is None:
            return None
        others = {code: each for code, each in before.seasons.items() if code != season}
        seasons = others if rate is None else others | {season: rate}
        return msgspec.structs.replace(before, seasons=seasons)
    if rate is None:
        if before is not None:
            form.errors.append(FieldError("day", _("A class that has a price keeps one")))
            raise Invalid(errors=[FieldError("", _("Mend the fields that are marked"))])
        return None
    return msgspec.structs.replace(before, rate=rate) if before else pricing.ClassPrices(rate=rate)


@dataclass(kw_only=True)
class Rules:
    """The page of rules: the fees, and rows of seasons, adjustments, limits and taxes."""

    fees: Bound[FeesInput]
    rows: dict[str, list[Bound[Any]]] = field(default_factory=dict)

    @classmethod
    def kept(cls, house: pricing.HouseRules) -> Rules:
        """As a list keeps them, with empty rows to fill in."""
        shown = typing.rows(house)
        made = cls(fees=blank(FeesInput, typing.fees(house)))
        for name, kind in KINDS.items():
            forms = [blank(kind, row) for row in shown[name]]
            made.rows[name] = forms + [blank(kind) for _empty in range(BLANK[name])]
        made._name_rows()
        return made

    @classmethod
    def typed(cls, typed: Typed) -> Rules:
        """As they were typed; a row that was emptied is gone."""
        rows = tuple(f"{name}-" for name in KINDS)
        own = {key: value for key, value in typed.items() if not key.startswith(rows)}
        made = cls(fees=bind(FeesInput, own))
        for name, kind in KINDS.items():
            found = [_below(at, typed) for at in _prefixes(name, typed)]
            filled = [row for row in found if any(row[key] for key in row if key != "code")]
            made.rows[name] = [bind(kind, row) for row in filled]
        made._name_rows()
        return made

    def _name_rows(self) -> None:
        for name, forms in self.rows.items():
            for place, form in enumerate(forms):
                form.prefix = f"{name}-{place}-"
                form.id = f"{name}-{place}"

    @property
    def value(self) -> pricing.HouseRules:
        """What was typed.

        Raises:
            Invalid: a field is wrong; each form says which.
        """
        forms = [self.fees, *(form for rows in self.rows.values() for form in rows)]
        if not all(form.ok for form in forms):
            marked = FieldError("", _("Mend the fields that are marked"))
            raise Invalid(errors=[marked, *self.fees.stray_errors])
        given = {name: [form.value for form in rows] for name, rows in self.rows.items()}
        return typing.house(self.fees.value, **given)

    def refuse(self, error: DomainError) -> None:
        """A service's objections, each at the field that it names."""
        for each in error.errors:
            found = re.fullmatch(r"(\w+)\[(\d+)\]\.(\w+)", each.field)
            if found and int(found[2]) < len(self.rows.get(found[1], ())):
                form: Bound[Any] = self.rows[found[1]][int(found[2])]
                form.errors.append(FieldError(_field(found[3]), each.message))
            elif each.field in FeesInput.__struct_fields__:
                self.fees.errors.append(each)


def _field(name: str) -> str:
    return "name_en" if name == "name" else name


def _below(at: str, typed: Typed) -> dict[str, Any]:
    return {key.removeprefix(at): value for key, value in typed.items() if key.startswith(at)}


def _prefixes(name: str, typed: Typed) -> list[str]:
    places = {int(found[1]) for key in typed if (found := re.match(rf"{name}-(\d{{1,3}})-", key))}
    return [f"{name}-{place}-" for place in sorted(places)]

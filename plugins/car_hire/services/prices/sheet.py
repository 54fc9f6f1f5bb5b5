"""A list's rates as a sheet, out and in again: a row for each class and season.

What a sheet does not name stays as it is. Commas or semicolons part the columns; with semicolons
numbers may have a decimal comma, as spreadsheets in much of Europe write them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

import msgspec

from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, fill
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices.typed import plain

UNITS: Final = ("hour", "day", "weekend", "week", "month")
HEAD: Final = ("class", "season", *UNITS)
MOST_ROWS: Final = 2000
HIGHEST: Final = Decimal("9999999999")
Rates = Mapping[UUID, pricing.ClassPrices]


@dataclass(frozen=True, slots=True)
class Change:
    """What a row of the sheet would change; None is not offered."""

    row: int
    class_name: str
    season: str
    unit: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class Read:
    """What a sheet says: the prices of the classes that it changes, and each change."""

    prices: Rates
    changes: Sequence[Change]


def written(house: pricing.HouseRules, classes: Sequence[VehicleClass], known: Rates) -> str:
    """The rates of a list as a sheet; amounts are net of tax."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEAD)
    for each in classes:
        prices = known.get(each.id)
        if prices is None:
            continue
        for code in ("", *(season.code for season in house.seasons)):
            rate = prices.seasons.get(code) if code else prices.rate
            amounts = [plain(getattr(rate, unit)) if rate else "" for unit in UNITS]
            rows.writerow([_safe(each.name), code, *amounts])
    return out.getvalue()


def _safe(text: str) -> str:
    """A name that a spreadsheet takes for no formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text


def read(
    text: str, house: pricing.HouseRules, classes: Sequence[VehicleClass], known: Rates
) -> Read:
    """What a sheet would make of a list; nothing is written.

    Raises:
        Invalid: naming each row and column at fault.
    """
    rows = _rows(text)
    reading = _Reading(
        names={each.name.casefold(): each for each in classes},
        seasons={each.code for each in house.seasons},
        known=known,
    )
    for place, row in rows:
        reading.take(place, row)
    if reading.errors:
        raise Invalid(reading.errors[0].message, errors=reading.errors[:50])
    return Read(reading.prices, reading.changes)


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    first = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        given = csv.DictReader(
            io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter, strict=True
        )
        named = [str(name or "").strip().lower() for name in given.fieldnames or ()]
        rows = [
            (
                place,
                {
                    str(name or "").strip().lower(): str(value or "").strip()
                    for name, value in row.items()
                },
            )
            for place, row in enumerate(given, start=2)
        ]
    except csv.Error:
        raise Invalid(_("This is no sheet of rows and columns"), field="sheet") from None
    missing = [name for name in ("class", "season", "day") if name not in named]
    if missing:
        text_ = fill(_("The sheet has no column {name}. Keep the first row"), name=missing[0])
        raise Invalid(text_, field="sheet")
    if len(rows) > MOST_ROWS:
        raise Invalid(_("These are too many rows"), field="sheet")
    return rows


class _Reading:
    """The sheet, row by row."""

    def __init__(self, names: Mapping[str, VehicleClass], seasons: set[str], known: Rates) -> None:
        self._names, self._seasons, self._known = names, seasons, known
        self._seen: set[tuple[UUID, str]] = set()
        self.prices: dict[UUID, pricing.ClassPrices] = {}
        self.changes: list[Change] = []
        self.errors: list[FieldError] = []

    def take(self, place: int, row: Mapping[str, str]) -> None:
        """Take one row in, or note what is wrong with it."""
        if not any(row.values()):
            return
        season = row.get("season", "")
        found = self._names.get(row.get("class", "").lstrip("'").casefold())
        if found is None:
            self._wrong(place, "class", _("there is no class of this name"))
        elif season and season not in self._seasons:
            self._wrong(place, "season", _("this list has no such season"))
        elif (found.id, season) in self._seen:
            self._wrong(place, "class", _("this class and season stand in another row, too"))
        else:
            self._seen.add((found.id, season))
            self._rate(place, row, found, season)

    def _rate(self, place: int, row: Mapping[str, str], found: VehicleClass, season: str) -> None:
        wrong = len(self.errors)
        amounts = {unit: self._amount(place, unit, row.get(unit, "")) for unit in UNITS}
        day, others = amounts["day"], [amounts[unit] for unit in UNITS if unit != "day"]
        before = self.prices.get(found.id) or self._known.get(found.id)
        if day is None and any(each is not None for each in others):
            self._wrong(place, "day", _("say what a day costs, too"))
        elif day is None and not season and before is not None:
            self._wrong(place, "day", _("a class that has a price keeps one"))
        elif season and before is None:
            self._wrong(place, "season", _("give the class its usual price first"))
        if len(self.errors) > wrong:
            return
        rate = None
        if day is not None:
            rest = {unit: amount for unit, amount in amounts.items() if unit != "day"}
            rate = pricing.Rate(day=day, **rest)
        old = None
        if before is not None:
            old = before.seasons.get(season) if season else before.rate
        if rate == old:
            return
        self._changed(place, found, season, old, rate)
        self.prices[found.id] = _with(before, season, rate)

    def _changed(
        self,
        place: int,
        found: VehicleClass,
        season: str,
        old: pricing.Rate | None,
        rate: pricing.Rate | None,
    ) -> None:
        for unit in UNITS:
            was: Decimal | None = getattr(old, unit, None)
            will: Decimal | None = getattr(rate, unit, None)
            if was != will:
                self.changes.append(Change(place, found.name, season, unit, was, will))

    def _amount(self, place: int, unit: str, text: str) -> Decimal | None:
        if not text:
            return None
        plain_text = text.replace(",", ".") if "." not in text else text
        try:
            value = Decimal(plain_text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 <= value <= HIGHEST or value != round(value, 4):
            self._wrong(place, unit, _("write an amount such as 39.90"))
            return None
        return value

    def _wrong(self, place: int, column: str, text: LazyText) -> None:
        said = fill(_("Row {row}, {column}: {what}"), row=place, column=column, what=text)
        self.errors.append(FieldError("sheet", said))


def _with(
    before: pricing.ClassPrices | None, season: str, rate: pricing.Rate | None
) -> pricing.ClassPrices:
    if before is None:
        assert rate is not None
        return pricing.ClassPrices(rate=rate)
    if not season:
        assert rate is not None
        return msgspec.structs.replace(before, rate=rate)
    others = {code: each for code, each in before.seasons.items() if code != season}
    seasons = others if rate is None else others | {season: rate}
    return msgspec.structs.replace(before, seasons=seasons)

"""The fleet as CSV: given out, and brought in after a trial that changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, FieldError, Invalid
from core.i18n import LazyText, _, fill
from core.web.forms import bind
from plugins.car_hire.models import Branch, Vehicle, VehicleClass
from plugins.car_hire.schemas import VehicleInput
from plugins.car_hire.services import checks, fleet

COLUMNS: Final = (
    "plate", "class", "make", "model", "year", "colour", "vin", "odometer_km", "fuel_eighths",
    "status", "home_branch",
)  # fmt: skip
NEEDED: Final = ("plate",)
MOST: Final = 500
"""Cars in one file, so that all of them are brought in while somebody waits."""
EXPORTED: Final = 20_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMN_OF: Final = {"class_id": "class", "home_branch_id": "home_branch"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a cell; ``line`` is that of the file, the header being the first."""

    line: int
    column: str
    message: LazyText | str


class Cell(NamedTuple):
    """What a car's column says now, and what the file says."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A car that the file changes."""

    plate: str
    cells: Sequence[Cell]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a file does, or would do; of new cars the plates."""

    added: list[str] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, and something would happen."""
        return not self.wrong and bool(self.added or self.changed)


async def trial(session: AsyncSession, text: str) -> Outcome:
    """What a file would do, by doing it and taking it back.

    Raises:
        Invalid: it is no such file, as field ``file``.
    """
    rows = read(text)
    async with session.begin_nested() as savepoint:
        outcome = await _apply(session, rows)
        await savepoint.rollback()
    return outcome


async def bring_in(session: AsyncSession, text: str) -> Outcome:
    """Add and change the cars of a file: all of them, or none.

    Raises:
        Invalid: it is no such file, as field ``file``.
    """
    rows = read(text)
    async with session.begin_nested() as savepoint:
        outcome = await _apply(session, rows)
        if outcome.wrong:
            await savepoint.rollback()
    return outcome


def decoded(content: bytes) -> str:
    """The text of a file as spreadsheets write it: UTF-8, or else the code page of Windows."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read(text: str) -> Sequence[tuple[int, dict[str, str]]]:
    """The rows of a file by their lines.

    Raises:
        Invalid: columns are missing or unknown, or there are too many rows.
    """
    if "\0" in text:
        raise Invalid(_("This is no CSV file"), field="file")
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = [row for row in csv.reader(StringIO(text), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        raise Invalid(_("This is no CSV file"), field="file") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in header]
    if unknown or missing or len(set(header)) < len(header):
        wrong = ", ".join((unknown or missing or header)[:12])[:200]
        raise Invalid(
            fill(_("The first line names the columns; look at: {columns}"), columns=wrong),
            field="file",
        )
    if len(rows) > MOST + 1:
        raise Invalid(_("Five hundred cars at once; send the rest afterwards"), field="file")
    return [
        (line, {name: _plain(cell) for name, cell in zip(header, row, strict=False)})
        for line, row in enumerate(rows[1:], start=2)
    ]


def _plain(cell: str) -> str:
    """Without the mark by which we keep a spreadsheet from running a cell."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


async def _apply(session: AsyncSession, rows: Sequence[tuple[int, dict[str, str]]]) -> Outcome:
    outcome, known = Outcome(), await _known(session)
    seen: set[str] = set()
    for line, row in rows:
        try:
            async with session.begin_nested():
                await _bring(session, row, known, seen, outcome)
        except DomainError as error:
            found = error.errors or (FieldError("plate", error.message),)
            outcome.wrong += [
                Wrong(line, _COLUMN_OF.get(each.field, each.field), each.message) for each in found
            ]
    return outcome


@dataclass(frozen=True, slots=True)
class _Known:
    classes: Mapping[str, UUID]
    branches: Mapping[str, UUID]
    cars: Mapping[str, UUID]
    names: Mapping[UUID, str]
    """Of classes and branches, as a file gives them."""


async def _known(session: AsyncSession) -> _Known:
    classes = (await session.execute(select(VehicleClass.name, VehicleClass.id))).all()
    branches = (await session.execute(select(Branch.code, Branch.id))).all()
    cars = await session.execute(
        select(Vehicle.plate, Vehicle.id).where(Vehicle.status != fleet.RETIRED)
    )
    return _Known(
        {name.lower(): class_id for name, class_id in classes},
        {code.lower(): branch_id for code, branch_id in branches},
        dict(cars.all()),
        {each: name for name, each in (*classes, *branches)},
    )


async def _bring(
    session: AsyncSession, row: dict[str, str], known: _Known, seen: set[str], outcome: Outcome
) -> None:
    plate = checks.normal_plate(row.get("plate", ""))
    if plate in seen:
        raise Invalid(_("Another line has this plate"), field="plate")
    seen.add(plate)
    car_id = known.cars.get(plate)
    car = await fleet.vehicle(session, car_id) if car_id else None
    before = _values(car) if car else {}
    typed, unknown = _typed(row, known)
    form = bind(VehicleInput, before | typed | {"plate": plate})
    if unknown:
        named = {each.field for each in unknown}
        more = [each for each in form.errors if each.field not in named]
        raise Invalid(errors=[*unknown, *more])
    given = form.value
    if car is None:
        await fleet.add_vehicle(session, given)
        outcome.added.append(plate)
        return
    after = {name: getattr(given, name) for name in VehicleInput.__struct_fields__}
    after["vin"] = checks.normal_vin(given.vin) if given.vin.strip() else ""
    if after == before:
        outcome.unchanged += 1
        return
    await fleet.change_vehicle(session, car.id, given, None)
    outcome.changed.append(Changed(plate, _differences(before, after, known)))


def _values(car: Vehicle) -> dict[str, Any]:
    return {name: getattr(car, name) for name in VehicleInput.__struct_fields__} | {
        "vin": car.vin or ""
    }


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], known: _Known
) -> Sequence[Cell]:
    """As cells of the file: a class by its name, a branch by its code."""

    def told(value: Any) -> str:
        return str(known.names.get(value, value))

    return [
        Cell(_COLUMN_OF.get(name, name), told(was), told(after[name]))
        for name, was in before.items()
        if was != after[name]
    ]


def _typed(row: dict[str, str], known: _Known) -> tuple[dict[str, Any], list[FieldError]]:
    """What a row says, an empty cell nothing; and names in it that nothing here has."""
    errors, typed = [], {name: cell for name, cell in row.items() if cell and name != "plate"}
    for column, name, ids in (
        ("class", "class_id", known.classes),
        ("home_branch", "home_branch_id", known.branches),
    ):
        cell = typed.pop(column, None)
        if cell is None:
            continue
        found = ids.get(cell.lower())
        if found is None:
            said = fill(_("There is none called {name}"), name=cell[:80])
            errors.append(FieldError(name, said))
        else:
            typed[name] = str(found)
    return typed, errors


async def exported(session: AsyncSession) -> str:
    """The whole fleet as CSV, in the columns that are brought in."""
    query = (
        select(Vehicle, VehicleClass.name, Branch.code)
        .join(VehicleClass, VehicleClass.id == Vehicle.class_id)
        .join(Branch, Branch.id == Vehicle.home_branch_id)
        .order_by(Vehicle.id)
        .limit(EXPORTED)
    )
    made = StringIO()
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    for car, class_name, code in (await session.execute(query)).all():
        writer.writerow(map(_safe, _cells(car, class_name, code)))
    return made.getvalue()


def _cells(car: Vehicle, class_name: str, code: str) -> Iterator[str]:
    told = {"class": class_name, "home_branch": code, "vin": car.vin or ""}
    for column in COLUMNS:
        yield str(told[column] if column in told else getattr(car, column))


def _safe(cell: str) -> str:
    """Nothing that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell

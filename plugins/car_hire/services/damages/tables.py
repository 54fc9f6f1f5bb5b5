"""The table of damage prices, in versions: a hire goes by the one that counted when it began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import EditedMeanwhile, FieldError, Invalid
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import DamagePrices, VehicleClass
from plugins.car_hire.models.zones import CLEANING, KINDS, PARTS, SEVERITIES, ZONES
from plugins.car_hire.services import checks

FURTHEST: Final = timedelta(days=730)
ONE: Final = Decimal(1)

Grid = dict[str, dict[str, Decimal]]
"""Prices net of tax by part and kind, such as ``{"door": {"dent": 180}}``."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What damage of medium severity costs by part and kind, and what dirt costs.

    Amounts are in the tenant's currency, net of tax; ``shares`` say what light and severe damage
    cost of that: 0.5 is half.
    """

    every: Grid = {}
    classes: dict[str, Grid] = {}
    """By the id of a class: what differs from ``every`` there."""
    shares: dict[str, Decimal] = {}
    cleaning: dict[str, Decimal] = {}

    def price(self, class_id: UUID, zone: str, kind: str, severity: str) -> Decimal | None:
        """What one damage costs; None: the table does not say."""
        part = ZONES[zone].part
        own = self.classes.get(str(class_id), {}).get(part, {}).get(kind)
        usual = own if own is not None else self.every.get(part, {}).get(kind)
        return None if usual is None else usual * self.shares.get(severity, ONE)


NOTHING: Final = Table()


def typed(prices: Mapping[str, Any]) -> Table:
    """A table that a program sent; amounts are numbers or decimal numerals.

    Raises:
        Invalid: it has another form; what it says is looked at when it is published.
    """
    try:
        return msgspec.convert(prices, Table)
    except msgspec.ValidationError:
        raise Invalid(_("This does not have the expected form."), field="prices") from None


async def counting(session: AsyncSession, at: datetime | None = None) -> DamagePrices | None:
    """The version that counts at a moment, None being now."""
    query = (
        select(DamagePrices)
        .where(DamagePrices.effective_from <= (at or clock.now()))
        .order_by(DamagePrices.effective_from.desc(), DamagePrices.number.desc())
        .limit(1)
    )
    found: DamagePrices | None = await session.scalar(query)
    return found


async def read(session: AsyncSession, at: datetime | None = None) -> Table:
    """What damage costs at a moment, None being now; nothing has a price before the first one."""
    found = await counting(session, at)
    return NOTHING if found is None else msgspec.convert(found.prices, Table)


async def history(session: AsyncSession) -> Sequence[DamagePrices]:
    """The newest fifty versions, newest first."""
    query = select(DamagePrices).order_by(DamagePrices.number.desc()).limit(50)
    return (await session.scalars(query)).all()


async def newest(session: AsyncSession) -> tuple[int, Table]:
    """The last version that was made, whether it counts yet or not: what the owner goes on from."""
    query = select(DamagePrices).order_by(DamagePrices.number.desc()).limit(1)
    found = await session.scalar(query)
    return (0, NOTHING) if found is None else (found.number, msgspec.convert(found.prices, Table))


async def publish(
    session: AsyncSession,
    table: Table,
    effective_from: datetime | None = None,
    expected: int | None = None,
) -> DamagePrices:
    """The next version, which counts from ``effective_from`` on, None being now.

    Raises:
        Invalid: naming each price at fault, a class that there is not, or the moment.
        EditedMeanwhile: somebody else made a version after number ``expected``.
    """
    now = clock.now()
    classes = {str(each) for each in await session.scalars(select(VehicleClass.id))}
    checks.refuse([*_wrong(table, classes), _moment(effective_from, now)])
    # Two owners at once: the second waits for the first, and is told.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
    number, _known = await newest(session)
    if expected is not None and expected != number:
        raise EditedMeanwhile
    person = identity.current()
    made = DamagePrices(
        id=new_id(),
        number=number + 1,
        prices=msgspec.to_builtins(table),
        effective_from=effective_from or now,
        made_by=person.user_id if person else None,
    )
    session.add(made)
    await session.flush()
    await audit.record(
        session, "car_hire.damage_prices_published", "car_hire.damage_prices", made.id,
        {"number": made.number, "effective_from": made.effective_from.isoformat()},
    )  # fmt: skip
    return made


_LOCK: Final = func.concat("car_hire.damage_prices:", func.current_setting("role"))


def _moment(effective_from: datetime | None, now: datetime) -> FieldError | None:
    if effective_from is None or now <= effective_from <= now + FURTHEST:
        return None
    return FieldError("effective_from", _("Choose a moment between now and two years ahead"))


def _wrong(table: Table, classes: set[str]) -> Iterator[FieldError | None]:
    for class_id, grid in (("", table.every), *table.classes.items()):
        if class_id and class_id not in classes:
            yield FieldError(f"classes.{class_id}", _("There is no such class"))
        above = f"classes.{class_id}" if class_id else "every"
        for part, row in grid.items():
            if part not in PARTS:
                yield FieldError(f"{above}.{part}", _("There is no such part"))
            for kind, price in row.items():
                yield (
                    checks.amount(f"{above}.{part}.{kind}", price)
                    if kind in KINDS
                    else FieldError(f"{above}.{part}.{kind}", _("There is no such damage"))
                )
    for severity, share in table.shares.items():
        if severity not in SEVERITIES or not (share.is_finite() and 0 <= share <= 20):
            yield FieldError(f"shares.{severity}", _("Enter a percentage between 0 and 2000"))
    for level, price in table.cleaning.items():
        yield (
            checks.amount(f"cleaning.{level}", price)
            if level in CLEANING
            else FieldError(f"cleaning.{level}", _("There is no such price"))
        )


def refuse_unknown_level(terms_cleaning: dict[str, Decimal], level: str | None) -> None:
    """Let through a level of dirt that has a price.

    Raises:
        Invalid: it has none.
    """
    if level is not None and level not in terms_cleaning:
        raise Invalid(
            _("Cleaning has no price yet: the owner enters it under damage prices"),
            field="cleaning",
        )

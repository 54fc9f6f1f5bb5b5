"""The owner's table of damage prices: a grid of parts and kinds, for every class and for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, FieldError, Invalid
from core.i18n import _
from core.permissions import permission
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.forms.messages import UNKNOWN
from core.web.pages import Page, SeeOther
from plugins.car_hire.models.zones import KINDS, PARTS
from plugins.car_hire.routes.http import RATES, AnyRequest, version_seen
from plugins.car_hire.schemas_damages import HouseInput, PartInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.damages import tables

PATH: Final = "/car-hire/desk/damage-prices"
ACCESS = permission(RATES)
HUNDRED: Final = Decimal(100)
Session = NamedDependency[AsyncSession]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The grid of every class, or of one, as kept or as typed; ``house`` stands on the first."""

    class_id: str
    house: Bound[HouseInput]
    parts: Mapping[str, Bound[PartInput]]

    @classmethod
    def kept(cls, table: tables.Table, class_id: str) -> Sheet:
        """As the newest version says."""
        grid = table.classes.get(class_id, {}) if class_id else table.every
        shares = {key: share * HUNDRED for key, share in table.shares.items()}
        amounts = {
            "light_percent": shares.get("light", Decimal(50)).normalize(),
            "severe_percent": shares.get("severe", Decimal(200)).normalize(),
            "cleaning_light": table.cleaning.get("light"),
            "cleaning_heavy": table.cleaning.get("heavy"),
        }
        usual = {key: format(value, "f") for key, value in amounts.items() if value is not None}
        return cls(class_id, blank(HouseInput, usual), {
            part: _below(part, blank(PartInput, grid.get(part, {}))) for part in PARTS
        })  # fmt: skip

    @classmethod
    def typed(cls, typed: Mapping[str, Any], class_id: str) -> Sheet:
        """As it was sent."""
        parts = {part: _below(part, bind(PartInput, _within(f"{part}-", typed))) for part in PARTS}
        known = tuple(f"{part}-" for part in PARTS)
        rest = {key: value for key, value in typed.items() if not key.startswith(known)}
        house = bind(HouseInput, rest)
        if class_id and "light_percent" in typed:
            house.errors.append(FieldError("light_percent", UNKNOWN))
        return cls(class_id, house, parts)

    def applied(self, table: tables.Table) -> tables.Table:
        """``table`` with what was typed.

        Raises:
            Invalid: something is marked.
        """
        if not self.house.ok or not all(each.ok for each in self.parts.values()):
            raise Invalid(errors=[FieldError("", _("Mend the fields that are marked"))])
        grid = {part: _prices(form.value) for part, form in self.parts.items()}
        grid = {part: row for part, row in grid.items() if row}
        if self.class_id:
            classes = {**table.classes, self.class_id: grid}
            return msgspec.structs.replace(table, classes={k: v for k, v in classes.items() if v})
        house = self.house.value
        cleaning = {"light": house.cleaning_light, "heavy": house.cleaning_heavy}
        return msgspec.structs.replace(
            table,
            every=grid,
            shares={
                "light": house.light_percent / HUNDRED,
                "severe": house.severe_percent / HUNDRED,
            },
            cleaning={level: price for level, price in cleaning.items() if price is not None},
        )


def _below(part: str, form: Bound[PartInput]) -> Bound[PartInput]:
    form.prefix, form.id = f"{part}-", part
    return form


def _within(prefix: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    return {key[len(prefix) :]: v for key, v in typed.items() if key.startswith(prefix)}


def _prices(given: PartInput) -> dict[str, Decimal]:
    found = {kind: getattr(given, kind) for kind in KINDS}
    return {kind: price for kind, price in found.items() if price is not None}


class DamagePrices(Controller):
    """What damage and cleaning cost."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def show(self, session: Session, class_id: FromQuery[str] = "") -> Page:
        """The newest version, for every class or for one."""
        chosen = await _chosen(session, class_id)
        _number, table = await tables.newest(session)
        return await _page(session, Sheet.kept(table, chosen))

    @post(access=ACCESS)
    async def publish(
        self, request: AnyRequest, session: Session, class_id: FromQuery[str] = ""
    ) -> Page | SeeOther:
        """The next version; with an error, as it was typed."""
        chosen = await _chosen(session, class_id)
        typed = await typed_fields(request)
        expected = version_seen(typed)
        sheet = Sheet.typed(typed, chosen)
        try:
            _number, table = await tables.newest(session)
            made = sheet.applied(table)
            when = sheet.house.value.effective_from
            await tables.publish(session, made, when, expected)
        except DomainError as error:
            return await _page(session, sheet, error)
        return SeeOther(f"{PATH}?class_id={chosen}", flash=_("Saved as the next version"))


async def _chosen(session: AsyncSession, class_id: str) -> str:
    """The class of a tab; none is every class.

    Raises:
        NotFound: there is no such class.
    """
    if not class_id:
        return ""
    try:
        found = await fleet.vehicle_class(session, UUID(class_id))
    except ValueError:
        found = await fleet.vehicle_class(session, UUID(int=0))
    return str(found.id)


async def _page(session: AsyncSession, sheet: Sheet, error: DomainError | None = None) -> Page:
    number, table = await tables.newest(session)
    classes = await fleet.classes(session)
    return Page(
        "car_hire/desk/damage_prices.html",
        {
            "sheet": sheet,
            "number": number,
            "usual": table.every,
            "parts_named": PARTS,
            "tabs": [("", _("Every class")), *((str(each.id), each.name) for each in classes)],
            "versions": await tables.history(session),
            "error": error,
        },
        status=error.status if error else 200,
    )


CONTROLLERS = (DamagePrices,)

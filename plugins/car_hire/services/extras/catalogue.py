"""What is hired with a car: kept by the owner, with prices that count from a moment on.

Prices stand on their own, beside the price lists: an extra costs the same in every season, and its
price changes on a day of its own. A quote keeps the prices it was made with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import clock
from core.audit import services as audit
from core.errors import FieldError, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import COVERS, SIDES, Extra, ExtraPrice, VehicleClass
from plugins.car_hire.schemas_extras import ExtraInput, NewExtraInput
from plugins.car_hire.services import pricing
from plugins.car_hire.services.editing import Keys, edit, unique
from plugins.car_hire.services.extras.locking import lock_extras

SUBJECT: Final = "car_hire.extra"
FURTHEST: Final = timedelta(days=730)
ORDER: Final = ("extra", "driver", "basic", "cover", "partial")
_KEYS: Final[Keys] = {
    "uq_car_hire_extras_code": ("code", _("There is an extra of this code")),
    "uq_car_hire_extras_driver": ("kind", _("There is one price for additional drivers")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An extra with the price that counts."""

    extra: Extra
    price: ExtraPrice

    @property
    def code(self) -> str:
        """What quotes go by."""
        return self.extra.code

    @property
    def kind(self) -> str:
        """Extra, driver or one of the covers."""
        return self.extra.kind

    @property
    def priced(self) -> pricing.Extra:
        """As a quote keeps it."""
        kind = "cover" if self.extra.is_cover else self.extra.kind
        return pricing.Extra(
            code=self.extra.code,
            texts=self.extra.texts,
            kind=kind,  # type: ignore[arg-type]  # one of the three
            price=self.price.price,
            per="hire" if self.price.per == "hire" else "day",
            cap=self.price.cap,
        )

    @property
    def waiver(self) -> pricing.Waiver:
        """What the cover does to damage."""
        excluded = tuple(zone for zone in SIDES if zone not in self.extra.zones)
        return pricing.Waiver(code=self.extra.code, excess=self.price.excess, excluded=excluded)


async def everything(session: AsyncSession) -> list[Offered]:
    """Every extra and cover with the price that counts: two hundred at most."""
    return await _priced(session, select(Extra).limit(200))


async def offered(
    session: AsyncSession, class_id: UUID, also: Collection[str] = ()
) -> list[Offered]:
    """What customers may choose with a class, and what has the codes ``also``: one statement."""
    wanted = select(Extra).where(or_(Extra.on_offer, Extra.code.in_(also)))
    return going_with(class_id, await _priced(session, wanted), also)


def going_with(
    class_id: UUID, found: Sequence[Offered], also: Collection[str] = ()
) -> list[Offered]:
    """Those that go with a class, and what has the codes ``also``."""
    return [
        each
        for each in found
        if each.code in also or not each.extra.class_ids or str(class_id) in each.extra.class_ids
    ]


async def _priced(session: AsyncSession, extras: Any) -> list[Offered]:
    begun = aliased(ExtraPrice)
    newest = (
        select(func.max(begun.effective_from))
        .where(begun.extra_id == Extra.id, begun.effective_from <= clock.now())
        .correlate(Extra)
        .scalar_subquery()
    )
    # An extra whose first price is still to come has none yet, and is not there.
    query = extras.add_columns(ExtraPrice).join(ExtraPrice, ExtraPrice.extra_id == Extra.id)
    query = query.where(ExtraPrice.effective_from == newest)
    rows = [Offered(extra=row[0], price=row[1]) for row in await session.execute(query)]
    return sorted(rows, key=lambda each: (ORDER.index(each.kind), -each.price.excess, each.code))


async def one(session: AsyncSession, extra_id: UUID) -> Extra:
    """One extra.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Extra, extra_id)
    if found is None:
        raise NotFound(_("There is no such extra"))
    return found


async def prices(session: AsyncSession, extra_id: UUID) -> Sequence[ExtraPrice]:
    """The prices of an extra, the newest first: at most fifty."""
    query = select(ExtraPrice).where(ExtraPrice.extra_id == extra_id)
    newest = query.order_by(ExtraPrice.effective_from.desc()).limit(50)
    return (await session.scalars(newest)).all()


async def price_now(session: AsyncSession, extra_id: UUID) -> ExtraPrice:
    """The price that counts; of one that has not begun to, the first."""
    known = await prices(session, extra_id)
    begun = [each for each in known if each.effective_from <= clock.now()]
    return begun[0] if begun else known[-1]


async def add(session: AsyncSession, given: NewExtraInput) -> Extra:
    """Add an extra; customers may choose it at once, unless its price begins later.

    Raises:
        Invalid: naming the fields at fault.
    """
    await _check(session, given, None)
    made = Extra(id=new_id(), version=1, code=given.code, **_values(given))
    async with unique(session, _KEYS):
        session.add(made)
    await _put_price(session, made.id, given)
    await audit.record(session, "car_hire.extra_added", SUBJECT, made.id, {"code": made.code})
    return made


async def change(
    session: AsyncSession, extra_id: UUID, given: ExtraInput, expected: int | None = None
) -> Extra:
    """Change an extra; another price counts from when it says, and the old one is kept.

    Raises:
        Invalid: naming the fields at fault.
        EditedMeanwhile: it changed since version ``expected``.
        NotFound: there is none.
    """
    await lock_extras(session, [extra_id])
    found = await session.get(Extra, extra_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such extra"))
    await _check(session, given, found)
    edit(found, expected)
    values = _values(given)
    changed = {key: [getattr(found, key), value] for key, value in values.items()}
    async with unique(session, _KEYS):
        for key, value in values.items():
            setattr(found, key, value)
    now = await price_now(session, extra_id)
    if _terms(given) != (now.per, now.price, now.cap, now.excess):
        changed["price"] = [now.price, given.price]
        await _put_price(session, extra_id, given)
    told = {key: pair for key, pair in changed.items() if pair[0] != pair[1]}
    await audit.record(session, "car_hire.extra_changed", SUBJECT, found.id, told)
    return found


async def withdraw_price(session: AsyncSession, extra_id: UUID, price_id: UUID) -> None:
    """Take back a price that does not count yet.

    Raises:
        NotFound: there is none that is still to come.
    """
    coming = delete(ExtraPrice).where(
        ExtraPrice.id == price_id,
        ExtraPrice.extra_id == extra_id,
        ExtraPrice.effective_from > clock.now(),
    )
    if await session.scalar(coming.returning(ExtraPrice.id)) is None:
        raise NotFound(_("There is no such price still to come"))
    await audit.record(session, "car_hire.extra_changed", SUBJECT, extra_id, {"price": "withdrawn"})


async def _put_price(session: AsyncSession, extra_id: UUID, given: ExtraInput) -> None:
    begins = given.effective_from or clock.now()
    per, price, cap, excess = _terms(given)
    same = select(ExtraPrice).where(
        ExtraPrice.extra_id == extra_id, ExtraPrice.effective_from == begins
    )
    row = await session.scalar(same) or ExtraPrice(
        id=new_id(), extra_id=extra_id, effective_from=begins
    )
    row.per, row.price, row.cap, row.excess = per, price, cap, excess
    session.add(row)
    await session.flush()


def _terms(given: ExtraInput) -> tuple[Any, ...]:
    return given.per, given.price, given.cap, given.excess or 0


def _values(given: ExtraInput) -> dict[str, Any]:
    return {
        "kind": given.kind,
        "texts": given.texts,
        "about": given.about,
        "stock": given.stock,
        "most": 1 if given.kind in COVERS else given.most,
        "class_ids": [str(each) for each in given.class_ids],
        "zones": list(given.zones) if given.kind in COVERS else [],
        "on_offer": given.on_offer,
    }


async def _check(session: AsyncSession, given: ExtraInput, known: Extra | None) -> None:
    errors = []
    if known is not None and known.is_cover != (given.kind in COVERS):
        errors.append(FieldError("kind", _("A cover stays a cover. Add another extra instead")))
    classes = select(VehicleClass.id).where(VehicleClass.id.in_(given.class_ids))
    if given.class_ids and len(set(await session.scalars(classes))) < len(set(given.class_ids)):
        errors.append(FieldError("class_ids", _("There is no such class")))
    begins: datetime | None = given.effective_from
    now = clock.now()
    if begins is not None and not now <= begins <= now + FURTHEST:
        text = _("Choose a moment between now and two years ahead")
        errors.append(FieldError("effective_from", text))
    if errors:
        raise Invalid(errors=errors)

"""Promotion codes, as the owner keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.errors import FieldError, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import Booking, Branch, Promotion, PromotionUse, VehicleClass
from plugins.car_hire.schemas_promotions import NewPromotionInput, PromotionInput, spelt
from plugins.car_hire.services import bookings
from plugins.car_hire.services.editing import Keys, edit, unique

PAGE_SIZE: Final = 50
SUBJECT: Final = "car_hire.promotion"
_KEYS: Final[Keys] = {
    "uq_car_hire_promotions_code": ("code", _("There is a promotion of this code already"))
}


async def page(
    session: AsyncSession,
    *,
    text: str = "",
    active: bool | None = None,
    before: UUID | None = None,
) -> Sequence[Promotion]:
    """A page of codes, newest first, one more than fits; ``text`` is how a code begins."""
    query = select(Promotion).order_by(Promotion.id.desc()).limit(PAGE_SIZE + 1)
    if text:
        query = query.where(Promotion.code.startswith(spelt(text), autoescape=True))
    if active is not None:
        query = query.where(Promotion.active == active)
    if before:
        query = query.where(Promotion.id < before)
    return (await session.scalars(query)).all()


async def one(session: AsyncSession, promotion_id: UUID) -> Promotion:
    """One code.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Promotion, promotion_id)
    if found is None:
        raise NotFound(_("There is no such promotion code"))
    return found


async def uses(
    session: AsyncSession, promotion_id: UUID, before: UUID | None = None
) -> Sequence[Row[Booking, str, str, str, str]]:
    """A page of the bookings that were made with a code, the newest first, one more than fits."""
    query = (
        bookings.listed()
        .join(PromotionUse, PromotionUse.booking_id == Booking.id)
        .where(PromotionUse.promotion_id == promotion_id)
        .order_by(Booking.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before:
        query = query.where(Booking.id < before)
    return (await session.execute(query)).all()


async def add(session: AsyncSession, given: NewPromotionInput) -> Promotion:
    """Add a code.

    Raises:
        Invalid: naming the fields at fault.
    """
    await _check(session, given)
    made = Promotion(id=new_id(), version=1, code=spelt(given.code), **_values(given))
    async with unique(session, _KEYS):
        session.add(made)
    await audit.record(session, "car_hire.promotion_added", SUBJECT, made.id, {"code": made.code})
    return made


async def change(
    session: AsyncSession,
    promotion_id: UUID,
    given: PromotionInput,
    expected: int | None = None,
) -> Promotion:
    """Change what a code takes off and for whom; quotes and bookings already made keep theirs.

    Raises:
        Invalid: naming the fields at fault.
        EditedMeanwhile: it changed since version ``expected``.
        NotFound: there is none.
    """
    found = await session.get(Promotion, promotion_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such promotion code"))
    await _check(session, given)
    edit(found, expected)
    values = _values(given)
    changed = {key: [getattr(found, key), value] for key, value in values.items()}
    for key, value in values.items():
        setattr(found, key, value)
    await session.flush()
    told = {key: pair for key, pair in changed.items() if pair[0] != pair[1]}
    await audit.record(session, "car_hire.promotion_changed", SUBJECT, found.id, told)
    return found


def _values(given: PromotionInput) -> dict[str, Any]:
    return {
        "texts": given.texts,
        "share": (given.percent or Decimal(0)) / 100,
        "amount": given.amount or Decimal(0),
        "booked_from": given.booked_from,
        "booked_to": given.booked_to,
        "hired_from": given.hired_from,
        "hired_to": given.hired_to,
        "class_ids": [str(each) for each in given.class_ids],
        "branch_ids": [str(each) for each in given.branch_ids],
        "days_from": given.days_from,
        "most_uses": given.most_uses,
        "most_each": given.most_each,
        "combines": given.combines,
        "active": given.active,
    }


async def _check(session: AsyncSession, given: PromotionInput) -> None:
    errors = []
    for field, column, text in (
        ("class_ids", VehicleClass.id, _("There is no such class")),
        ("branch_ids", Branch.id, _("There is no such branch")),
    ):
        wanted = set(getattr(given, field))
        known = select(column).where(column.in_(wanted))
        if wanted and set(await session.scalars(known)) != wanted:
            errors.append(FieldError(field, text))
    if errors:
        raise Invalid(errors=errors)

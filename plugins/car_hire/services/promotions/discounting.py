"""From the code that somebody typed, or that they are a student, to what a quote keeps.

A code that a quote has already keeps what it takes off, whatever the owner changes. How often it
was used is counted when the quote is booked (``using``); here is only said what is plain already.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec
from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Invalid
from core.i18n import LazyText, _, fill, locale
from core.web.formatting import moment
from plugins.car_hire import policy
from plugins.car_hire.models import Promotion, VehicleClass
from plugins.car_hire.schemas_promotions import STUDENT, PriceChoices, spelt
from plugins.car_hire.services import pricing
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.promotions import students, using

FIELD: Final = "promotion"


class UnknownCode(Invalid):
    """Nobody keeps such a code: it was misspelt, or guessed."""

    code = "car_hire.unknown_code"
    title = _("There is no such code. Check how it is spelt, or leave it empty")


async def into(
    session: AsyncSession,
    vehicle_class: VehicleClass,
    asked: pricing.Asked,
    journey: Journey,
    choices: PriceChoices,
) -> pricing.Asked:
    """``asked`` with what the code takes off, and the students' discount, in place of those that it
    has. Whether somebody is a student is asked when the quote is booked.

    Raises:
        UnknownCode: there is no such code.
        Invalid: it does not count now, or not for this hire; it says for which.
    """
    asked = msgspec.structs.replace(asked, class_id=str(vehicle_class.id))
    before = {each.code: each for each in asked.discounts}
    found = []
    if choices.student:
        found.append(before.get(STUDENT) or await students.discount(session))
    if code := spelt(choices.promotion):
        found.append(before.get(code) or await _of_code(session, code, asked, journey))
    return msgspec.structs.replace(asked, discounts=tuple(found))


async def _of_code(
    session: AsyncSession, code: str, asked: pricing.Asked, journey: Journey
) -> pricing.Discount:
    found = await session.scalar(select(Promotion).where(Promotion.code == code))
    if found is None:
        raise UnknownCode(field=FIELD)
    known = discount(found)
    days = await _days(session, asked)
    for objection in _objections(found, known, asked, journey, days):
        raise Invalid(objection, field=FIELD)
    await using.refuse_used_up(session, found)
    return known


def discount(found: Promotion) -> pricing.Discount:
    """A code as a quote keeps it."""
    return pricing.Discount(
        code=found.code,
        texts=found.texts,
        share=found.share.normalize(),
        amount=found.amount,
        combines=found.combines,
        days_from=found.days_from,
        hired_from=found.hired_from,
        hired_to=found.hired_to,
        class_ids=tuple(found.class_ids),
    )


async def _days(session: AsyncSession, asked: pricing.Asked) -> int:
    rules = await policy.read(session)
    return pricing.days(asked.starts_at, asked.ends_at, rules.grace_minutes)


def _objections(
    found: Promotion,
    known: pricing.Discount,
    asked: pricing.Asked,
    journey: Journey,
    days: int,
) -> Iterator[LazyText | str]:
    now = clock.now()
    if not found.active:
        yield _("This code can no longer be used. Leave it empty")
    if found.booked_from and now < found.booked_from:
        yield _when(_("This code counts for bookings from {when} on"), found.booked_from)
    if found.booked_to and found.booked_to <= now:
        yield _when(_("This code was good for bookings until {when}"), found.booked_to)
    if found.class_ids and asked.class_id not in found.class_ids:
        yield _("This code does not go with this class. Choose another, or leave it empty")
    if found.branch_ids and str(journey.pick_up_branch_id) not in found.branch_ids:
        yield _("This code does not go with a pick-up at this branch")
    if found.days_from and days < found.days_from:
        yield fill(_("This code is for hires of {days} days or more"), days=found.days_from)
    if not pricing.fits(known, asked, max(days, found.days_from or 0)):
        yield _dates(found)


def _when(text: LazyText, at: datetime) -> LazyText | str:
    return fill(text, when=moment(at))


def _dates(found: Promotion) -> LazyText | str:
    first, last = (
        None if day is None else format_date(day, "long", locale=locale())
        for day in (found.hired_from, found.hired_to)
    )
    if first and last:
        text = _("This code is for hires between {first} and {last}. Choose other dates")
        return fill(text, first=first, last=last)
    if first:
        return fill(_("This code is for hires from {first} on. Choose other dates"), first=first)
    return fill(_("This code is for hires until {last}. Choose other dates"), last=last or "")

"""From the code that somebody typed, or that they are a student, to what a quote keeps.

A code that a quote has already keeps what it takes off, whatever the owner changes. How often it
was used is counted when the quote is booked (``using``); here is only said what is plain already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
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
    before = {each.code: each for each in asked.discounts}
    wanted = await read(session, choices, before)
    rules = await policy.read(session)
    return put(wanted, vehicle_class, asked, journey, rules.grace_minutes)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be taken off: what was promised already or counts for all, and a code that must
    fit the hire."""

    known: tuple[pricing.Discount, ...]
    promotion: Promotion | None


async def read(
    session: AsyncSession,
    choices: PriceChoices,
    before: Mapping[str, pricing.Discount] = MappingProxyType({}),
) -> Wanted:
    """What somebody wants taken off, of whatever class; ``before`` was promised already.

    Raises:
        UnknownCode: there is no such code.
        UsedUp: every use of it is taken.
        Invalid: students pay what all pay.
    """
    known, promotion = [], None
    if choices.student:
        known.append(before.get(STUDENT) or await students.discount(session))
    code = spelt(choices.promotion)
    if code in before:
        known.append(before[code])
    elif code:
        promotion = await session.scalar(select(Promotion).where(Promotion.code == code))
        if promotion is None:
            raise UnknownCode(field=FIELD)
        await using.refuse_used_up(session, promotion)
    return Wanted(tuple(known), promotion)


def put(
    wanted: Wanted,
    vehicle_class: VehicleClass,
    asked: pricing.Asked,
    journey: Journey,
    grace_minutes: int,
) -> pricing.Asked:
    """``asked`` for a class, with what is wanted taken off it.

    Raises:
        Invalid: the code does not count now, or not for this hire; it says for which.
    """
    asked = msgspec.structs.replace(asked, class_id=str(vehicle_class.id))
    made = wanted.known
    if wanted.promotion is not None:
        known = discount(wanted.promotion)
        days = pricing.days(asked.starts_at, asked.ends_at, grace_minutes)
        for objection in _objections(wanted.promotion, known, asked, journey, days):
            raise Invalid(objection, field=FIELD)
        made = (*made, known)
    return msgspec.structs.replace(asked, discounts=made)


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

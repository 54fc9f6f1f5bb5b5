"""From what somebody chose to what a quote keeps: extras and covers at their prices, and ages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import FieldError, Invalid
from core.i18n import _, fill
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.schemas_extras import ChoicesInput
from plugins.car_hire.schemas_promotions import STUDENT, PriceChoices, spelt
from plugins.car_hire.services import pricing
from plugins.car_hire.services.extras import catalogue
from plugins.car_hire.services.extras.catalogue import Offered

NOTHING: Final = PriceChoices()


class Chosen(NamedTuple):
    """The terms and what is asked, with what was chosen in them."""

    terms: pricing.Terms
    asked: pricing.Asked


async def into(
    session: AsyncSession,
    vehicle_class: VehicleClass,
    terms: pricing.Terms,
    asked: pricing.Asked,
    choices: ChoicesInput,
) -> Chosen:
    """``asked`` and ``terms`` with what was chosen in place of what they have. What they have
    already keeps its price; what is new has the price that counts now.

    Raises:
        Invalid: naming the fields at fault, such as ``extras.child-seat``.
    """
    before = {each.extra.code: each.extra for each in asked.chosen}
    found = await catalogue.offered(session, vehicle_class.id, also=before)
    return put(found, vehicle_class, terms, asked, choices)


def put(
    found: Iterable[Offered],
    vehicle_class: VehicleClass,
    terms: pricing.Terms,
    asked: pricing.Asked,
    choices: ChoicesInput,
) -> Chosen:
    """The same, of what was ``found`` to go with the class.

    Raises:
        Invalid: naming the fields at fault.
    """
    before = {each.extra.code: each.extra for each in asked.chosen}
    offered = {each.code: each for each in found}
    errors = [
        *_wrong_extras(offered, choices),
        *_wrong_covers(offered, choices),
        *_wrong_drivers(offered, choices, vehicle_class),
    ]
    if errors:
        raise Invalid(errors=errors)
    chosen = [
        pricing.Chosen(extra=before.get(code, offered[code].priced), quantity=quantity)
        for code, quantity in _quantities(offered, choices)
    ]
    known = {each.code: each for each in terms.waivers}
    waivers = [
        known.get(each.code, each.waiver)
        for each in offered.values()
        if each.kind == "basic" or (each.extra.is_cover and each.code in choices.covers)
    ]
    first = () if choices.age is None else (choices.age,)
    return Chosen(
        terms=msgspec.structs.replace(terms, waivers=tuple(waivers)),
        asked=msgspec.structs.replace(asked, chosen=tuple(chosen), ages=(*first, *choices.ages)),
    )


def of(asked: pricing.Asked) -> PriceChoices:
    """What was chosen, as a form shows it."""
    return PriceChoices(
        extras=counted(asked),
        covers=sorted(each.extra.code for each in asked.chosen if each.extra.kind == "cover"),
        age=asked.ages[0] if asked.ages else None,
        ages=list(asked.ages[1:]),
        promotion=next((each.code for each in asked.discounts if each.code != STUDENT), ""),
        student=any(each.code == STUDENT for each in asked.discounts),
    )


def plain(choices: PriceChoices) -> PriceChoices:
    """The same choices as ``of`` would give them."""
    return PriceChoices(
        extras={code: quantity for code, quantity in choices.extras.items() if quantity},
        covers=sorted(set(choices.covers)),
        age=choices.age,
        ages=choices.ages,
        promotion=spelt(choices.promotion),
        student=choices.student,
    )


def counted(asked: pricing.Asked) -> dict[str, int]:
    """How many of each thing were chosen; covers and drivers are no things."""
    return {each.extra.code: each.quantity for each in asked.chosen if each.extra.kind == "extra"}


def _quantities(offered: Mapping[str, Offered], choices: ChoicesInput) -> Iterator[tuple[str, int]]:
    for code, each in offered.items():
        if each.kind == "driver" and choices.ages:
            yield code, len(choices.ages)
        elif each.extra.is_cover and code in choices.covers:
            yield code, 1
        elif choices.extras.get(code):
            yield code, choices.extras[code]


def _wrong_extras(offered: Mapping[str, Offered], choices: ChoicesInput) -> Iterator[FieldError]:
    for code, quantity in choices.extras.items():
        if not quantity:
            continue
        known = offered.get(code)
        if known is None or known.extra.is_cover:
            yield FieldError(f"extras.{code}", _("This does not go with the class. Leave it out"))
        elif known.kind == "driver":
            text = _("Give the ages of the additional drivers instead")
            yield FieldError(f"extras.{code}", text)
        elif quantity > known.extra.most:
            text = fill(_("At most {most} in one hire"), most=known.extra.most)
            yield FieldError(f"extras.{code}", text)


def _wrong_covers(offered: Mapping[str, Offered], choices: ChoicesInput) -> Iterator[FieldError]:
    kinds = [offered[code].kind for code in set(choices.covers) if code in offered]
    if len(kinds) < len(set(choices.covers)) or {*kinds} - {"cover", "partial"}:
        yield FieldError("covers", _("This cover does not go with the class. Choose another"))
    if kinds.count("cover") > 1:
        yield FieldError("covers", _("Choose one cover; what is beside the others comes on top"))


def _wrong_drivers(
    offered: Mapping[str, Offered], choices: ChoicesInput, vehicle_class: VehicleClass
) -> Iterator[FieldError]:
    driver = next((each for each in offered.values() if each.kind == "driver"), None)
    if choices.ages and choices.age is None:
        yield FieldError("age", _("Say how old the driver is, too"))
    if choices.ages and driver is None:
        yield FieldError("ages", _("One driver only. Leave these ages empty"))
    elif driver is not None and len(choices.ages) > driver.extra.most:
        text = fill(_("At most {most} additional drivers"), most=driver.extra.most)
        yield FieldError("ages", text)
    least = vehicle_class.minimum_age
    too_young = fill(_("A driver of this class is at least {least} years old"), least=least)
    if choices.age is not None and choices.age < least:
        yield FieldError("age", too_young)
    if any(age < least for age in choices.ages):
        yield FieldError("ages", too_young)

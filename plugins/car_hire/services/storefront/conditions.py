"""The terms of hire in plain words, from the rules and prices that bills are made by: what is read
here is what is charged. Amounts are with tax."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.i18n import LazyText, _, gettext, ngettext
from core.money import Money
from core.web.formatting import number, percent
from plugins.car_hire import policy
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.services import fleet, pricing
from plugins.car_hire.services.extras import catalogue
from plugins.car_hire.services.extras.catalogue import Offered
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.storefront.from_prices import gross

WHOLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One condition: its heading, the question that it answers, and sentences."""

    code: str
    title: str
    question: str
    sentences: Sequence[str]

    @property
    def answer(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the clauses are made from."""

    rules: policy.Policy
    classes: Sequence[VehicleClass]
    terms: dict[VehicleClass, pricing.Terms]
    covers: Sequence[Offered]
    one_way: Decimal

    @property
    def any_terms(self) -> pricing.Terms | None:
        """Terms of some class, for what is the same in all."""
        return next(iter(self.terms.values()), None)


async def read(session: AsyncSession) -> list[Clause]:
    """The clauses of the current tenant, in the language that is being read."""
    rules, prices = await policy.read(session), await current.read(session)
    classes = await fleet.classes(session, on_offer=True)
    terms = {
        each: prices.terms(each.id, clock.now(), rules)
        for each in classes
        if each.id in prices.classes
    }
    covers = [each for each in await catalogue.everything(session) if each.extra.on_offer]
    house = House(
        rules=rules, classes=classes, terms=terms, covers=covers, one_way=prices.house.one_way
    )
    return [clause for clause in _clauses(house) if clause.sentences]


def _driver(house: House) -> Iterator[str]:
    ages = {each.minimum_age for each in house.classes}
    if not ages:
        return
    if len(ages) == 1:
        yield gettext("Drivers are at least %(age)s years old.") % {"age": ages.pop()}
    else:
        each_class = "; ".join(f"{each.name} {each.minimum_age}" for each in house.classes)
        yield gettext("Drivers are at least so many years old, by class: %(classes)s.") % {
            "classes": each_class
        }
    terms = house.any_terms
    if terms is not None and (young := terms.young_driver) is not None:
        yield gettext("Who is under %(age)s pays %(price)s a day more.") % {
            "age": young.under,
            "price": gross(terms, young.per_day),
        }


def _papers(_house: House) -> Iterator[str]:
    yield gettext("Your driving licence, valid for the whole hire.")
    yield gettext("A card on which the deposit can be reserved.")


def _deposit(house: House) -> Iterator[str]:
    if not any(each.deposit for each in house.terms.values()):
        return
    amounts = "; ".join(
        f"{each.name} {gross_free(terms)}" for each, terms in house.terms.items() if terms.deposit
    )
    yield gettext("The deposit depends on the class: %(classes)s.") % {"classes": amounts}
    yield gettext(
        "It is reserved on your card when you pick the car up, and released when the car is back"
        " and nothing is owed."
    )


def gross_free(terms: pricing.Terms) -> str:
    """A deposit, which no tax is on."""
    return str(Money(terms.deposit, terms.currency).rounded())


def _distance(house: House) -> Iterator[str]:
    limited = {each: terms for each, terms in house.terms.items() if terms.mileage.per_day}
    if house.terms and not limited:
        yield gettext("As far as you like: no distance is charged.")
    for each, terms in limited.items():
        yield gettext(
            "%(name)s: %(km)s km a day are in the price; each km more costs %(price)s."
        ) % {
            "name": each.name,
            "km": number(terms.mileage.per_day or 0),
            "price": gross(terms, terms.mileage.per_km),
        }


def _fuel(house: House) -> Iterator[str]:
    same = [terms for terms in house.terms.values() if terms.fuel.policy == "same"]
    prepaid = [each.name for each, terms in house.terms.items() if terms.fuel.policy == "prepaid"]
    if same:
        yield gettext("The car comes back as full as it was when you took it.")
        least = min(gross(each, each.fuel.per_unit, "fuel").amount for each in same)
        most = max(gross(each, each.fuel.per_unit, "fuel").amount for each in same)
        unit = same[0].currency
        low, high = (Money(each, unit) for each in (least, most))
        prices = f"{low}" if low == high else f"{low} – {high}"  # noqa: RUF001  # an en dash is meant
        if most:
            yield gettext("Each eighth of a tank that is missing costs %(price)s.") % {
                "price": prices
            }
    if prepaid:
        yield gettext(
            "Of these the tank is in the price, and may come back empty: %(classes)s."
        ) % {"classes": ", ".join(prepaid)}


def _damage(house: House) -> Iterator[str]:
    terms = house.any_terms
    if terms is None:
        return
    basic = [each for each in house.covers if each.kind == "basic"]
    for each in basic:
        yield gettext(
            "The cover in every hire leaves you to pay %(excess)s at most for each damage."
        ) % {"excess": gross(terms, each.price.excess, "damage")}
    better = [each for each in house.covers if each.kind == "cover"]
    if better:
        excess = gross(terms, min(each.price.excess for each in better), "damage")
        yield gettext("With more cover, from %(price)s a day, it can come down to %(excess)s.") % {
            "price": min(gross(terms, each.price.price, "cover") for each in better),
            "excess": excess,
        }
    yield gettext(
        "We photograph the car with you when you take it and when you bring it back; you see the"
        " photos in your account."
    )


def _late(house: House) -> Iterator[str]:
    rules, terms = house.rules, house.any_terms
    if rules.grace_minutes:
        yield ngettext(
            "Up to %(count)s minute late costs nothing.",
            "Up to %(count)s minutes late cost nothing.",
            rules.grace_minutes,
        ) % {"count": rules.grace_minutes}
    if terms is None or not terms.late.per_hour:
        return
    fee = gross(terms, terms.late.per_hour)
    if terms.late.cap is None:
        yield gettext("After that, each hour begun costs %(price)s.") % {"price": fee}
    else:
        yield gettext(
            "After that, each hour begun costs %(price)s, and 24 hours %(cap)s at most."
        ) % {"price": fee, "cap": gross(terms, terms.late.cap)}
    yield gettext("To keep the car longer, change the dates in your account, or call us.")


def _elsewhere(house: House) -> Iterator[str]:
    terms = house.any_terms
    if terms is None:
        return
    if house.one_way:
        yield gettext(
            "You may bring the car back to another branch than you took it from, for %(price)s;"
            " choose it when you search."
        ) % {"price": gross(terms, house.one_way)}
    if terms.out_of_hours:
        yield gettext(
            "Where a branch serves you outside its hours, each such pick-up or return costs"
            " %(price)s."
        ) % {"price": gross(terms, terms.out_of_hours)}


def _changing(house: House) -> Iterator[str]:
    hours = house.rules.change_hours
    yield ngettext(
        "You may, in your account, until %(count)s hour before the pick-up; the difference of the"
        " price is shown first.",
        "You may, in your account, until %(count)s hours before the pick-up; the difference of the"
        " price is shown first.",
        hours,
    ) % {"count": hours}


def _cancelling(house: House) -> Iterator[str]:
    rules = house.rules
    if rules.cancel_percent:
        yield ngettext(
            "Cancelling costs nothing until %(count)s hour before the pick-up.",
            "Cancelling costs nothing until %(count)s hours before the pick-up.",
            rules.cancel_free_hours,
        ) % {"count": rules.cancel_free_hours}
        yield gettext("Later, %(share)s of the price is kept, and the rest goes back.") % {
            "share": _share(rules.cancel_percent)
        }
    else:
        yield gettext("Cancelling costs nothing: what you paid goes back.")
    if rules.no_show_percent:
        yield gettext("If you do not come for the car, %(share)s of the price is kept.") % {
            "share": _share(rules.no_show_percent)
        }


def _share(of_hundred: int) -> str:
    return percent(Decimal(of_hundred) / WHOLE)


def _price(_house: House) -> Iterator[str]:
    yield gettext("The price is shown with tax, line by line, before you book.")
    yield gettext("It stays as it was when you booked, whatever prices do later.")


Told = Callable[[House], Iterator[str]]
_ASKED: Final[tuple[tuple[str, LazyText, LazyText, Told], ...]] = (
    ("driver", _("Who may drive"), _("How old must a driver be?"), _driver),
    ("papers", _("What to bring"), _("What do I bring when I pick the car up?"), _papers),
    (
        "deposit",
        _("Deposit"),
        _("How much is the deposit, and when do I get it back?"),
        _deposit,
    ),
    ("distance", _("Distance"), _("How far may I drive?"), _distance),
    (
        "fuel",
        _("Fuel and charge"),
        _("How full must the car be when I bring it back?"),
        _fuel,
    ),
    ("damage", _("Damage and cover"), _("What do I pay if the car is damaged?"), _damage),
    ("late", _("Coming back late"), _("What if I come back late?"), _late),
    (
        "elsewhere",
        _("Other branches, and outside opening hours"),
        _("May I bring the car back elsewhere, or while nobody is there?"),
        _elsewhere,
    ),
    ("changing", _("Changing your dates"), _("May I change my dates?"), _changing),
    (
        "cancelling",
        _("Cancelling, and not coming"),
        _("What does cancelling cost?"),
        _cancelling,
    ),
    ("price", _("The price"), _("Is anything added to the price that I see?"), _price),
)
"""The clauses in the order in which they are read: heading, question, and what is said."""


def _clauses(house: House) -> Iterator[Clause]:
    for code, title, question, told in _ASKED:
        yield Clause(
            code=code, title=str(title), question=str(question), sentences=list(told(house))
        )

"""What a price is made of: the rates and rules of one class as they were, and what was asked for.

Both are kept with the quote as JSON. Amounts are in ``currency``, net of tax; a rate of tax and a
percentage of a discount are fractions: 0.23 for 23 %. Nothing here says who the customer is: ages
and audiences are kept, births and names are not.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

Per = Literal["day", "hire"]
"""What a price is for: each day charged, or the whole hire."""

Texts = dict[str, str]
"""What people read, by locale: it is kept as it was, whatever it is called later."""


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something kept with a quote."""


class Rate(Stored, frozen=True, kw_only=True):
    """What time costs: a day at least. What is None is not offered.

    ``weekend`` is the price of a day that starts on one of ``Terms.weekend``.
    """

    day: Decimal
    hour: Decimal | None = None
    weekend: Decimal | None = None
    week: Decimal | None = None
    month: Decimal | None = None


class Season(Stored, frozen=True, kw_only=True):
    """Other rates from ``first`` to ``last``, both included, on the business's calendar."""

    texts: Texts
    first: date
    last: date
    rate: Rate


class Adjustment(Stored, frozen=True, kw_only=True):
    """A share of the time charge, added or taken off, for who books early or late, long or short.

    Bounds are included; lead is in whole days from the booking to the pick-up, length in days
    charged.
    """

    texts: Texts
    share: Decimal
    lead_from: int | None = None
    lead_to: int | None = None
    days_from: int | None = None
    days_to: int | None = None


class Discount(Stored, frozen=True, kw_only=True):
    """Taken off the time charge: a ``share`` of it, or an ``amount``.

    Those that ``combine`` are taken one after the other, each off what the one before left; of
    the others only the best is, alone, if it is better than all that combine. What limits it goes
    with it, so that a hire that is moved loses it where it does not fit, and only there: it lasts
    ``days_from`` days charged at least, and lies between two days, both included.
    """

    code: str
    texts: Texts
    share: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    combines: bool = False
    days_from: int | None = None
    hired_from: date | None = None
    hired_to: date | None = None
    class_ids: tuple[str, ...] = ()
    """Of the classes that it goes with; none named, with every one."""


class Extra(Stored, frozen=True, kw_only=True):
    """Something hired with the car: a child seat, another driver, a cover.

    ``cap`` is the most that one of it costs in a hire.
    """

    code: str
    texts: Texts
    kind: Literal["extra", "cover", "driver"] = "extra"
    price: Decimal
    per: Per = "day"
    cap: Decimal | None = None


class Mileage(Stored, frozen=True, kw_only=True):
    """What may be driven for the price; ``per_day`` None is as far as one likes."""

    per_day: int | None = None
    per_km: Decimal = Decimal(0)


class Fuel(Stored, frozen=True, kw_only=True):
    """Who pays for fuel or charge; units are eighths of a tank, or hundredths of a battery.

    ``same``: it comes back as it left; missing units cost ``per_unit``, and ``service`` once.
    ``prepaid``: ``tank`` is paid with the hire, and nothing is owed or given back at the return.
    """

    policy: Literal["same", "prepaid"] = "same"
    per_unit: Decimal = Decimal(0)
    service: Decimal = Decimal(0)
    tank: Decimal = Decimal(0)


class YoungDriver(Stored, frozen=True, kw_only=True):
    """A surcharge for each driver who is not yet ``under`` years old at the pick-up."""

    under: int
    per_day: Decimal
    cap: Decimal | None = None


class Late(Stored, frozen=True, kw_only=True):
    """A fee for each hour begun after the grace, up to ``cap`` for each 24 hours begun."""

    per_hour: Decimal = Decimal(0)
    cap: Decimal | None = None


class Waiver(Stored, frozen=True, kw_only=True):
    """What a cover does to damage: the customer pays ``excess`` at most for each, in the zones
    that it does not exclude."""

    code: str
    excess: Decimal = Decimal(0)
    excluded: tuple[str, ...] = ()


class Taxes(Stored, frozen=True, kw_only=True):
    """The rate of each kind of line on the day of the pick-up."""

    hire: Decimal
    extra: Decimal | None = None
    cover: Decimal | None = None
    fuel: Decimal | None = None
    damage: Decimal | None = None

    def of(self, kind: str) -> Decimal:
        """The rate of ``kind``; what has none of its own is taxed as the hire is."""
        own: Decimal | None = getattr(self, kind)
        return self.hire if own is None else own


class Terms(Stored, frozen=True, kw_only=True):
    """The rates of a class and the rules of the house, as they were when a quote was made."""

    currency: str
    rate: Rate
    taxes: Taxes
    deposit: Decimal
    grace_minutes: int
    month_days: int = 30
    weekend: tuple[int, ...] = (6, 7)
    """ISO days of the week, Monday being 1."""
    seasons: tuple[Season, ...] = ()
    """The first that a day lies in counts."""
    adjustments: tuple[Adjustment, ...] = ()
    mileage: Mileage = Mileage()
    fuel: Fuel = Fuel()
    late: Late = Late()
    young_driver: YoungDriver | None = None
    out_of_hours: Decimal = Decimal(0)
    """For each pick-up or return while the branch is closed."""
    airport_share: Decimal = Decimal(0)
    """Of the time charge, for a pick-up at an airport."""
    cleaning: dict[str, Decimal] = {}
    """What a car that comes back dirty costs, by how dirty."""
    waivers: tuple[Waiver, ...] = ()


class Chosen(Stored, frozen=True, kw_only=True):
    """So many of an extra."""

    extra: Extra
    quantity: int = 1


class Asked(Stored, frozen=True, kw_only=True):
    """What somebody wanted, with what follows from it: how old, how early, between which branches.

    Times are aware; ``zone`` is the business's.
    """

    starts_at: datetime
    ends_at: datetime
    zone: str
    class_id: str | None = None
    """Of the class, where a discount goes with some alone."""
    lead_days: int = 0
    ages: tuple[int, ...] = ()
    """Of each driver at the pick-up; nobody's is known in a search."""
    chosen: tuple[Chosen, ...] = ()
    discounts: tuple[Discount, ...] = ()
    out_of_hours: tuple[Literal["pick_up", "return"], ...] = ()
    one_way: Decimal | None = None
    """What it costs to bring the car back elsewhere; None where it comes back to its branch."""
    at_airport: bool = False


class Damage(Stored, frozen=True, kw_only=True):
    """New damage at the return, with its price from the table of the class.

    ``zone`` is what covers include or leave out; ``noted`` is the id of its mark.
    """

    zone: str
    severity: str
    texts: Texts
    price: Decimal
    noted: str | None = None


class Readings(Stored, frozen=True, kw_only=True):
    """What was seen when the car left and when it came back.

    Odometers in km; fuel in the units of ``Fuel``.
    """

    due_at: datetime
    returned_at: datetime
    odometer_out: int
    odometer_in: int
    fuel_out: int
    fuel_in: int
    cleaning: str | None = None
    damages: tuple[Damage, ...] = ()
    covers: tuple[str, ...] = ()
    """Codes of the covers that were bought."""
    out_of_hours: bool = False
    one_way: Decimal | None = None
    """For a car that came back to another branch than agreed."""

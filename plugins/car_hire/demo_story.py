"""The bookings of ACME's season: who hired what, and how it went."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import (
    demo_inspections,
    demo_promotions,
    policy,
)
from plugins.car_hire.models import (
    Booking,
    Customer,
    Hire,
    Quote,
    VehicleClass,
)
from plugins.car_hire.schemas import (
    CustomerInput,
    QuoteInput,
    ReturnInput,
    ReviewInput,
    VehicleInput,
)
from plugins.car_hire.services import (
    bookings,
    customers,
    fleet,
    hires,
    quotes,
    reviews,
)
from plugins.car_hire.services.papers import invoices

_AT: Final = {"OPO": ("AC-05-ZK", "BB-41-PF", "CB-63-TM"), "FAO": ("AD-77-RS", "CC-50-WB")}
"""Cars at other branches than the main one."""
_FLEET: Final = (
    ("Economy", "Fiat", "500 Hybrid", 2024, "white", "AF-31-MN", 18_420, 8),
    ("Economy", "Renault", "Clio", 2023, "blue", "AB-12-QT", 41_230, 7),
    ("Economy", "Peugeot", "208", 2024, "yellow", "AC-05-ZK", 12_904, 8),
    ("Economy", "Toyota", "Yaris", 2022, "red", "AD-77-RS", 60_112, 6),
    ("Compact", "Volkswagen", "Golf", 2024, "grey", "BA-20-LX", 22_871, 8),
    ("Compact", "Seat", "Leon", 2023, "white", "BB-41-PF", 35_640, 8),
    ("Compact", "Ford", "Focus", 2022, "black", "BC-18-VD", 58_009, 5),
    ("Family", "Dacia", "Jogger", 2024, "brown", "CA-09-HN", 15_377, 8),
    ("Family", "Peugeot", "5008", 2023, "grey", "CB-63-TM", 44_205, 8),
    ("Family", "Mercedes-Benz", "Vito Tourer", 2022, "silver", "CC-50-WB", 71_930, 7),
    ("Electric", "Tesla", "Model 3", 2024, "white", "EA-88-KL", 19_055, 8),
    ("Electric", "Renault", "Mégane E-Tech", 2023, "blue", "EB-27-GC", 27_318, 6),
)
_BILLED: Final = {
    "Rui Cardoso": ("Cardoso & Filhos, Lda.", "501 234 560", "Rua do Ouro 25\n1100-061 Lisboa"),
    "Ana Sofia Martins": ("", "219 876 543", "Rua de Cedofeita 8\n4050-180 Porto"),
}
_PEOPLE: Final = (
    ("Ana Sofia Martins", "PT", "L-8842157 3", (1988, 4, 12)),
    ("Rui Cardoso", "PT", "C-1190274 6", (1975, 11, 30)),
    ("Emma Lindqvist", "SE", "850612-4417", (1985, 6, 12)),
    ("Jonas Weber", "DE", "B072RRE2I55", (1992, 2, 29)),
    ("Chiara Romano", "IT", "U1A93K204L", (1996, 8, 3)),
    ("Sean O'Connor", "IE", "OC0914822", (1969, 1, 20)),
    ("Inês Figueiredo", "PT", "P-5501873 0", (1999, 12, 1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A booking from ``start`` to ``end`` (days from today at ten), and how far it got."""

    who: int
    what: str
    start: float
    end: float
    became: str
    km: int = 0
    fuel_in: int = 8
    late: float = 0
    stars: str = ""
    said: str = ""
    extras: dict[str, int] = field(default_factory=dict)
    covers: list[str] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    promotion: str = ""
    before: tuple[demo_inspections.Seen, ...] | None = None
    """Damage found at the check-out; None: nobody took photos."""
    after: tuple[demo_inspections.Seen, ...] = ()
    """New damage at the check-in."""
    at: str = "LIS"
    to: str = "LIS"


STORY: Final = (
    Step(
        who=0,
        what="Economy",
        start=-24,
        end=-21,
        became="closed",
        km=410,
        stars="5",
        said="Carro limpo e pronto à hora. Voltamos na Páscoa.",
    ),
    Step(
        who=1,
        what="Family",
        start=-18,
        end=-11,
        became="closed",
        km=1_980,
        fuel_in=6,
        covers=["full"],
        stars="4",
        said="Muito espaço para as malas; o ar condicionado podia ser mais forte.",
        before=(("rear_bumper", "scratch", "light", ""),),
        after=(
            ("left_front_door", "dent", "medium", "from a trolley"),
            ("right_rear_wheel", "scratch", "light", "kerb"),
        ),
    ),
    Step(
        who=2,
        what="Compact",
        start=-12,
        end=-9,
        became="closed",
        km=905,
        late=0.15,
        stars="3",
        said="Good car. The queue at the desk took twenty minutes.",
    ),
    Step(who=3, what="Electric", start=-9, end=-7, became="closed", km=380, fuel_in=5),
    Step(who=4, what="Economy", start=-6, end=-5, became="cancelled"),
    Step(who=5, what="Compact", start=-4, end=-2, became="no_show"),
    Step(who=6, what="Economy", start=-3, end=-0.25, became="out"),
    Step(
        who=2,
        what="Electric",
        start=-2,
        end=1,
        became="out",
        before=(("bonnet", "scratch", "light", "stone chip"),),
    ),
    Step(who=0, what="Family", start=-1, end=0.5, became="out", extras={"child-seat": 1}),
    Step(who=4, what="Compact", start=0.25, end=3.25, became="confirmed"),
    Step(who=1, what="Economy", start=0.375, end=5.375, became="confirmed"),
    Step(
        who=3,
        what="Family",
        start=2,
        end=9,
        became="confirmed",
        covers=["reduced"],
        ages=[34, 31],
        at="OPO",
    ),
    Step(
        who=5,
        what="Electric",
        start=6,
        end=8,
        became="confirmed",
        promotion=demo_promotions.PARTNER,
    ),
    Step(
        who=6,
        what="Compact",
        start=12,
        end=15,
        became="confirmed",
        extras={"gps": 1},
        promotion="ESCAPADA-15",
        at="OPO",
        to="OPO",
    ),
    Step(who=5, what="Economy", start=4, end=6, became="expired"),
)


@dataclass(slots=True, kw_only=True)
class Story:
    """Tells bookings as they would have happened, by the services and then back in time."""

    session: AsyncSession
    classes: dict[str, VehicleClass]
    people: list[Customer]
    branches: Mapping[str, UUID]
    ten: datetime
    looked_at: list[tuple[UUID, str]] = field(default_factory=list)
    """Inspections to be photographed, and the colour of the car."""

    @classmethod
    async def begin(cls, session: AsyncSession, branches: Mapping[str, UUID]) -> Story:
        tenant: Tenant = session.info["tenant"]
        classes = {each.name: each for each in await fleet.classes(session)}
        homes = {plate: branches[code] for code, plates in _AT.items() for plate in plates}
        for name, make, model, year, colour, plate, odometer, fuel in _FLEET:
            await fleet.add_vehicle(
                session,
                VehicleInput(
                    class_id=classes[name].id,
                    make=make,
                    model=model,
                    year=year,
                    colour=colour,
                    plate=plate,
                    odometer_km=odometer,
                    fuel_eighths=fuel,
                    status="maintenance" if plate == "BC-18-VD" else "available",
                    home_branch_id=homes.get(plate),
                ),
            )
        ten = clock.local(clock.now(), tenant.zone).replace(
            hour=10, minute=0, second=0, microsecond=0, tzinfo=None
        )
        return cls(
            session=session,
            classes=classes,
            branches=branches,
            people=[await _person(session, *each) for each in _PEOPLE],
            ten=clock.from_wall(ten, tenant.zone),
        )

    async def tell(self, step: Step) -> None:
        """Book for a future hour that stands for the real one, then set the real times."""
        session = self.session
        starts_at = self.ten + timedelta(hours=round(step.start * 24))
        ends_at = self.ten + timedelta(hours=round(step.end * 24))
        quote = await self._quote(step, starts_at, ends_at)
        booking = await bookings.place(session, quote, self.people[step.who], "site")
        booking.created_at = min(starts_at, clock.now()) - timedelta(days=6)
        match step.became:
            case "cancelled":
                await bookings.cancel(session, booking.id)
            case "expired":
                await bookings.move(session, booking, "expired")
            case _:
                await bookings.confirm(session, booking)
        if step.became == "no_show":
            await bookings.no_show(session, booking.id, fee=booking.gross)
        if step.became in {"out", "closed"}:
            await self._drive(step, booking, starts_at)
        await session.flush()

    async def _quote(self, step: Step, starts_at: datetime, ends_at: datetime) -> Quote:
        given = QuoteInput(
            class_id=self.classes[step.what].id,
            starts_at=starts_at,
            ends_at=ends_at,
            extras=step.extras,
            covers=step.covers,
            age=step.ages[0] if step.ages else None,
            ages=step.ages[1:],
            promotion=step.promotion,
            pick_up_branch_id=self.branches[step.at],
            return_branch_id=self.branches[step.to],
        )
        chosen = self.classes[step.what]
        return await quotes.keep(self.session, given, chosen, await policy.read(self.session))

    async def _drive(self, step: Step, booking: Booking, starts_at: datetime) -> None:
        session = self.session
        car = await fleet.vehicle(session, booking.vehicle_id)
        if step.before is not None:
            left = await demo_inspections.look(session, booking, starts_at, step.before)
            await demo_inspections.leave(
                session, booking, car.odometer_km, car.fuel_eighths, starts_at
            )
            self.looked_at.append((left.id, car.colour))
        hire = Hire(
            booking_id=booking.id,
            vehicle_id=car.id,
            state="awaiting_deposit",
            odometer_out=car.odometer_km,
            fuel_out=car.fuel_eighths,
            deposit=Decimal(0),
            currency=booking.currency,
        )
        session.add(hire)
        await session.flush()
        hire = await hires.depart(session, hire.id)
        hire.started_at = starts_at
        await session.flush()
        if step.became == "closed":
            await self._bring_back(step, hire, booking)

    async def _bring_back(self, step: Step, hire: Hire, booking: Booking) -> None:
        if step.before is not None:
            at = booking.ends_at
            back = await demo_inspections.look(self.session, booking, at, step.after)
            car = await fleet.vehicle(self.session, booking.vehicle_id)
            self.looked_at.append((back.id, car.colour))
        given = ReturnInput(
            odometer_km=hire.odometer_out + step.km,
            fuel_eighths=min(step.fuel_in, hire.fuel_out),
            returned_at=booking.ends_at + timedelta(days=step.late),
        )
        await hires.take_back(self.session, hire.id, given)
        await hires.close(self.session, hire.id)
        secret = await reviews.open_for(self.session, hire, booking.customer_id)
        if secret and step.stars:
            said = {"stars": step.stars, "remarks": step.said}
            await reviews.answer(self.session, secret, msgspec.convert(said, ReviewInput))
        await invoices.of_booking(self.session, booking.id, Money.zero(booking.currency))


async def _person(
    session: AsyncSession, name: str, country: str, licence: str, born: tuple[int, int, int]
) -> Customer:
    letters = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    address = letters.replace(" ", ".").replace("'", "")
    billing_name, tax_number, billing_address = _BILLED.get(name, ("", "", ""))
    return await customers.add(
        session,
        CustomerInput(
            name=name,
            email=f"{address}@example.com",
            phone="+351 910 000 000",
            licence_number=licence,
            licence_country=country,
            licence_expires=date(clock.now().year + 6, 6, 30),
            born=date(*born),
            billing_name=billing_name,
            tax_number=tax_number,
            billing_address=billing_address,
        ),
    )

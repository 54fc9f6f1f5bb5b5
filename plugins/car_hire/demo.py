"""What a new tenant begins with, and a believable firm for the demonstration."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, plugin_settings
from core.auth.tokens import digest, fresh_token
from core.ids import new_id
from plugins.car_hire import (
    demo_branches,
    demo_extras,
    demo_inspections,
    demo_money,
    demo_prices,
    demo_promotions,
    demo_vehicles,
    policy,
)
from plugins.car_hire.demo_story import STORY, Story
from plugins.car_hire.models import (
    Customer,
    CustomerNote,
    Vehicle,
    VehicleClass,
    Wait,
)
from plugins.car_hire.schemas import (
    ClassInput,
)
from plugins.car_hire.services import (
    checks,
    fleet,
    pricing,
)
from plugins.car_hire.services.branches import keeping
from plugins.car_hire.services.prices import lists

_CLASSES: Final = (
    # name, seats, gears, daily, deposit, km, per km, per eighth, age, description
    ("Economy", 5, "manual", 29, 250, 200, "0.12", 10, 21, "Small and thrifty, for the city."),
    ("Compact", 5, "manual", 39, 300, 250, "0.14", 11, 21, "Room for four and their cases."),
    ("Family", 7, "automatic", 64, 500, 250, "0.18", 14, 23, "Seven seats and a large boot."),
    ("Electric", 5, "automatic", 54, 500, 300, "0.10", 6, 23, "Quiet, quick and charged."),
)
_CARRIES: Final = {
    "Economy": (2, "petrol"), "Compact": (3, "petrol"), "Family": (5, "diesel"),
    "Electric": (3, "electric"),
}  # fmt: skip
"""Suitcases, and what they run on."""
_HOUSE: Final = policy.Policy(
    legal_name="ACME Aluguer de Automóveis, Lda.",
    seller_tax_number="PT 509 999 990",
    seller_address="Avenida da Liberdade 110\n1269-046 Lisboa\nPortugal",
    seller_more="C.R.C. Lisboa 509999990 · Capital social 50.000 €\nTel. +351 210 000 000",
    paper_note="IVA incluído à taxa legal. Obrigado por viajar connosco.",
)


async def seed(session: AsyncSession) -> None:
    """Four classes with rates to begin from, unless there are some."""
    await keeping.main(session)
    if await session.scalar(select(func.count()).select_from(VehicleClass)):
        return
    prices = {}
    for name, seats, gears, daily, deposit, km, per_km, eighth, age, text in _CLASSES:
        bags, fuel = _CARRIES[name]
        made = await fleet.add_class(
            session,
            ClassInput(
                name=name,
                description=text,
                seats=seats,
                gears=gears,  # type: ignore[arg-type]  # one of the two
                bags=bags,
                fuel=fuel,  # type: ignore[arg-type]  # one of the four
                minimum_age=age,
            ),
        )
        prices[made.id] = pricing.ClassPrices(
            rate=pricing.Rate(day=Decimal(daily)),
            deposit=Decimal(deposit),
            mileage=pricing.Mileage(per_day=km, per_km=Decimal(per_km)),
            fuel=pricing.Fuel(per_unit=Decimal(eighth)),
        )
    first = await lists.begin(session)
    await lists.put_rules(session, first.id, demo_prices.HOUSE)
    await lists.put_prices(session, first.id, prices)
    await lists.publish(session, first.id)
    await demo_extras.begin(session)


async def demo(session: AsyncSession) -> None:
    """A firm in the middle of its season: cars, customers, and bookings in every state."""
    if await session.scalar(select(func.count()).select_from(Vehicle)):
        return
    await seed(session)
    await demo_prices.publish(session)
    await plugin_settings.save(session, policy.PLUGIN, _HOUSE)
    await demo_extras.complete(session)
    await demo_promotions.begin(session)
    story = await Story.begin(session, await demo_branches.open_all(session))
    await demo_inspections.prices(session, story.classes["Family"].id)
    for step in STORY:
        await story.tell(step)
    from_faro = select(Vehicle.id).where(Vehicle.plate == checks.normal_plate("AD-77-RS"))
    car_id = (await session.scalars(from_faro)).one()
    await demo_branches.bring(session, car_id, story.branches["LIS"], clock.now())
    await demo_vehicles.complete(session)
    await demo_vehicles.photograph(session)
    for inspection_id, colour in story.looked_at:
        await demo_inspections.photograph(session, inspection_id, colour)
    _mind(session, story.people)
    _wait(story)
    await demo_money.fines(session)
    await demo_money.company(session, story.people[-1])


def _wait(story: Story) -> None:
    """Who would have liked a car of a class that is taken on the day after tomorrow."""
    for who, hours in ((1, 30), (4, 6)):
        person = story.people[who]
        begun = clock.now() - timedelta(hours=hours)
        starts_at = story.ten + timedelta(days=2)
        wait = Wait(
            id=new_id(), version=1, class_id=story.classes["Family"].id, starts_at=starts_at,
            ends_at=starts_at + timedelta(days=4), customer_id=person.id, name=person.name,
            email=person.email, locale="pt", state="waiting", link=digest(fresh_token()),
            pick_up_branch_id=story.branches["LIS"], return_branch_id=story.branches["LIS"],
            created_at=begun,
        )  # fmt: skip
        story.session.add(wait)


def _mind(session: AsyncSession, people: list[Customer]) -> None:
    """What the desk knows of some of them."""
    family, gone, student, asking = people[0], people[5], people[6], people[4]
    student.student_until = clock.now().date() + timedelta(days=240)
    asking.student_asked_at = clock.now() - timedelta(hours=3)
    for said in ("Viaja com duas crianças: perguntar pelas cadeiras.", "Prefere levantar cedo."):
        session.add(CustomerNote(customer_id=family.id, text=said, author="Marta Reis"))
    gone.blocked_at = clock.now() - timedelta(days=2)
    gone.blocked_why = "Não veio levantar o carro e não atende o telefone."

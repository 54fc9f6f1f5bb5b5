"""A corner of a tenant's fleet that one test has for itself."""

from __future__ import annotations

import random
import secrets
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import Databases
from core.scope import Tenant
from plugins.car_hire.models import (
    Booking,
    Customer,
    Paper,
    PaperSeries,
    PriceList,
    Quote,
    Vehicle,
    VehicleClass,
)
from plugins.car_hire.schemas import (
    ClassInput,
    CustomerInput,
    HireInput,
    QuoteInput,
    ReturnInput,
    VehicleInput,
)
from plugins.car_hire.schemas_companies import CompanyInput
from plugins.car_hire.schemas_extras import NewExtraInput
from plugins.car_hire.services import bookings, customers, fleet, hires, pricing, quotes
from plugins.car_hire.services.extras import catalogue
from plugins.car_hire.services.papers.content import Content, PaperLine, Party
from plugins.car_hire.services.prices import lists


def class_input(**changes: Any) -> ClassInput:
    values: dict[str, Any] = {
        "name": f"Compact {secrets.token_hex(4)}",
        "seats": 5,
        "gears": "manual",
        "minimum_age": 21,
    }
    return ClassInput(**(values | changes))


def class_prices(**changes: Any) -> pricing.ClassPrices:
    values: dict[str, Any] = {
        "rate": pricing.Rate(day=Decimal("39.90")),
        "deposit": Decimal(300),
        "mileage": pricing.Mileage(per_day=200, per_km=Decimal("0.15")),
        "fuel": pricing.Fuel(per_unit=Decimal("12.50")),
    }
    return pricing.ClassPrices(**(values | changes))


def house_rules(**changes: Any) -> pricing.HouseRules:
    values = {"taxes": (pricing.TaxRule(kind="hire", rate=Decimal("0.23")),)}
    return pricing.HouseRules(**(values | changes))


async def publish(
    session: AsyncSession,
    prices: dict[UUID, pricing.ClassPrices],
    rules: pricing.HouseRules | None = None,
) -> PriceList:
    """A list that counts now, with these prices beside those there were."""
    draft = await lists.begin(session)
    if rules is not None:
        await lists.put_rules(session, draft.id, rules)
    await lists.put_prices(session, draft.id, prices)
    return await lists.publish(session, draft.id)


def vehicle_input(class_id: UUID, **changes: Any) -> VehicleInput:
    values: dict[str, Any] = {
        "class_id": class_id,
        "make": "Renault",
        "model": "Clio",
        "year": 2024,
        "colour": "white",
        "plate": secrets.token_hex(4),
        "odometer_km": 10_000,
        "fuel_eighths": 8,
    }
    return VehicleInput(**(values | changes))


def company_input(**changes: Any) -> CompanyInput:
    values: dict[str, Any] = {
        "name": "Obras do Tejo, Lda.",
        "tax_number": f"PT{secrets.token_hex(5)}",
        "contact_name": "Rita Faria",
        "contact_email": f"{secrets.token_hex(4)}@example.com",
    }
    return CompanyInput(**(values | changes))


def customer_input(**changes: Any) -> CustomerInput:
    name = f"Ana {random.choice('ABCDEFG')}"
    values: dict[str, Any] = {
        "name": name,
        "email": f"{secrets.token_hex(4)}@example.com",
        "phone": "+351 912 345 678",
        "licence_number": "L-1234567 8",
        "licence_country": "PT",
        "licence_expires": date(2045, 1, 31),
        "born": date(1990, 2, 28),
    }
    return CustomerInput(**(values | changes))


async def invoice_of(session: AsyncSession, booking: Booking, buyer: str) -> Paper:
    """An invoice of a series of its own, whether or not the business has said who it is."""
    series = f"T{secrets.token_hex(4).upper()} 2026"
    one = Decimal(100)
    line = PaperLine(
        text="Hire", rule="rate.daily", quantity=Decimal(1), unit_price=one, net=one,
        tax_rate=Decimal("0.23"), tax=Decimal(23), gross=Decimal(123),
    )  # fmt: skip
    content = Content(
        currency="EUR",
        seller=Party(name="ACME", tax_number="509"),
        buyer=Party(name=buyer),
        lines=(line,),
    )
    session.add(PaperSeries(name=series, last=1, issued_at=clock.now()))
    await session.flush()
    made = Paper(
        kind="invoice", series=series, sequence=1, number=f"{series}/1", key=series,
        issued_on=clock.now().date(), locale="en", buyer=buyer, currency="EUR",
        net=one, tax=Decimal(23), gross=Decimal(123), content=msgspec.to_builtins(content),
        customer_id=booking.customer_id, booking_id=booking.id,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


@dataclass(kw_only=True)
class Shop:
    """A class, its cars and a customer; every helper is a transaction of its own."""

    databases: Databases
    tenant: Tenant
    vehicle_class: VehicleClass
    cars: list[Vehicle]
    customer: Customer
    now: datetime = field(default_factory=clock.now)

    @classmethod
    async def open(
        cls,
        databases: Databases,
        tenant: Tenant,
        cars: int = 3,
        prices: pricing.ClassPrices | None = None,
        **class_changes: Any,
    ) -> Shop:
        async with databases.transaction(tenant) as session:
            made = await fleet.add_class(session, class_input(**class_changes))
            await publish(session, {made.id: prices or class_prices()}, house_rules())
            vehicles = [
                await fleet.add_vehicle(session, vehicle_input(made.id)) for _ in range(cars)
            ]
            customer = await customers.add(session, customer_input())
        return cls(
            databases=databases,
            tenant=tenant,
            vehicle_class=made,
            cars=vehicles,
            customer=customer,
        )

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.databases.transaction(self.tenant)

    async def extra(self, **changes: Any) -> str:
        """The code of an extra that goes with the shop's class alone."""
        values: dict[str, Any] = {
            "code": f"seat-{secrets.token_hex(4)}",
            "name_en": "Seat",
            "name_pt": "Cadeira",
            "price": Decimal(6),
            "most": 5,
            "class_ids": [self.vehicle_class.id],
        }
        async with self.transaction() as session:
            made = await catalogue.add(session, NewExtraInput(**(values | changes)))
        return made.code

    async def quote(self, starts_in: float = 1, hours: float = 48, **wanted: Any) -> Quote:
        starts_at = self.now + timedelta(hours=starts_in)
        async with self.transaction() as session:
            return await quotes.make(
                session,
                QuoteInput(
                    class_id=self.vehicle_class.id,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=hours),
                    **wanted,
                ),
            )

    async def book(self, starts_in: float = 1, hours: float = 48, **wanted: Any) -> Booking:
        quote = await self.quote(starts_in, hours, **wanted)
        return await self.place(quote)

    async def place(self, quote: Quote) -> Booking:
        async with self.transaction() as session:
            return await bookings.place(session, quote, self.customer, "site")

    async def confirmed(self, starts_in: float = 1, hours: float = 48, **wanted: Any) -> Booking:
        booking = await self.book(starts_in, hours, **wanted)
        async with self.transaction() as session:
            found = await bookings.locked(session, booking.id)
            assert await bookings.confirm(session, found)
        return found

    def readings(self, booking: Booking, **changes: Any) -> HireInput:
        values: dict[str, Any] = {
            "booking_id": booking.id,
            "odometer_km": 10_000,
            "fuel_eighths": 8,
            "licence_seen": True,
        }
        return HireInput(**(values | changes))

    async def out(self, starts_in: float = 1, hours: float = 48) -> tuple[Booking, UUID]:
        booking = await self.confirmed(starts_in, hours)
        async with self.transaction() as session:
            hire = await hires.prepare(session, self.readings(booking))
            await hires.depart(session, hire.id)
        return booking, hire.id

    async def back(self, hire_id: UUID, **readings: Any) -> None:
        given = ReturnInput(**({"odometer_km": 10_100, "fuel_eighths": 8} | readings))
        async with self.transaction() as session:
            await hires.take_back(session, hire_id, given)

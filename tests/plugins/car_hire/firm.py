"""A corner of a tenant's fleet that goes between two branches."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.db import Databases
from core.scope import Tenant
from plugins.car_hire.models import Booking, Quote
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.schemas_branches import BranchInput
from plugins.car_hire.services import bookings, fleet, quotes
from plugins.car_hire.services.branches import keeping
from plugins.car_hire.services.branches.whereabouts import Journey
from tests.plugins.car_hire.shop import Shop, class_prices, house_rules, publish, vehicle_input


@dataclass(kw_only=True)
class Firm(Shop):
    """A shop with its cars at ``home``, and another branch."""

    home: UUID
    away: UUID

    async def quoted(self, starts_in: float, hours: float, where: Journey) -> Quote:
        starts_at = self.now + timedelta(hours=starts_in)
        async with self.transaction() as session:
            return await quotes.make(
                session,
                QuoteInput(
                    class_id=self.vehicle_class.id,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=hours),
                    **where._asdict(),
                ),
            )

    async def booked(self, starts_in: float, hours: float, where: Journey) -> Booking:
        quote = await self.quoted(starts_in, hours, where)
        booking = await self.place(quote)
        async with self.transaction() as session:
            found = await bookings.locked(session, booking.id)
            assert await bookings.confirm(session, found)
        return found

    @property
    def there(self) -> Journey:
        return Journey(self.home, self.away)

    @property
    def back(self) -> Journey:  # type: ignore[override]
        return Journey(self.away, self.home)

    @property
    def round_trip(self) -> Journey:
        return Journey(self.home, self.home)


def branch_input(**changes: Any) -> BranchInput:
    token = secrets.token_hex(3)
    values: dict[str, Any] = {"name": f"Branch {token}", "code": token.upper()[:6]}
    return BranchInput(**(values | changes))


async def found(databases: Databases, tenant: Tenant) -> Firm:
    """One car at home, in a class of its own; the branches are nobody else's."""
    shop = await Shop.open(databases, tenant, cars=0, prices=class_prices())
    async with databases.transaction(tenant) as session:
        await publish(session, {}, house_rules(one_way=Decimal(60), out_of_hours=Decimal(25)))
        await keeping.main(session)
        home, away = [await keeping.add(session, branch_input()) for _ in range(2)]
        given = vehicle_input(shop.vehicle_class.id, home_branch_id=home.id)
        shop.cars = [await fleet.add_vehicle(session, given)]
    return Firm(
        databases=databases, tenant=tenant, vehicle_class=shop.vehicle_class, cars=shop.cars,
        customer=shop.customer, home=home.id, away=away.id,
    )  # fmt: skip

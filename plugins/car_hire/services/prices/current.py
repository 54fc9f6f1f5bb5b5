"""The list that counts, and the terms it makes: two statements, for one class or for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict
from core.i18n import _
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import ClassPriceRow, PriceList
from plugins.car_hire.services import pricing

NOTHING: Final = pricing.HouseRules()


class NotPriced(Conflict):
    """No price list that counts says what the class costs."""

    code = "car_hire.not_priced"
    title = _("This class has no price yet. Choose another class, or ask at the desk")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a class costs, as a page shows it before any dates are known."""

    day: Money
    """Net of tax, outside seasons."""
    day_gross: Money
    deposit: Money
    tax_rate: Decimal
    mileage: pricing.Mileage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A list's rules and prices by class, with the tenant whose they are."""

    tenant: Tenant
    house: pricing.HouseRules = NOTHING
    classes: Mapping[UUID, pricing.ClassPrices] = field(default_factory=dict)

    def terms(self, class_id: UUID, starts_at: datetime, rules: policy.Policy) -> pricing.Terms:
        """The terms of a class for a pick-up at ``starts_at``.

        Raises:
            NotPriced: the list does not say what the class costs.
        """
        if class_id not in self.classes:
            raise NotPriced
        unit = self.tenant.currency
        made = pricing.terms(
            self.house,
            self.classes[class_id],
            currency=unit,
            day=clock.local(starts_at, self.tenant.zone).date(),
            grace_minutes=rules.grace_minutes,
            late_per_hour=rules.late_fee_per_hour,
        )
        deposit = Money(made.deposit, unit).rounded().amount
        return msgspec.structs.replace(made, deposit=deposit)

    def shown(self) -> dict[UUID, Shown]:
        """What each class costs today, outside seasons."""
        tax = pricing.taxes(self.house, clock.today(self.tenant.zone)).hire
        unit = self.tenant.currency
        return {
            class_id: Shown(
                day=Money(each.rate.day, unit),
                day_gross=Money(each.rate.day * (1 + tax), unit).rounded(),
                deposit=Money(each.deposit, unit),
                tax_rate=tax,
                mileage=each.mileage,
            )
            for class_id, each in self.classes.items()
        }


async def read(session: AsyncSession, class_id: UUID | None = None) -> Prices:
    """The prices that count now: of one class, or of all."""
    found = await counting(session)
    if found is None:
        return Prices(tenant=session.info["tenant"])
    return await of(session, found, class_id)


async def counting(session: AsyncSession) -> PriceList | None:
    """The list that counts now: of those that have begun, the one that did so last."""
    newest = (
        select(PriceList)
        .where(PriceList.state == "published", PriceList.effective_from <= clock.now())
        .order_by(PriceList.effective_from.desc(), PriceList.number.desc())
        .limit(1)
    )
    found: PriceList | None = await session.scalar(newest)
    return found


async def of(session: AsyncSession, found: PriceList, class_id: UUID | None = None) -> Prices:
    """The prices of one list, whether it counts or not."""
    tenant: Tenant = session.info["tenant"]
    prices = await prices_of(session, found.id, class_id)
    return Prices(tenant=tenant, house=house_of(found), classes=prices)


async def prices_of(
    session: AsyncSession, list_id: UUID, class_id: UUID | None = None
) -> dict[UUID, pricing.ClassPrices]:
    """What classes cost by a list."""
    query = select(ClassPriceRow.class_id, ClassPriceRow.prices).where(
        ClassPriceRow.list_id == list_id
    )
    if class_id is not None:
        query = query.where(ClassPriceRow.class_id == class_id)
    return {
        row.class_id: msgspec.convert(row.prices, pricing.ClassPrices)
        for row in await session.execute(query)
    }


def house_of(found: PriceList) -> pricing.HouseRules:
    """The rules of a list."""
    return msgspec.convert(found.rules, pricing.HouseRules)

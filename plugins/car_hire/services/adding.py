"""Lines that other plugins add to prices and bills, by this tenant's extensions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from core import extension
from core.extension import ExtensionFailed, ExtensionPoint
from core.money import Money
from core.scope import Tenant
from plugins.car_hire.models import Hire, VehicleClass
from plugins.car_hire.points import RATE_RULE, RETURN_CHARGE, AddedLine, RateAsked, ReturnAsked
from plugins.car_hire.services import pricing


async def to_quote(
    session: AsyncSession,
    chosen: VehicleClass,
    terms: pricing.Terms,
    wanted: pricing.Asked,
) -> pricing.Priced:
    """The price of a hire with what the tenant's plugins add to it.

    Raises:
        ExtensionFailed: one of them could not be asked; there is no price without it.
    """
    priced = pricing.quote(terms, wanted)
    if not extension.extensions(session, RATE_RULE):
        return priced
    asked = RateAsked(
        class_id=chosen.id,
        class_name=chosen.name,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        zone=wanted.zone,
        days=pricing.days(wanted.starts_at, wanted.ends_at, terms.grace_minutes),
        currency=terms.currency,
        daily_rate=terms.rate.day,
    )
    return await _extended(session, RATE_RULE, terms, asked, priced)


async def to_bill(
    session: AsyncSession,
    hire: Hire,
    chosen: VehicleClass,
    terms: pricing.Terms,
    days: int,
    seen: pricing.Readings,
) -> pricing.Priced:
    """The bill of a return with what the tenant's plugins add to it.

    Raises:
        ExtensionFailed: one of them could not be asked; there is no bill without it.
    """
    priced = pricing.bill(terms, days, seen)
    if not extension.extensions(session, RETURN_CHARGE):
        return priced
    tenant: Tenant = session.info["tenant"]
    asked = ReturnAsked(
        hire_id=hire.id,
        booking_id=hire.booking_id,
        class_id=chosen.id,
        class_name=chosen.name,
        days=days,
        currency=terms.currency,
        zone=tenant.zone,
        steps={name: step["values"] for name, step in hire.steps.items()},
        due_at=seen.due_at,
        returned_at=seen.returned_at,
        odometer_out=seen.odometer_out,
        odometer_in=seen.odometer_in,
        fuel_out=seen.fuel_out,
        fuel_in=seen.fuel_in,
    )
    return await _extended(session, RETURN_CHARGE, terms, asked, priced)


async def _extended(
    session: AsyncSession,
    point: ExtensionPoint[list[AddedLine]],
    terms: pricing.Terms,
    asked: RateAsked | ReturnAsked,
    priced: pricing.Priced,
) -> pricing.Priced:
    for filling in extension.extensions(session, point):
        answers = await extension.ask(session, point, filling, asked)
        try:
            lines = [_line(filling.plugin, terms, each) for each in answers]
            priced = pricing.extended(priced, lines)
        except ValueError as problem:
            await extension.blame(session, point, filling, problem)
            raise ExtensionFailed(filling.plugin, filling.title) from problem
    return priced


def _line(plugin: str, terms: pricing.Terms, line: AddedLine) -> pricing.Line:
    evidence = {**line.evidence, "plugin": plugin, "texts": line.texts}
    rule = f"{plugin}.{line.rule}"
    price = Money(line.unit_price, terms.currency)
    return pricing.foreign(rule, line.quantity, price, terms.taxes.hire, evidence)

"""Limits of length and lead time, where every door asks for them: the site, the desk, programs and
customers who move their dates. What is limited stands in the price list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, fill, in_reading
from core.scope import Tenant
from core.web.formatting import day, moment
from plugins.car_hire import policy
from plugins.car_hire.models import Booking, Quote, VehicleClass
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.pricing import Broken

QUOTE: Final = "car_hire.quote"
SET_ASIDE: Final = "car_hire.limits_set_aside"
SHORTER: Final = (
    _("{name} is hired for {days} days or more. Bring it back from {when} on"),
    _("In {season}, {name} is hired for {days} days or more. Bring it back from {when} on"),
)
LONGER: Final = (
    _("{name} is hired for {days} days at most. Bring it back by {when}"),
    _("In {season}, {name} is hired for {days} days at most. Bring it back by {when}"),
)
LATE: Final = (
    _("{name} is booked {hours} hours ahead. Pick it up from {when} on"),
    _("In {season}, {name} is booked {hours} hours ahead. Pick it up from {when} on"),
)
EARLY: Final = (
    _("{name} can be booked {days} days ahead: come back on {when}"),
    _("In {season}, {name} can be booked {days} days ahead: come back on {when}"),
)


class OutsideLimits(Invalid):
    """Shorter, longer, later or earlier than the owner lets the class be hired."""

    code = "car_hire.outside_limits"
    title = _("These dates are outside what this class can be hired for")


def found(
    session: AsyncSession,
    house: pricing.HouseRules,
    chosen: VehicleClass,
    starts_at: datetime,
    ends_at: datetime,
    grace_minutes: int,
) -> list[Broken]:
    """The limits that a hire of a class would break; nothing is read."""
    if not house.limits:
        return []
    tenant: Tenant = session.info["tenant"]
    days = pricing.days(starts_at, ends_at, grace_minutes)
    return list(
        pricing.broken(
            house, str(chosen.id), starts_at, ends_at,
            days=days, now=clock.now(), zone=tenant.zone,
        )
    )  # fmt: skip


async def broken(
    session: AsyncSession, chosen: VehicleClass, starts_at: datetime, ends_at: datetime
) -> list[Broken]:
    """The limits of the list that counts which a hire of a class would break."""
    counting = await current.counting(session)
    if counting is None:
        return []
    rules = await policy.read(session)
    house = current.house_of(counting)
    return found(session, house, chosen, starts_at, ends_at, rules.grace_minutes)


def told(session: AsyncSession, chosen: VehicleClass, each: Broken) -> FieldError:
    """A limit in words, with what would keep it, at the field that is to change."""
    tenant: Tenant = session.info["tenant"]
    season = in_reading(each.season.texts) if each.season else ""
    said = {"name": chosen.name, "season": season}

    def words(texts: Sequence[LazyText], **more: Any) -> LazyText:
        return fill(texts[bool(season)], **said, **more)

    limit = each.limit
    if each.kind == "shorter":
        text = words(SHORTER, days=limit.days_from, when=moment(each.ends_at))
        return FieldError("ends_at", text)
    if each.kind == "longer":
        return FieldError("ends_at", words(LONGER, days=limit.days_to, when=moment(each.ends_at)))
    if each.kind == "late":
        text = words(LATE, hours=limit.lead_hours, when=moment(each.starts_at))
        return FieldError("starts_at", text)
    opens = clock.local(each.starts_at, tenant.zone).date() - timedelta(days=limit.lead_days or 0)
    return FieldError("starts_at", words(EARLY, days=limit.lead_days, when=day(opens)))


def texts(session: AsyncSession, chosen: VehicleClass, found: Sequence[Broken]) -> list[str]:
    """What a search says of the limits that the dates do not keep."""
    return [str(told(session, chosen, each).message) for each in found]


def refuse(session: AsyncSession, chosen: VehicleClass, found: Sequence[Broken]) -> None:
    """Let pass what breaks no limit.

    Raises:
        OutsideLimits: naming each limit, the field to change, and what would do.
    """
    errors = [told(session, chosen, each) for each in found]
    if errors:
        raise OutsideLimits(errors[0].message, errors=errors)


async def refuse_change(
    session: AsyncSession,
    booking: Booking,
    chosen: VehicleClass,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Hold a customer who moves their dates to the limits that the change comes nearer to: one who
    brings the car back a day later is not told that the hire is still too short.

    Raises:
        OutsideLimits: naming each limit, and what would do.
    """
    shorter = ends_at - starts_at < booking.ends_at - booking.starts_at
    longer = ends_at - starts_at > booking.ends_at - booking.starts_at
    counts = {
        "shorter": shorter,
        "longer": longer,
        "late": starts_at != booking.starts_at,
        "early": starts_at > booking.starts_at,
    }
    new = await broken(session, chosen, starts_at, ends_at)
    refuse(session, chosen, [each for each in new if counts[each.kind]])


async def note(session: AsyncSession, quote: Quote, found: Sequence[Broken], reason: str) -> None:
    """Say in the audit log who went beyond which limits, and why."""
    detail = {"reason": reason, "limits": [each.kind for each in found]}
    await audit.record(session, SET_ASIDE, QUOTE, quote.id, detail)

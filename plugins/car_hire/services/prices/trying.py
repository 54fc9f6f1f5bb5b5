"""What a hire would cost by a list, published or not; and how two lists differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import FieldError, Invalid
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import PriceList
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices import current

LONGEST: Final = timedelta(days=366)


async def out(
    session: AsyncSession,
    found: PriceList,
    class_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
) -> pricing.Priced:
    """The price of a hire by ``found``, at any time: last summer's as well as the next.

    Raises:
        Invalid: the dates make no sense.
        NotPriced: the list does not say what the class costs.
    """
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise Invalid(
            errors=[FieldError("ends_at", _("Choose a return within a year of the pick-up"))]
        )
    tenant: Tenant = session.info["tenant"]
    prices = await current.of(session, found, class_id)
    terms = prices.terms(class_id, starts_at, await policy.read(session))
    lead = clock.local(starts_at, tenant.zone).date() - clock.today(tenant.zone)
    asked = pricing.Asked(
        starts_at=starts_at, ends_at=ends_at, zone=tenant.zone, lead_days=max(0, lead.days)
    )
    return pricing.quote(terms, asked)


@dataclass(frozen=True, slots=True)
class Change:
    """Where two lists differ, and what each of them says there; None where it says nothing."""

    where: tuple[str, ...]
    before: str | None
    after: str | None


async def compare(session: AsyncSession, one: PriceList, other: PriceList) -> list[Change]:
    """What ``other`` says differently from ``one``, by the path to it in their JSON."""
    before, after = await _flat(session, one), await _flat(session, other)
    return [
        Change(where, before.get(where), after.get(where))
        for where in sorted(before.keys() | after.keys())
        if before.get(where) != after.get(where)
    ]


async def _flat(session: AsyncSession, found: PriceList) -> dict[tuple[str, ...], str]:
    prices = await current.prices_of(session, found.id)
    rules = msgspec.to_builtins(current.house_of(found))
    classes = {str(class_id): msgspec.to_builtins(each) for class_id, each in prices.items()}
    return dict(_leaves({"rules": rules, "classes": classes}, ()))


def _leaves(value: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*at, str(key)))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            # A season is known by its code, wherever it stands.
            name = inner.get("code") if isinstance(inner, Mapping) else None
            yield from _leaves(inner, (*at, str(name or place + 1)))
    elif value is not None:
        yield at, str(value)

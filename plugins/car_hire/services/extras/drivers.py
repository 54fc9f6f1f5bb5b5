"""How old the driver really is, against what the price was made for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire.models import Customer, Quote
from plugins.car_hire.services import checks


class AgeDiffers(Conflict):
    """A young driver costs more, and the price was made for another age."""

    code = "car_hire.age_differs"
    title = _("The price was made for a driver of another age. Ask for it with the right age")


def age_of(session: AsyncSession, customer: Customer, starts_at: datetime) -> int:
    """How old the customer is at the pick-up, in full years."""
    tenant: Tenant = session.info["tenant"]
    return checks.age(customer.born, clock.local(starts_at, tenant.zone).date())


def is_young(quote: Quote, age: int) -> bool:
    """Whether somebody of that age costs more."""
    young = quote.terms.get("young_driver")
    return young is not None and age < young["under"]


def check_age(session: AsyncSession, quote: Quote, customer: Customer) -> None:
    """Let pass what costs the same whatever age was told; nobody's age is no young driver's.

    Raises:
        AgeDiffers: a young driver is charged for and is none, or is one and is not.
    """
    told: list[int] = quote.asked.get("ages") or []
    charged = bool(told) and is_young(quote, told[0])
    if charged != is_young(quote, age_of(session, customer, quote.starts_at)):
        raise AgeDiffers(field="age")

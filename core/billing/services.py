"""Count usage once, and say whether there is room for more."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.billing.models import UsageLimit, UsageRecord
from core.errors import DomainError
from core.i18n import _
from core.ids import new_id
from core.scope import Tenant


class LimitReached(DomainError):
    """The tenant's plan allows no more of this."""

    status = 403
    code = "limit_reached"
    title = _("Your plan allows no more of this; a larger plan does")


async def record_usage(
    session: AsyncSession, meter: str, quantity: Decimal | int, key: str
) -> bool:
    """Count ``quantity`` of a plugin's ``meter``; False if ``key`` was counted before."""
    written = await session.scalar(
        insert(UsageRecord)
        .values(id=new_id(), meter=meter, quantity=Decimal(quantity), key=key)
        .on_conflict_do_nothing(index_elements=["meter", "key"])
        .returning(UsageRecord.id)
    )
    return written is not None


async def has_room(session: AsyncSession, meter: str, quantity: Decimal | int = 1) -> bool:
    """Whether ``quantity`` more of ``meter`` is within the limit; without a limit it always is.

    The limit's row stays locked until the transaction ends, so that two who take the last
    piece at once do not both get it.
    """
    query = select(UsageLimit.quantity, UsageLimit.period).where(UsageLimit.meter == meter)
    limit = (await session.execute(query.with_for_update())).one_or_none()
    if limit is None:
        return True
    used = select(func.coalesce(func.sum(UsageRecord.quantity), 0)).where(
        UsageRecord.meter == meter
    )
    if limit.period == "month":
        tenant: Tenant = session.info["tenant"]
        used = used.where(UsageRecord.recorded_at >= month_start(clock.now(), tenant.zone))
    already = Decimal(await session.scalar(used) or 0)
    return already + Decimal(quantity) <= Decimal(limit.quantity)


async def check_limit(session: AsyncSession, meter: str, quantity: Decimal | int = 1) -> None:
    """Insist that there is room for ``quantity`` more of ``meter``.

    Raises:
        LimitReached: there is not.
    """
    if not await has_room(session, meter, quantity):
        raise LimitReached


def month_start(moment: datetime, zone: str) -> datetime:
    """When the calendar month of ``moment`` began in the IANA ``zone``."""
    wall = clock.local(moment, zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    return clock.from_wall(wall, zone)

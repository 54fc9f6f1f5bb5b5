"""When a schedule's turn comes, by the wall clocks of a tenant's zone."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from cronsim import CronSim


def latest(cron: str, zone: str, moment: datetime) -> datetime:
    """The last slot, in UTC, at or before ``moment`` (aware)."""
    local = moment.astimezone(ZoneInfo(zone)).replace(microsecond=0)
    slot = next(CronSim(cron, local + timedelta(seconds=1), reverse=True)).astimezone(UTC)
    # Going back, a wall time of the hour that comes twice may be passed over: go on from there.
    while (later := following(cron, zone, slot)) <= moment:
        slot = later
    return slot


def following(cron: str, zone: str, moment: datetime) -> datetime:
    """The first slot, in UTC, after ``moment`` (aware)."""
    for each in CronSim(cron, moment.astimezone(ZoneInfo(zone))):
        # In the hour that comes twice a slot is the first of the two, which may be over.
        if (slot := each.astimezone(UTC)) > moment:
            return slot
    raise ValueError(f"{cron!r} never comes")


def share(tenant: UUID, name: str, spread: timedelta) -> timedelta:
    """The constant part of ``spread`` by which a tenant's turn comes later."""
    digest = hashlib.sha256(tenant.bytes + name.encode()).digest()
    return spread * (int.from_bytes(digest[:4]) / (1 << 32))

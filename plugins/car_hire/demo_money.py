"""What came after hires of the demo: a toll that was noted, a fine that its driver contests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import Hire, Vehicle
from plugins.car_hire.schemas_later import LaterInput
from plugins.car_hire.services.later import charging, recording


async def fines(session: AsyncSession) -> None:
    """Of the two hires that ended last."""
    ended = (
        select(Hire, Vehicle)
        .join(Vehicle, Vehicle.id == Hire.vehicle_id)
        .where(Hire.state == "closed")
        .order_by(Hire.returned_at.desc())
        .limit(2)
    )
    rows = (await session.execute(ended)).all()
    if len(rows) < 2:
        return
    (first, its_car), (second, other_car) = rows
    assert first.started_at is not None
    assert second.started_at is not None
    toll = LaterInput(
        kind="toll", plate=its_car.plate, happened_at=first.started_at + timedelta(hours=3),
        authority="Via Verde", reference="VV-2026-118204", amount=Decimal("8.45"),
    )  # fmt: skip
    await recording.record(session, toll)
    fine = LaterInput(
        kind="fine", plate=other_car.plate, happened_at=second.started_at + timedelta(hours=5),
        authority="ANSR", reference="PCO 9142287", amount=Decimal(120),
    )  # fmt: skip
    made = await recording.record(session, fine)
    await charging.charge(session, made.id, by_link=True)
    await charging.contest(session, made.id, "Diz que conduzia outra pessoa")

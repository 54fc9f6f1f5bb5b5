"""What came after hires of the demo, a toll and a fine; and a company that hires on account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import Customer, Hire, Vehicle
from plugins.car_hire.schemas_companies import CompanyInput, MemberInput
from plugins.car_hire.schemas_later import LaterInput
from plugins.car_hire.services.companies import keeping
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


async def company(session: AsyncSession, contact: Customer) -> None:
    """A builder whose site manager hires vans and small cars."""
    made = await keeping.add(
        session,
        CompanyInput(
            name="Construções Vale do Tejo, Lda.",
            tax_number="PT 507 218 934",
            billing_address="Rua da Indústria 41\n2690-101 Santa Iria de Azóia",
            contact_name="Helena Matos",
            contact_email="contabilidade@valedotejo.example",
            contact_phone="+351 219 555 140",
            credit_limit=Decimal(4000),
        ),
    )
    member = MemberInput(email=contact.email, sees_statements=True)
    await keeping.put_member(session, made.id, member)

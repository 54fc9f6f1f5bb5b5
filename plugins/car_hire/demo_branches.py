"""The demonstration's branches: Lisbon, Porto Airport and Faro Airport."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from plugins.car_hire.schemas_branches import BranchInput, CarTransferInput, DayInput
from plugins.car_hire.services.branches import keeping, transfers

_CITY: Final = {
    **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "9-13, 14-19"),
    "saturday": "9-13",
}
_AIRPORT: Final = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "7:30-23"
)
_BRANCHES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "Lisboa Saldanha", "code": "LIS", "desk_phone": "+351 213 520 140",
        "street_address": "Avenida da República 14, 1050-191 Lisboa",
        "desk_email": "lisboa@acme.example",
        "latitude": Decimal("38.735480"), "longitude": Decimal("-9.145390"),
        "serves_out_of_hours": True, "is_main": True, **_CITY,
    },
    {
        "name": "Porto Airport", "code": "OPO", "desk_phone": "+351 229 430 118",
        "street_address": "Aeroporto Francisco Sá Carneiro, 4470-558 Maia",
        "desk_email": "porto@acme.example",
        "latitude": Decimal("41.242060"), "longitude": Decimal("-8.678620"),
        "is_airport": True, "serves_out_of_hours": True, **_AIRPORT,
    },
    {
        "name": "Faro Airport", "code": "FAO", "desk_phone": "+351 289 818 240",
        "street_address": "Aeroporto Gago Coutinho, 8006-901 Faro",
        "desk_email": "faro@acme.example",
        "latitude": Decimal("37.020360"), "longitude": Decimal("-7.968360"),
        "is_airport": True, "serves_out_of_hours": False, **_AIRPORT,
    },
)  # fmt: skip
_HOLIDAYS: Final = (
    (1, 1, "Ano Novo", ""),
    (4, 25, "Dia da Liberdade", "10-13"),
    (12, 24, "Véspera de Natal", "9-13"),
    (12, 25, "Natal", ""),
)


async def open_all(session: AsyncSession) -> dict[str, UUID]:
    """Open the branches, their ids by code; the seed's own becomes the first."""
    first = await keeping.main(session)
    made = {}
    for given in _BRANCHES:
        form = BranchInput(**given)
        if form.is_main:
            branch = await keeping.change(session, first.id, form, None)
        else:
            branch = await keeping.add(session, form)
        made[branch.code] = branch.id
        await _holidays(session, branch.id)
    return made


async def _holidays(session: AsyncSession, branch_id: UUID) -> None:
    tenant: Tenant = session.info["tenant"]
    today = clock.today(tenant.zone)
    for month, day, name, hours in _HOLIDAYS:
        coming = date(today.year + ((month, day) < (today.month, today.day)), month, day)
        await keeping.add_day(session, branch_id, DayInput(day=coming, name=name, hours=hours))


async def bring(session: AsyncSession, vehicle_id: UUID, to: UUID, begins: datetime) -> None:
    """A car on its way to another branch."""
    given = CarTransferInput(
        to_branch_id=to,
        starts_at=begins,
        ends_at=begins + timedelta(hours=4),
        driver="Rui Tavares",
        notes="Levar a chave suplente.",
    )
    await transfers.plan(session, vehicle_id, given)

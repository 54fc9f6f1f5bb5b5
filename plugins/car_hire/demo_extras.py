"""What a new business's customers may take with a car, and what the demonstration adds to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import SIDES
from plugins.car_hire.schemas_extras import NewExtraInput
from plugins.car_hire.services.extras import catalogue

AMOUNTS: Final = ("price", "cap", "excess")
_BODY: Final = ["front", "rear", "left", "right", "roof"]
_FIRST: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "basic", "kind": "basic", "price": 0, "excess": 1200, "zones": _BODY,
        "name_en": "Basic cover", "name_pt": "Cobertura base",
        "about_en": "Collision and theft, with an excess.",
        "about_pt": "Choque, colisão e furto, com franquia.",
    },
    {
        "code": "reduced", "kind": "cover", "price": 9, "cap": 135, "excess": 450, "zones": _BODY,
        "name_en": "Reduced excess", "name_pt": "Franquia reduzida",
        "about_en": "The basic cover with less than half of the excess.",
        "about_pt": "A cobertura base com menos de metade da franquia.",
    },
    {
        "code": "full", "kind": "cover", "price": 17, "cap": 255, "excess": 0,
        "zones": [zone for zone in SIDES if zone not in {"interior", "underbody"}],
        "name_en": "Full cover", "name_pt": "Cobertura total",
        "about_en": "No excess, with glass, tyres and wheels.",
        "about_pt": "Sem franquia, com vidros, pneus e jantes.",
    },
    {
        "code": "child-seat", "price": 6, "cap": 48, "stock": 4, "most": 3,
        "name_en": "Child seat", "name_pt": "Cadeira de criança",
        "about_en": "9 to 18 kg, with Isofix.", "about_pt": "Dos 9 aos 18 kg, com Isofix.",
    },
    {
        "code": "driver", "kind": "driver", "price": 5, "cap": 50, "most": 3,
        "name_en": "Additional driver", "name_pt": "Condutor adicional",
    },
)  # fmt: skip
_MORE: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "booster", "price": 4, "cap": 32, "stock": 6, "most": 3,
        "name_en": "Booster seat", "name_pt": "Banco elevatório",
        "about_en": "15 to 36 kg.", "about_pt": "Dos 15 aos 36 kg.",
    },
    {
        "code": "gps", "price": 7, "cap": 70, "stock": 3,
        "name_en": "GPS", "name_pt": "GPS",
        "about_en": "With maps of Europe.", "about_pt": "Com mapas da Europa.",
    },
    {
        "code": "roof-box", "price": 9, "cap": 81, "stock": 2,
        "name_en": "Roof box, 400 litres", "name_pt": "Mala de tejadilho, 400 litros",
    },
    {
        "code": "snow-chains", "price": 25, "per": "hire", "stock": 4,
        "name_en": "Snow chains", "name_pt": "Correntes de neve",
        "about_en": "For Serra da Estrela in winter.",
        "about_pt": "Para a Serra da Estrela no inverno.",
    },
    {
        "code": "tyres-glass", "kind": "partial", "price": 4, "cap": 40, "excess": 0,
        "zones": ["glass", "wheels"],
        "name_en": "Tyres and glass", "name_pt": "Pneus e vidros",
        "about_en": "A stone on the motorway, a kerb in Alfama.",
        "about_pt": "Uma pedra na autoestrada, um passeio em Alfama.",
    },
)  # fmt: skip


async def begin(session: AsyncSession) -> None:
    """Three covers, a child seat and another driver: what nearly every business offers."""
    await _add(session, _FIRST)


async def complete(session: AsyncSession) -> None:
    """The rest of ACME's."""
    await _add(session, _MORE)


async def _add(session: AsyncSession, rows: tuple[dict[str, Any], ...]) -> None:
    for row in rows:
        amounts: dict[str, Any] = {name: Decimal(row[name]) for name in AMOUNTS if name in row}
        await catalogue.add(session, NewExtraInput(**(row | amounts)))

"""What was said of flags, read together with a tenant so that it costs no query of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from core.scope import FlagWords
from tenants.flags.models import FlagChoice, FlagOverride, FlagRollOut
from tenants.models import TenantRecord

_OVERRIDES: Final = (
    select(
        func.jsonb_object_agg(
            FlagOverride.flag, func.jsonb_build_array(FlagOverride.is_on, FlagOverride.until)
        )
    )
    .where(FlagOverride.tenant_id == TenantRecord.id)
    .scalar_subquery()
)
_CHOICES: Final = (
    select(func.jsonb_object_agg(FlagChoice.flag, FlagChoice.is_on))
    .where(FlagChoice.tenant_id == TenantRecord.id)
    .scalar_subquery()
)
_ROLL_OUTS: Final = select(
    func.jsonb_object_agg(FlagRollOut.flag, FlagRollOut.percent)
).scalar_subquery()

SAID: Final = func.jsonb_build_object(
    "overrides", _OVERRIDES, "choices", _CHOICES, "roll_outs", _ROLL_OUTS
)
"""A column of the tenant's row, as ``words_of`` takes it."""


def words_of(said: Mapping[str, Any]) -> Mapping[str, FlagWords]:
    """What was said for a tenant, by flag."""
    overrides: Mapping[str, tuple[bool, str | None]] = said.get("overrides") or {}
    choices: Mapping[str, bool | None] = said.get("choices") or {}
    roll_outs: Mapping[str, int] = said.get("roll_outs") or {}
    found = {}
    for flag in {*overrides, *choices, *roll_outs}:
        is_on, until = overrides.get(flag, (None, None))
        found[flag] = FlagWords(
            override=is_on,
            until=datetime.fromisoformat(until) if until else None,
            choice=choices.get(flag),
            percent=roll_outs.get(flag),
        )
    return found

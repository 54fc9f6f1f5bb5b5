"""Features, for programs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, put
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import _
from core.web.forms import Form, moment, text, tick, whole
from core.web.http import AnyRequest, Session
from tenants.flags import services as flags
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.routes.flags import declared, declared_one, standings
from tenants.operator.services import tenants


class RollOut(Form):
    """To how many percent of the tenants."""

    percent: Annotated[int, whole(_("Share of the tenants"), max=100, unit="%")]


class Override(Form, kw_only=True):
    """On or off for one tenant, and why; no end is until it is cleared."""

    on: Annotated[bool, tick(_("On"))]
    reason: Annotated[str, text(_("Reason"), max=flags.LONGEST_REASON)]
    until: Annotated[datetime, moment(_("Until"))] | None = None


class FlagOut(msgspec.Struct, kw_only=True):
    """A flag; ``percent`` is null while it is not rolled out, ``overrides`` counts tenants."""

    flag: str
    title: str
    default: bool
    switched_by: str
    sunset: date
    percent: int | None
    overrides: int


class TenantFlagOut(msgspec.Struct, kw_only=True):
    """A flag as it stands for a tenant; ``why`` is ``override``, ``choice``, ``roll_out``,
    ``default`` or ``product_off``. The rest is what an operator said, also if it has ended."""

    flag: str
    on: bool
    why: str
    override: bool | None
    reason: str | None
    until: datetime | None


class FlagsApi(Controller):
    """``/api/v1/operator/flags``."""

    path = "/api/v1/operator/flags"
    tags = ("Operator",)

    @get(access=looking)
    async def every(self, request: AnyRequest, session: Session) -> list[FlagOut]:
        """Every flag that is declared, and how far it is rolled out."""
        return await _told(request, session)

    @put("/{key:str}/roll-out", access=acting)
    async def roll_out(
        self, request: AnyRequest, session: Session, key: FromPath[str], data: JSONBody[RollOut]
    ) -> list[FlagOut]:
        """Have it on for a share of the tenants; with a larger one, nobody loses it."""
        flag = declared_one(request, key)
        await flags.roll_out(session, parts.signals(request), flag, data.percent)
        return await _told(request, session)

    @delete("/{key:str}/roll-out", access=acting, status_code=200)
    async def end_roll_out(
        self, request: AnyRequest, session: Session, key: FromPath[str]
    ) -> list[FlagOut]:
        """Let what is declared hold again."""
        await flags.end_roll_out(session, parts.signals(request), key)
        return await _told(request, session)


class TenantFlagsApi(Controller):
    """``/api/v1/operator/tenants/…/flags``."""

    path = "/api/v1/operator/tenants/{tenant_id:uuid}/flags"
    tags = ("Operator",)

    @get(access=looking)
    async def every(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]
    ) -> list[TenantFlagOut]:
        """Every flag as it stands for a tenant, and on whose word."""
        return await _told_of(request, session, tenant_id)

    @put("/{key:str}", access=acting)
    async def override(
        self,
        request: AnyRequest,
        session: Session,
        tenant_id: FromPath[UUID],
        key: FromPath[str],
        data: JSONBody[Override],
    ) -> list[TenantFlagOut]:
        """Set it for the tenant, in place of what was set before."""
        flag = declared_one(request, key)
        await flags.override(
            session, parts.signals(request), tenant_id, flag, data.on, data.reason, data.until
        )
        return await _told_of(request, session, tenant_id)

    @delete("/{key:str}", access=acting, status_code=200)
    async def clear(
        self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID], key: FromPath[str]
    ) -> list[TenantFlagOut]:
        """Take the operator's word back."""
        await tenants.one(session, tenant_id)
        await flags.clear(session, parts.signals(request), tenant_id, key)
        return await _told_of(request, session, tenant_id)


async def _told(request: AnyRequest, session: AsyncSession) -> list[FlagOut]:
    rolled, counted = await flags.roll_outs(session), await flags.counted(session)
    return [
        FlagOut(
            flag=key,
            title=str(flag.title),
            default=flag.default,
            switched_by=flag.switched_by,
            sunset=flag.sunset,
            percent=rolled[key].percent if key in rolled else None,
            overrides=counted.get(key, 0),
        )
        for key, flag in declared(request).items()
    ]


async def _told_of(
    request: AnyRequest, session: AsyncSession, tenant_id: UUID
) -> list[TenantFlagOut]:
    await tenants.one(session, tenant_id)
    kept = await flags.overrides_of(session, tenant_id)
    return [
        TenantFlagOut(
            flag=flag.key,
            on=now.on,
            why=now.why,
            override=kept[flag.key].is_on if flag.key in kept else None,
            reason=kept[flag.key].reason if flag.key in kept else None,
            until=kept[flag.key].until if flag.key in kept else None,
        )
        for flag, now in await standings(request, session, tenant_id)
    ]

"""Features: how far each is rolled out, and for whom it is set; pages of the console."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, Invalid, NotFound
from core.flags import Flag
from core.flags.resolution import Standing, standing
from core.i18n import LazyText, _
from core.web.forms import Bound, Form, blank, choice, moment, posted, text, whole
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.flags import services as flags
from tenants.operator.permissions import acting, looking
from tenants.operator.routes import parts
from tenants.operator.services import tenants

PATH: Final = f"{parts.HOME}/flags"
WHYS: Final = {
    "override": _("Set by an operator"),
    "choice": _("Chosen by the owner"),
    "roll_out": _("By the roll-out"),
    "default": _("As declared"),
    "product_off": _("The product is off"),
}
SWITCHED_BY: Final = {
    "owner": _("Owners and operators"),
    "operator": _("Operators alone"),
}
_STATES: Final = {"on": _("On"), "off": _("Off")}


class RollOutForm(Form):
    """To how many of the tenants."""

    percent: Annotated[int, whole(_("Share of the tenants"), max=100, unit="%")]


class OverrideForm(Form, kw_only=True):
    """On or off for one tenant, and why."""

    tenant: Annotated[str, text(_("Tenant"), hint=_("The first part of its address."))]
    state: Annotated[Literal["on", "off"], choice(_("State"), _STATES)]
    reason: Annotated[str, text(_("Reason"), max=flags.LONGEST_REASON)]
    until: Annotated[datetime, moment(_("Until"), hint=_("Empty: for good."))] | None = None


class Flags(Controller):
    """``/operator/flags``."""

    path = PATH
    include_in_schema = False

    @get(access=looking)
    async def every(self, request: AnyRequest, session: Session) -> Page:
        """Every flag that is declared, and how far it is."""
        context = {
            "flags": declared(request),
            "roll_outs": await flags.roll_outs(session),
            "overrides": await flags.counted(session),
            "switched_by": SWITCHED_BY,
        }
        return Page("operator/flags.html", context)

    @get("/{key:str}", access=looking)
    async def show(self, request: AnyRequest, session: Session, key: FromPath[str]) -> Page:
        """One flag: its roll-out, and for whom it is set."""
        return await _page(session, declared_one(request, key))

    @post("/{key:str}/roll-out", access=acting, status_code=200)
    async def roll_out(
        self, request: AnyRequest, session: Session, key: FromPath[str]
    ) -> Response[Any]:
        """Have it on for a share of the tenants."""
        flag = declared_one(request, key)
        form = await posted(request, RollOutForm)
        form.id = "roll-out"
        try:
            await flags.roll_out(session, parts.signals(request), flag, form.value.percent)
        except DomainError as problem:
            return await _page(session, flag, rolling=form.refuse(problem), status=problem.status)
        return _back(key, _("It is rolled out that far."))

    @post("/{key:str}/roll-out/end", access=acting, status_code=200)
    async def end_roll_out(
        self, request: AnyRequest, session: Session, key: FromPath[str]
    ) -> SeeOther:
        """Let what is declared hold again."""
        declared_one(request, key)
        await flags.end_roll_out(session, parts.signals(request), key)
        return _back(key, _("What is declared holds again."))

    @post("/{key:str}/overrides", access=acting, status_code=200)
    async def override(
        self, request: AnyRequest, session: Session, key: FromPath[str]
    ) -> Response[Any]:
        """Set it for one tenant."""
        flag = declared_one(request, key)
        form = await posted(request, OverrideForm)
        form.id = "override"
        try:
            wanted = form.value
            tenant_id = await _id_of(session, wanted.tenant)
            await flags.override(
                session, parts.signals(request), tenant_id, flag,
                wanted.state == "on", wanted.reason, wanted.until,
            )  # fmt: skip
        except DomainError as problem:
            return await _page(session, flag, setting=form.refuse(problem), status=problem.status)
        return _back(key, _("It is set."))

    @post("/{key:str}/overrides/{tenant_id:uuid}/clear", access=acting, status_code=200)
    async def clear(
        self, request: AnyRequest, session: Session, key: FromPath[str], tenant_id: FromPath[UUID]
    ) -> SeeOther:
        """Take our word back."""
        await flags.clear(session, parts.signals(request), tenant_id, key)
        return _back(key, _("Nothing is set there any more."))


class TenantFlags(Controller):
    """``/operator/tenants/…/flags``."""

    path = f"{parts.HOME}/tenants/{{tenant_id:uuid}}/flags"
    include_in_schema = False

    @get(access=looking)
    async def show(self, request: AnyRequest, session: Session, tenant_id: FromPath[UUID]) -> Page:
        """Which features a tenant has, and on whose word."""
        seen = await tenants.one(session, tenant_id)
        context = {
            "tenant": seen.record,
            "rows": await standings(request, session, tenant_id),
            "whys": WHYS,
        }
        return Page("operator/tenant_flags.html", context)


def declared(request: AnyRequest) -> dict[str, Flag]:
    """Every flag that there is, by key."""
    return flags.declared(parts.products(request))


def declared_one(request: AnyRequest, key: str) -> Flag:
    """One flag.

    Raises:
        NotFound: nobody declares it.
    """
    try:
        return declared(request)[key]
    except KeyError:
        raise NotFound(_("There is no such feature flag")) from None


async def standings(
    request: AnyRequest, session: AsyncSession, tenant_id: UUID
) -> list[tuple[Flag, Standing]]:
    """How each flag stands for a tenant, also by what this transaction changed."""
    tenant = await parts.tenant_of(request, tenant_id)
    if tenant is None:
        raise NotFound
    now = replace(tenant, flags=await flags.said(session, tenant_id))
    return [(flag, standing(now, flag)) for flag in declared(request).values()]


async def _id_of(session: AsyncSession, slug: str) -> UUID:
    try:
        return (await tenants.by_slug(session, slug.strip().lower())).record.id
    except NotFound:
        raise Invalid(_("There is no tenant at this address"), field="tenant") from None


def _back(key: str, text: LazyText) -> SeeOther:
    return SeeOther(f"{PATH}/{key}", flash=text)


async def _page(
    session: AsyncSession,
    flag: Flag,
    *,
    rolling: Bound[RollOutForm] | None = None,
    setting: Bound[OverrideForm] | None = None,
    status: int = 200,
) -> Page:
    rolled = (await flags.roll_outs(session)).get(flag.key)
    usual = {"percent": rolled.percent} if rolled else {}
    rolling = rolling or blank(RollOutForm, usual)
    rolling.id = "roll-out"
    setting = setting or blank(OverrideForm)
    setting.id = "override"
    context = {
        "flag": flag,
        "rolled": rolled,
        "overridden": await flags.overridden(session, flag.key),
        "switched_by": SWITCHED_BY,
        "rolling": rolling,
        "setting": setting,
    }
    return Page("operator/flag.html", context, status=status)

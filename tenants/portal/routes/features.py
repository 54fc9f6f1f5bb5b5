"""Features that a business's owners may switch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from core.errors import Conflict, NotFound
from core.flags import Flag
from core.flags.resolution import Standing, standing, without_override
from core.i18n import _
from core.permissions import member
from core.scope import FlagWords, Tenant
from core.web.forms import Form, choice, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.flags import services as flags
from tenants.flags.models import FlagChoice
from tenants.portal.routes import access, parts
from tenants.portal.services.businesses import Business


class Switch(Form):
    """Where the switch is to stand."""

    state: Annotated[Literal["on", "off"], choice(_("State"))]


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature as its owner sees it; ``wanted`` is what holds once no operator says otherwise."""

    flag: Flag
    now: Standing
    wanted: bool
    words: FlagWords
    choice: FlagChoice | None


class Features(Controller):
    """``/businesses/…/features``."""

    path = "/businesses/{business_id:uuid}/features"
    include_in_schema = False

    @get("/", access=member, dependencies=access.ADMINISTERED)
    async def show(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Page:
        """What can be switched, and how it stands."""
        tenant = await _tenant(request, business)
        kept = await flags.choices_of(session, business.id)
        words = await flags.said(session, business.id)
        features = [
            _feature(replace(tenant, flags=words), flag, kept.get(flag.key))
            for flag in _switchable(request, tenant).values()
        ]
        context = {"business": business, "features": features}
        return Page("portal/businesses/features.html", context)

    @post("/{key:str}", access=member, dependencies=access.ADMINISTERED, status_code=200)
    async def switch(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        key: FromPath[str],
    ) -> SeeOther:
        """Have it on or off."""
        flag = await _flag(request, business, key)
        wanted = (await posted(request, Switch)).value.state == "on"
        await flags.choose(session, parts.signals(request), business.id, flag, wanted)
        said = _("It is switched on.") if wanted else _("It is switched off.")
        return SeeOther(f"{access.path_of(business)}/features", flash=said)

    @post("/{key:str}/put-back", access=member, dependencies=access.ADMINISTERED, status_code=200)
    async def put_back(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        key: FromPath[str],
    ) -> SeeOther:
        """As before the last change."""
        flag = await _flag(request, business, key)
        await flags.put_back(session, parts.signals(request), business.id, flag)
        return SeeOther(f"{access.path_of(business)}/features", flash=_("It is as before."))


async def _tenant(request: AnyRequest, business: Business) -> Tenant:
    tenant = await parts.directory(request).by_id(business.id)
    if tenant is None or not business.is_open:
        raise Conflict(_("Features can be switched once the business is open"))
    return tenant


def _switchable(request: AnyRequest, tenant: Tenant) -> dict[str, Flag]:
    known = flags.of_tenant(flags.declared(parts.products(request)), tenant)
    return {flag.key: flag for flag in known if flag.is_owners}


async def _flag(request: AnyRequest, business: Business, key: str) -> Flag:
    switchable = _switchable(request, await _tenant(request, business))
    if key not in switchable:
        raise NotFound(_("There is no such feature"))
    return switchable[key]


def _feature(tenant: Tenant, flag: Flag, kept: FlagChoice | None) -> Feature:
    words = tenant.flags.get(flag.key, FlagWords())
    wanted = without_override(tenant.id, flag, words).on
    return Feature(flag, standing(tenant, flag), wanted, words, kept)

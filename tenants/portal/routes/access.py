"""Which business a route is about, and whether whoever asks may do there what they ask for.

A controller or handler says ``dependencies=access.OWNED`` (or another of these), and takes the
business as ``business: NamedDependency[Business]``.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar.di import Provide
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Forbidden
from core.i18n import _
from core.permissions import Role
from core.web.formatting import day, moment, on_the_clock_of
from core.web.http import AnyRequest, Session
from tenants.portal.routes import parts
from tenants.portal.services import businesses
from tenants.portal.services.businesses import Business


async def mine(session: Session, business_id: FromPath[UUID]) -> Business:
    """A business that whoever is signed in is a member of.

    Raises:
        NotFound: it is none of theirs, or it does not exist.
    """
    return await businesses.one(session, parts.member().user_id, business_id)


async def administered(
    request: AnyRequest, session: Session, business_id: FromPath[UUID]
) -> Business:
    """A business that the member may change now: who was demoted there may not do so from here.

    Raises:
        NotFound, Forbidden
    """
    business = await mine(session, business_id)
    if await _role_now(request, session, business) not in {None, Role.OWNER, Role.ADMIN}:
        raise Forbidden(_("You are not an administrator of this business any more."))
    businesses.insist_may_administer(business)
    return business


async def owned(request: AnyRequest, session: Session, business_id: FromPath[UUID]) -> Business:
    """A business that is the member's own.

    Raises:
        NotFound, Forbidden
    """
    business = await mine(session, business_id)
    if business.role is not Role.OWNER:
        raise Forbidden(_("Only owners of the business may do this"))
    if await _role_now(request, session, business) not in {None, Role.OWNER}:
        raise Forbidden(_("You are not an owner of this business any more."))
    return business


MINE: Final = {"business": Provide(mine)}
ADMINISTERED: Final = {"business": Provide(administered)}
OWNED: Final = {"business": Provide(owned)}


def path_of(business: Business) -> str:
    """Where its page is."""
    return f"/businesses/{business.id}"


def standing(business: Business) -> dict[str, str | None]:
    """Since or until when a business is not open as usual, by its own clocks."""
    planned = business.maintenance
    with on_the_clock_of(business.zone):
        return {
            "suspended": moment(business.suspended_at) if business.suspended_at else None,
            "deleted_on": day(business.delete_after) if business.delete_after else None,
            "maintenance_until": moment(planned.until) if planned and planned.until else None,
        }


async def _role_now(request: AnyRequest, session: AsyncSession, business: Business) -> Role | None:
    """What the member is there by its own records; None where it has none, being made or
    deleted. Somebody who may not sign in there any more counts as a customer."""
    tenant = await parts.directory(request).by_id(business.id)
    if tenant is None or business.status in {"provisioning", "deleting"}:
        return None
    role = await parts.crossing(request).role_of(session, tenant, business.user_id)
    return role or Role.MEMBER

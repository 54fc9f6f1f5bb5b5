"""A business's own domains for programs: the same as the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import member
from core.web.api import Listing
from core.web.http import AnyRequest, Session
from tenants.domains import services, views
from tenants.domains.views import DomainView
from tenants.portal.routes import parts
from tenants.portal.routes.domains import ADMINISTERED, inspector
from tenants.portal.schemas import DomainChange, NewDomain
from tenants.portal.services.businesses import Business


class RecordOut(msgspec.Struct, frozen=True, kw_only=True):
    """A DNS record to make; of several for ``routing``, one way is enough. ``state`` is right,
    missing, different (``found`` says what is there), unknown, or null before the first look."""

    purpose: str
    type: str
    name: str
    value: str
    state: str | None
    found: Sequence[str]


class DomainOut(msgspec.Struct, frozen=True, kw_only=True):
    """A host name of the business; ``status`` is waiting, taken, working or failing."""

    id: UUID
    host: str
    status: str
    primary: bool
    records: Sequence[RecordOut]
    checked_at: datetime | None
    next_check_at: datetime | None
    lapses_at: datetime | None


class DomainsApi(Controller):
    """Domains of a business of the account that calls."""

    path = "/api/v1/businesses/{business_id:uuid}/domains"
    tags = ("Businesses",)
    dependencies = ADMINISTERED

    @get("/", access=member)
    async def every(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Listing[DomainOut]:
        """Every domain with the records to make and what is there."""
        settings = parts.settings(request)
        found = await views.every(session, settings, business.slug, business.id)
        return Listing(items=list(map(_out, found)))

    @post("/", access=member, idempotent=True)
    async def add(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        data: JSONBody[NewDomain],
    ) -> DomainOut:
        """Claim a name; it works once its records are made and found."""
        settings = parts.settings(request)
        domain_id = await services.claim(session, settings, business.id, data.host)
        return await _one(request, session, business, domain_id)

    @get("/{domain_id:uuid}", access=member)
    async def one(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> DomainOut:
        """One domain."""
        return await _one(request, session, business, domain_id)

    @post("/{domain_id:uuid}/check", access=member, status_code=200)
    async def check(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> DomainOut:
        """Look at its records now, which takes up to some seconds."""
        await services.one(session, business.id, domain_id)
        await inspector(request).ask(session, business.id, domain_id)
        return await _one(request, session, business, domain_id)

    @patch("/{domain_id:uuid}", access=member)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
        data: JSONBody[DomainChange],
    ) -> DomainOut:
        """Make it the main address, or the subdomain again."""
        domain = await services.one(session, business.id, domain_id)
        signals = parts.signals(request)
        if data.primary:
            await services.prefer(session, signals, business.id, domain_id)
        elif domain.is_primary:
            await services.prefer_none(session, signals, business.id)
        return await _one(request, session, business, domain_id)

    @delete("/{domain_id:uuid}", access=member)
    async def remove(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> None:
        """Give it up."""
        await services.remove(session, parts.signals(request), business.id, domain_id)


async def _one(
    request: AnyRequest, session: AsyncSession, business: Business, domain_id: UUID
) -> DomainOut:
    domain = await services.one(session, business.id, domain_id)
    return _out(await views.view(session, parts.settings(request), business.slug, domain))


def _out(domain: DomainView) -> DomainOut:
    return DomainOut(
        id=domain.id,
        host=domain.host,
        status=domain.status.value,
        primary=domain.is_primary,
        records=[
            RecordOut(
                purpose=part.purpose,
                type=record.kind,
                name=record.name,
                value=record.value,
                state=part.seen.state.value if part.seen else None,
                found=part.seen.found if part.seen else (),
            )
            for part in domain.parts
            for record in part.wanted
        ],
        checked_at=domain.checked_at,
        next_check_at=domain.next_check_at,
        lapses_at=domain.lapses_at,
    )

"""A business's own sender of mail for programs: the same as the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import member
from core.web.http import AnyRequest, Session
from tenants.portal.routes import parts, sender_texts
from tenants.portal.routes.domains import administered
from tenants.portal.routes.sender import attempt, choose, inspector
from tenants.portal.schemas import SenderChoice
from tenants.portal.services.businesses import Business
from tenants.senders import services, views
from tenants.senders.views import RecordView


class SenderRecordOut(msgspec.Struct, frozen=True, kw_only=True):
    """A TXT record to make, or to change into ``value``. ``state`` is right, missing, different,
    unknown, or null before the first look; ``advice`` says in words what to change. ``key`` is
    current, next or former (its record may go after ``retires_at``) for DKIM, else null."""

    purpose: str
    name: str
    value: str
    state: str | None
    found: Sequence[str]
    advice: str | None
    key: str | None
    retires_at: datetime | None


class SenderOut(msgspec.Struct, frozen=True, kw_only=True):
    """``status`` is waiting, taken, working, failing (letters still leave from it) or fallen_back
    (they leave from the platform's address, and answers go to this one)."""

    address: str
    name: str | None
    reply_to: str | None
    status: str
    records: Sequence[SenderRecordOut]
    checked_at: datetime | None
    next_check_at: datetime | None


class TrialOut(msgspec.Struct, frozen=True, kw_only=True):
    """``result`` is accepted, refused, later (not reached), lost (unknown) or caught (no mail
    server is set); ``signature`` is right, wrong or unknown by what DNS shows."""

    sender: str
    result: str
    reason: str | None
    signature: str


class SenderApi(Controller):
    """The address that letters of a business of the account that calls come from."""

    path = "/api/v1/businesses/{business_id:uuid}/sender"
    tags = ("Businesses",)

    @get("/", access=member)
    async def show(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SenderOut:
        """The address with the records to make and what is there; 404 if there is none."""
        business = await administered(request, session, business_id)
        return await _out(request, session, business)

    @put("/", access=member)
    async def choose(
        self,
        request: AnyRequest,
        session: Session,
        business_id: FromPath[UUID],
        data: JSONBody[SenderChoice],
    ) -> SenderOut:
        """Choose an address; letters leave from it once its records are made and found."""
        business = await administered(request, session, business_id)
        await choose(request, session, business, data)
        return await _out(request, session, business)

    @post("/check", access=member, status_code=200)
    async def check(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SenderOut:
        """Look at its records now, which takes up to some seconds."""
        business = await administered(request, session, business_id)
        await inspector(request).ask(session, business.id)
        return await _out(request, session, business)

    @post("/key", access=member, status_code=200)
    async def renew_key(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> SenderOut:
        """Make another key; it signs once its record is found."""
        business = await administered(request, session, business_id)
        await services.renew_key(session, business.id)
        return await _out(request, session, business)

    @post("/trial", access=member, status_code=200)
    async def try_out(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> TrialOut:
        """Send a letter to whoever calls, and say what became of it."""
        business = await administered(request, session, business_id)
        done = await attempt(request, session, business)
        return TrialOut(
            sender=done.sender,
            result="caught" if done.caught else done.outcome.verdict.value,
            reason=done.outcome.reason,
            signature=done.signature.value,
        )

    @delete("/", access=member)
    async def release(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> None:
        """Give it up; letters leave from the platform's address."""
        business = await administered(request, session, business_id)
        await services.release(session, parts.signals(request), business.id)


async def _out(request: AnyRequest, session: AsyncSession, business: Business) -> SenderOut:
    kept = await services.one(session, business.id)
    sender = await views.view(session, parts.settings(request), kept)
    return SenderOut(
        address=sender.address,
        name=sender.name,
        reply_to=sender.reply_to,
        status=sender.status.value,
        records=[_record(each) for each in sender.records],
        checked_at=sender.checked_at,
        next_check_at=sender.next_check_at,
    )


def _record(record: RecordView) -> SenderRecordOut:
    advice = sender_texts.advice(record.seen)
    return SenderRecordOut(
        purpose=record.purpose,
        name=record.name,
        value=record.value,
        state=record.seen.state.value if record.seen else None,
        found=record.seen.found if record.seen else (),
        advice=str(advice) if advice is not None else None,
        key=record.key_state,
        retires_at=record.retires_at,
    )

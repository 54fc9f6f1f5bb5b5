"""Notes of operators about a tenant, and what the audit log of tenant zero says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.audit.models import AuditEntry
from core.auth import identity as identities
from core.errors import Invalid
from core.i18n import _
from core.ids import new_id
from tenants.operator.models import TenantNote

LONGEST: Final = 2000
SHOWN: Final = 30


async def add(session: AsyncSession, tenant_id: UUID, text: str) -> TenantNote:
    """Write a note down for other operators.

    Raises:
        Invalid: it is empty or too long, naming the field ``text``.
    """
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        raise Invalid(_("Write a note of up to 2000 characters"), field="text")
    person = identities.current()
    note = TenantNote(
        id=new_id(),
        tenant_id=tenant_id,
        text=text,
        author=person.name if person else audit.SYSTEM,
    )
    session.add(note)
    await session.flush()
    await audit.record(session, "operator.note_added", "tenant", tenant_id, {"note_id": note.id})
    return note


async def of(session: AsyncSession, tenant_id: UUID) -> Sequence[TenantNote]:
    """The notes about a tenant, newest first."""
    query = select(TenantNote).where(TenantNote.tenant_id == tenant_id)
    return (await session.scalars(query.order_by(TenantNote.id.desc()).limit(SHOWN))).all()


async def history(session: AsyncSession, tenant_id: UUID) -> Sequence[AuditEntry]:
    """The latest acts on a tenant as a whole, newest first."""
    query = select(AuditEntry).where(
        AuditEntry.subject_type == "tenant", AuditEntry.subject_id == str(tenant_id)
    )
    return (await session.scalars(query.order_by(AuditEntry.id.desc()).limit(SHOWN))).all()

"""Write the audit log in the transaction of the act itself, and read it by page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Table, func, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core import origin, telemetry
from core.audit.models import AuditEntry
from core.auth import identity as identities
from core.ids import new_id
from core.jobs import current_job

PAGE_SIZE: Final = 50
SYSTEM: Final = "Atrium"

# Of the table, and made once: whatever is done is recorded, and as an insert of the entity, built
# anew each time, that took several times as long.
_RECORD: Final = insert(cast(Table, AuditEntry.__table__))


async def record(
    session: AsyncSession,
    action: str,
    subject_type: str,
    subject_id: UUID | str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note that whoever is asking did ``action`` (``car_hire.hire_started``) to one object.

    ``detail`` is made JSON; it must hold no secrets. The entry is kept if and only if the
    present transaction commits.
    """
    await record_each(session, action, subject_type, {subject_id: detail or {}})


async def record_each(
    session: AsyncSession,
    action: str,
    subject_type: str,
    details: Mapping[UUID, Mapping[str, Any]] | Mapping[UUID | str, Mapping[str, Any]],
) -> None:
    """Note that ``action`` was done to several objects at once, with the detail of each."""
    if not details:
        return
    person = identities.current()
    source = origin.current()
    job = current_job.get(None)
    common = {
        "actor_kind": "person" if person and not person.machine else "system",
        "actor_id": person.user_id if person else None,
        "actor_name": person.name if person else job.actor if job else SYSTEM,
        "action": action,
        "subject_type": subject_type,
        "address": source.address if source else None,
        "trace": _trace_id(),
    }
    await session.execute(
        _RECORD,
        [
            common
            | {
                "id": new_id(),
                "subject_id": str(subject_id),
                "detail": msgspec.to_builtins(dict(detail), str_keys=True),
            }
            for subject_id, detail in details.items()
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to show; empty fields ask for all. ``meant`` are the codes of acts and objects
    whose titles have ``text`` in them."""

    text: str = ""
    meant: Sequence[str] = ()
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def entries(
    session: AsyncSession, wanted: AuditFilter, before: UUID | None = None
) -> tuple[Sequence[AuditEntry], UUID | None]:
    """A page of entries, newest first, and the id that asks for the next page, if there is one."""
    query = select(AuditEntry).where(*_conditions(wanted)).order_by(AuditEntry.id.desc())
    if before is not None:
        query = query.where(AuditEntry.id < before)
    found = (await session.scalars(query.limit(PAGE_SIZE + 1))).all()
    more = len(found) > PAGE_SIZE
    page = found[:PAGE_SIZE]
    return page, page[-1].id if more else None


Subject = tuple[str, str]
"""What an entry is about: the code of the object and its id."""
OF_OBJECT: Final = 15
"""Entries in a page of what was done to one object."""


async def of(
    session: AsyncSession, subjects: Collection[Subject], before: UUID | None = None
) -> tuple[Sequence[AuditEntry], UUID | None]:
    """A page of what was done to any of ``subjects``, newest first, and the id that asks for the
    next one, if there is one."""
    about = tuple_(AuditEntry.subject_type, AuditEntry.subject_id).in_(list(subjects))
    query = select(AuditEntry).where(about).order_by(AuditEntry.id.desc())
    if before is not None:
        query = query.where(AuditEntry.id < before)
    found = (await session.scalars(query.limit(OF_OBJECT + 1))).all()
    page = found[:OF_OBJECT]
    return page, page[-1].id if len(found) > OF_OBJECT else None


async def done_since(session: AsyncSession, action: str, since: datetime) -> int:
    """How often whoever is asking did ``action`` since then; 0 for programs and commands."""
    person = identities.current()
    if person is None or person.machine:
        return 0
    mine = AuditEntry.actor_id == person.user_id, AuditEntry.action == action
    query = select(func.count()).where(*mine, AuditEntry.at >= since)
    return await session.scalar(query) or 0


async def actions(session: AsyncSession) -> Sequence[str]:
    """The kinds of act that the log knows, by name."""
    query = select(AuditEntry.action).group_by(AuditEntry.action).order_by(AuditEntry.action)
    return (await session.scalars(query)).all()


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        folded = wanted.text.casefold()
        conditions.append(
            or_(
                func.lower(AuditEntry.actor_name).contains(folded, autoescape=True),
                func.lower(AuditEntry.subject_id).contains(folded, autoescape=True),
                func.lower(AuditEntry.action).contains(folded, autoescape=True),
                AuditEntry.action.in_(wanted.meant),
                AuditEntry.subject_type.in_(wanted.meant),
            )
        )
    if wanted.action:
        conditions.append(AuditEntry.action == wanted.action)
    if wanted.since:
        conditions.append(AuditEntry.at >= wanted.since)
    if wanted.until:
        conditions.append(AuditEntry.at < wanted.until)
    return conditions


def _trace_id() -> str | None:
    parts = telemetry.traceparent().split("-")
    return parts[1] if len(parts) == 4 else None

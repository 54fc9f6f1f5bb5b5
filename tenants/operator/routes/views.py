"""What the control-plane API shows. Names are stable: programs keep what they read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec
from litestar import Response

from core.errors import EditedMeanwhile
from core.settings import Settings
from core.web.http import AnyRequest
from tenants.catalogue import maintenance_of
from tenants.operator.services.tenants import Seen
from tenants.runs import Progress


class MaintenanceOut(msgspec.Struct, frozen=True, kw_only=True):
    """Customers wait; ``until`` is only what is planned."""

    message: str
    until: datetime | None


class SuspensionOut(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant is not served, since when and why."""

    at: datetime
    reason: str


class ClosureOut(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant is closed, and deleted after a time of grace unless it is reopened."""

    at: datetime
    delete_after: datetime


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """The latest run; ``state`` is waiting, running, failed (and tried again) or done."""

    id: UUID
    state: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class HostOut(msgspec.Struct, frozen=True, kw_only=True):
    """A host name of the tenant's own, beside its subdomain."""

    host: str
    verified: bool


class OperatedTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant, whole. ``plugins`` says of each whether it is installing, enabled or disabled."""

    id: UUID
    slug: str
    name: str
    url: str
    status: str
    hosting: str
    database: str
    zone: str
    currency: str
    country: str | None
    locale: str
    plugins: dict[str, str]
    hosts: list[HostOut]
    owners: list[str]
    suspension: SuspensionOut | None
    maintenance: MaintenanceOut | None
    closure: ClosureOut | None
    run: RunOut | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, seen: Seen, settings: Settings) -> Self:
        """What is said of ``seen``."""
        record = seen.record
        maintenance = maintenance_of(record)
        return cls(
            id=record.id,
            slug=record.slug,
            name=record.name,
            url=settings.tenant_url(record.slug, ""),
            status=record.status,
            hosting=record.hosting,
            database=seen.database,
            zone=record.zone,
            currency=record.currency,
            country=record.country,
            locale=record.locale,
            plugins=dict(seen.products),
            hosts=[HostOut(host=host, verified=known) for host, known in seen.hosts.items()],
            owners=list(seen.owners),
            suspension=SuspensionOut(at=record.suspended_at, reason=record.suspended_reason or "")
            if record.suspended_at
            else None,
            maintenance=MaintenanceOut(message=maintenance.message, until=maintenance.until)
            if maintenance
            else None,
            closure=ClosureOut(at=record.closed_at, delete_after=record.delete_after)
            if record.closed_at and record.delete_after
            else None,
            run=RunOut(
                id=seen.run.id,
                state=seen.run.state,
                error=seen.run.error,
                created_at=seen.run.created_at,
                finished_at=seen.run.finished_at,
            )
            if seen.run
            else None,
            created_at=record.created_at,
            changed_at=record.changed_at,
        )

    @property
    def etag(self) -> str:
        """Changes with whatever is shown."""
        return f'"{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]}"'


class UsageOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant stores, as counted in the last minutes; null where it is not known yet."""

    tenant_id: UUID
    bytes: int | None
    rows: int | None


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run; ``state`` is waiting, running, failed or done."""

    name: str
    state: str
    started_at: datetime | None
    finished_at: datetime | None


class ProgressOut(msgspec.Struct, frozen=True, kw_only=True):
    """A run with its steps; ``share`` is done, from 0 to 1."""

    id: UUID
    state: str
    error: str | None
    share: float
    steps: Sequence[StepOut]

    @classmethod
    def of(cls, run_id: UUID, progress: Progress) -> Self:
        """What is said of ``progress``."""
        steps = [
            StepOut(
                name=step.name,
                state=step.state,
                started_at=step.started_at,
                finished_at=step.finished_at,
            )
            for step in progress.steps
        ]
        return cls(
            id=run_id,
            state=progress.state,
            error=progress.error,
            share=progress.share,
            steps=steps,
        )


class MigrationOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where one line stands in one scope, as the last migration left it; tenant zero has the id
    00000000-0000-0000-0000-000000000000."""

    tenant_id: UUID
    line: str
    revision: str | None
    target: str
    state: str
    error: str | None
    changed_at: datetime


def tagged(view: OperatedTenant, status: int = 200) -> Response[OperatedTenant]:
    """``view`` with its ETag."""
    return Response(view, status_code=status, headers={"etag": view.etag})


def insist_unchanged(request: AnyRequest, view: OperatedTenant) -> None:
    """Insist that the caller has seen the tenant as it is, if they say which they saw.

    Raises:
        EditedMeanwhile: ``If-Match`` names another state of it.
    """
    given = request.headers.get("if-match", "*")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    if not known & {"*", view.etag}:
        raise EditedMeanwhile

"""The catalogue: who the tenants are and where they live. Tables of tenant zero alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id

MAIN_DATABASE: Final = "main"
"""The database of the settings: it holds tenant zero, and pooled tenants beside it."""

_PLATFORM: Final = {"info": {"line": "platform"}}
_Moment: Final = DateTime(timezone=True)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class DatabaseRecord(Base):
    """A database that holds scopes, beside the main one.

    Without ``host`` and ``port`` it is on the main database's server, wherever that is now.
    With a ``login`` it serves one tenant, which alone connects as that role; without, it is
    shared, and the application's own login of the settings is used. The password is sealed
    under the master key.
    """

    __tablename__ = "databases"
    __table_args__ = (
        CheckConstraint("(login IS NULL) = (password IS NULL)", name="login"),
        _PLATFORM,
    )

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    host: Mapped[str | None] = mapped_column(Text)
    port: Mapped[int | None] = mapped_column(Integer)
    dbname: Mapped[str] = mapped_column(Text)
    login: Mapped[str | None] = mapped_column(Text)
    password: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class TenantRecord(Base):
    """A business: what it is called, where it lives and whether it may be served.

    ``look`` is the slug as a hasty eye reads it: no two may look alike. ``database`` is a name
    of ``databases``, or null for the main one. Which ``status`` may follow which is said in
    ``tenants.lifecycle.statuses``. ``maintenance_until`` is only what is planned. Letters of a
    ``muted`` one, such as a copy, are kept and not sent.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        _one_of("status", "provisioning", "active", "suspended", "closed", "deleting"),
        _one_of("hosting", "pooled", "dedicated"),
        CheckConstraint("(closed_at IS NULL) = (delete_after IS NULL)", name="closed_at"),
        CheckConstraint("status <> 'closed' OR closed_at IS NOT NULL", name="closed"),
        CheckConstraint("status <> 'suspended' OR suspended_at IS NOT NULL", name="suspended"),
        CheckConstraint(
            "maintenance_since IS NOT NULL"
            " OR (maintenance_message IS NULL AND maintenance_until IS NULL)",
            name="maintenance",
        ),
        Index("uq_tenants_slug", "slug", unique=True),
        Index("uq_tenants_look", "look", unique=True),
        _PLATFORM,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(Text)
    look: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="provisioning")
    hosting: Mapped[str] = mapped_column(Text, default="pooled")
    zone: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text, default="en")
    country: Mapped[str | None] = mapped_column(Text)
    color: Mapped[str | None] = mapped_column(Text)
    logo: Mapped[str | None] = mapped_column(Text)
    brand_before: Mapped[dict[str, str | None] | None] = mapped_column(JSONB)
    database: Mapped[str | None] = mapped_column(ForeignKey("databases.name"))
    muted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    suspended_at: Mapped[datetime | None] = mapped_column(_Moment)
    suspended_reason: Mapped[str | None] = mapped_column(Text)
    maintenance_since: Mapped[datetime | None] = mapped_column(_Moment)
    maintenance_message: Mapped[str | None] = mapped_column(Text)
    maintenance_until: Mapped[datetime | None] = mapped_column(_Moment)
    closed_at: Mapped[datetime | None] = mapped_column(_Moment)
    delete_after: Mapped[datetime | None] = mapped_column(_Moment)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
    changed_at: Mapped[datetime] = mapped_column(_Moment, default=now, onupdate=now)


class FormerSlug(Base):
    """An address that nobody may take before ``until``: a tenant's that has moved, which leads
    to where it is now, or, without ``tenant_id``, that of one that is gone."""

    __tablename__ = "former_slugs"
    __table_args__ = (
        Index("uq_former_slugs_slug", "slug", unique=True),
        Index("ix_former_slugs_tenant_id", "tenant_id"),
        _PLATFORM,
    )

    look: Mapped[str] = mapped_column(Text, primary_key=True)
    slug: Mapped[str] = mapped_column(Text)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))
    until: Mapped[datetime] = mapped_column(_Moment)


class TenantPlugin(Base):
    """A product that a tenant has chosen; its tables stay when it is disabled."""

    __tablename__ = "tenant_plugins"
    __table_args__ = (_one_of("state", "installing", "enabled", "disabled", "removing"), _PLATFORM)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, default="installing")
    changed_at: Mapped[datetime] = mapped_column(_Moment, default=now, onupdate=now)


class ProvisioningRun(Base):
    """One making of a tenant, or of what a further product needs; ``owner`` begins as its staff.

    ``owner`` holds ``account_id``, ``user_id``, ``email`` and ``name``; ``source`` the archive
    that the tenant is filled with. Both are emptied when the run is done.
    """

    __tablename__ = "provisioning_runs"
    __table_args__ = (
        _one_of("state", "waiting", "running", "failed", "done"),
        Index("ix_provisioning_runs_tenant_id", "tenant_id"),
        _PLATFORM,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    state: Mapped[str] = mapped_column(Text, default="waiting")
    owner: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    source: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(_Moment)


class ProvisioningStep(Base):
    """A step of a run, written down before it begins and when it is done."""

    __tablename__ = "provisioning_steps"
    __table_args__ = (_one_of("state", "waiting", "running", "failed", "done"), _PLATFORM)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("provisioning_runs.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    started_at: Mapped[datetime | None] = mapped_column(_Moment)
    finished_at: Mapped[datetime | None] = mapped_column(_Moment)


class MigrationStatus(Base):
    """Where one line stands in one scope, and how its last migration goes or went.

    The authority is ``migrations.applied`` of the scope's own database. ``contracted`` is the
    newest contract that the scope has, by which older code knows whether it may serve it.
    """

    __tablename__ = "migration_status"
    __table_args__ = (_one_of("state", "running", "current", "failed"), _PLATFORM)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(Text, primary_key=True)
    revision: Mapped[str | None] = mapped_column(Text)
    contracted: Mapped[str | None] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(_Moment, default=now, onupdate=now)


class WarmScope(Base):
    """A scope that is made in advance and waits for a tenant, which then gets its id."""

    __tablename__ = "warm_scopes"
    __table_args__ = (_one_of("state", "making", "ready"), _PLATFORM)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(Text, default="making")
    changed_at: Mapped[datetime] = mapped_column(_Moment, default=now, onupdate=now)


class DedicatedRequest(Base):
    """A wish for a database of one's own, kept until such can be ordered."""

    __tablename__ = "dedicated_requests"
    __table_args__ = (
        _one_of("state", "open", "granted", "withdrawn"),
        Index("ix_dedicated_requests_tenant_id", "tenant_id"),
        _PLATFORM,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    account_id: Mapped[UUID]
    note: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text, default="open")
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class Membership(Base):
    """A platform account's place among a tenant's staff.

    ``account_id`` is a user of tenant zero, ``user_id`` one of the tenant: rows of another line
    and of another scope, so no foreign key can hold them.
    """

    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_account_id", "account_id"), _PLATFORM)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class Export(Base):
    """An archive of a tenant, or of the tables of one ``plugin``, that somebody asked for.

    The key that seals what is private in it is itself sealed under the master key, and gone when
    the archive is written: then only the passphrase gives it again.
    """

    __tablename__ = "exports"
    __table_args__ = (
        _one_of("state", "waiting", "running", "ready", "failed", "expired"),
        CheckConstraint("(state = 'ready') = (expires_at IS NOT NULL)", name="expires_at"),
        Index("ix_exports_tenant_id", "tenant_id"),
        _PLATFORM,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    plugin: Mapped[str | None] = mapped_column(Text)
    account_id: Mapped[UUID | None]
    locale: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    tables_done: Mapped[int] = mapped_column(Integer, default=0)
    tables_total: Mapped[int] = mapped_column(Integer, default=0)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    size: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(_Moment)
    expires_at: Mapped[datetime | None] = mapped_column(_Moment)


class Seed(Base):
    """What was put into a scope to begin with: ``car_hire.seed``, written with the data itself."""

    __tablename__ = "seeds"
    __table_args__ = ({"info": {"line": "core"}},)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    done_at: Mapped[datetime] = mapped_column(_Moment, server_default=text("now()"))


class TenantLimit(Base):
    """So much of a limit for this tenant, instead of what the plugin declares (None: any)."""

    __tablename__ = "tenant_limits"
    __table_args__ = (
        CheckConstraint("allowed >= 0", name="allowed"),
        {"info": {"line": "platform"}},
    )

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True
    )
    limit: Mapped[str] = mapped_column(Text, primary_key=True)
    allowed: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    granted_by: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

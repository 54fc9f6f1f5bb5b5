"""The catalogue: databases, tenants with their hosts and products, and how they came to be."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0001"
down_revision = None


def upgrade() -> None:
    _tenants()
    _provisioning()
    _people()


def _tenants() -> None:
    op.create_table(
        "databases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("dbname", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(login IS NULL) = (password IS NULL)", name="ck_databases_login"),
        sa.PrimaryKeyConstraint("name", name="pk_databases"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("look", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hosting", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("logo", sa.Text(), nullable=True),
        sa.Column("database", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hosting IN ('pooled', 'dedicated')", name="ck_tenants_hosting"),
        sa.CheckConstraint(
            "status IN ('provisioning', 'active', 'suspended', 'closed')", name="ck_tenants_status"
        ),
        sa.ForeignKeyConstraint(
            ["database"], ["databases.name"], name="fk_tenants_database_databases"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_index("uq_tenants_slug", "tenants", ["slug"], unique=True)
    op.create_index("uq_tenants_look", "tenants", ["look"], unique=True)
    op.create_table(
        "tenant_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_tenant_hosts_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("host", name="pk_tenant_hosts"),
    )
    op.create_index("ix_tenant_hosts_tenant_id", "tenant_hosts", ["tenant_id"])
    op.create_table(
        "tenant_plugins",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('installing', 'enabled', 'disabled')", name="ck_tenant_plugins_state"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_tenant_plugins_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", name="pk_tenant_plugins"),
    )


def _provisioning() -> None:
    op.create_table(
        "provisioning_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", postgresql.JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'failed', 'done')", name="ck_provisioning_runs_state"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_provisioning_runs_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provisioning_runs"),
    )
    op.create_index("ix_provisioning_runs_tenant_id", "provisioning_runs", ["tenant_id"])
    op.create_table(
        "provisioning_steps",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'failed', 'done')", name="ck_provisioning_steps_state"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["provisioning_runs.id"],
            name="fk_provisioning_steps_run_id_provisioning_runs",
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_provisioning_steps"),
    )
    op.create_table(
        "migration_status",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('current', 'failed')", name="ck_migration_status_state"),
        sa.PrimaryKeyConstraint("tenant_id", "line", name="pk_migration_status"),
    )


def _people() -> None:
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_memberships_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_account_id", "memberships", ["account_id"])
    op.create_table(
        "dedicated_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'granted', 'withdrawn')", name="ck_dedicated_requests_state"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_dedicated_requests_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dedicated_requests"),
    )
    op.create_index("ix_dedicated_requests_tenant_id", "dedicated_requests", ["tenant_id"])

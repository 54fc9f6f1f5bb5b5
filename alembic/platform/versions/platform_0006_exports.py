"""Archives that were asked for, tenants that are filled with one, and copies that are mute."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0006"
down_revision = "platform_0005"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "tenants",
        sa.Column("muted", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.add_column("provisioning_runs", sa.Column("source", postgresql.JSONB(), nullable=True))
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("tables_done", sa.Integer(), nullable=False),
        sa.Column("tables_total", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("expires_at", moment, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'failed', 'expired')",
            name="ck_exports_state",
        ),
        sa.CheckConstraint(
            "(state = 'ready') = (expires_at IS NOT NULL)", name="ck_exports_expires_at"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_exports_tenant_id_tenants"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
    )
    op.create_index("ix_exports_tenant_id", "exports", ["tenant_id"])

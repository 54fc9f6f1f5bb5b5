"""Claims to host names: several may claim one, and who makes the records has it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0010"
down_revision = "platform_0009"
contract = False  # what older code reads of the table, it has as before


def upgrade() -> None:
    op.drop_table("tenant_hosts")  # nothing could be entered into it so far
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "tenant_hosts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("verified_at", moment, nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("records", postgresql.JSONB(), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("checked_at", moment, nullable=True),
        sa.Column("next_check_at", moment, nullable=True),
        sa.Column("wrong_since", moment, nullable=True),
        sa.Column("warned_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(
            "verified_at IS NOT NULL OR NOT is_primary", name="ck_tenant_hosts_is_primary"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name="fk_tenant_hosts_tenant_id_tenants",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tenant_hosts"),
    )
    op.create_index(
        "uq_tenant_hosts_tenant_id_host", "tenant_hosts", ["tenant_id", "host"], unique=True
    )
    op.create_index(
        "uq_tenant_hosts_verified",
        "tenant_hosts",
        ["host"],
        unique=True,
        postgresql_where=sa.text("verified_at IS NOT NULL"),
    )
    op.create_index(
        "uq_tenant_hosts_primary",
        "tenant_hosts",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("is_primary"),
    )
    op.create_index("ix_tenant_hosts_next_check_at", "tenant_hosts", ["next_check_at"])

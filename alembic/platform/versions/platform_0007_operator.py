"""Tokens of operators' programs, and operators' notes about tenants."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0007"
down_revision = "platform_0006"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "operator_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("last_used_at", moment),
        sa.Column("revoked_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_operator_tokens"),
        sa.CheckConstraint("access IN ('read', 'write')", name="ck_operator_tokens_access"),
    )
    op.create_index("uq_operator_tokens_token_hash", "operator_tokens", ["token_hash"], unique=True)
    op.create_table(
        "tenant_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant_notes"),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name="fk_tenant_notes_tenant_id_tenants",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_tenant_notes_tenant_id", "tenant_notes", ["tenant_id"])

"""Archives that owners send to the portal, to make a business of them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0011"
down_revision = "platform_0010"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "archive_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("summary", postgresql.JSONB(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.CheckConstraint(
            "state IN ('receiving', 'checking', 'refused', 'ready', 'ordered')",
            name="ck_archive_uploads_state",
        ),
        sa.CheckConstraint(
            "(state = 'ordered') = (tenant_id IS NOT NULL)", name="ck_archive_uploads_tenant_id"
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (reason IS NOT NULL)", name="ck_archive_uploads_reason"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_archive_uploads_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_archive_uploads"),
    )
    op.create_index("ix_archive_uploads_account_id", "archive_uploads", ["account_id"])
    op.create_index("ix_archive_uploads_expires_at", "archive_uploads", ["expires_at"])

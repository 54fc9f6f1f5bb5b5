"""Sign-ups that are not finished, and the country that a business says it is in."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0002"
down_revision = "platform_0001"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("country", sa.Text(), nullable=True))
    op.create_table(
        "sign_up_drafts",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("new_account_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_sign_up_drafts_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_up_drafts"),
    )
    op.create_index("ix_sign_up_drafts_changed_at", "sign_up_drafts", ["changed_at"])

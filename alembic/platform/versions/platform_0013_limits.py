"""What tenants are granted instead of the limits that plugins declare."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0013"
down_revision = "platform_0012"
contract = True  # the catalogue is read together with it


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "tenant_limits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("limit", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", moment),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "limit", name="pk_tenant_limits"),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name="fk_tenant_limits_tenant_id_tenants",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("allowed >= 0", name="ck_tenant_limits_allowed"),
    )

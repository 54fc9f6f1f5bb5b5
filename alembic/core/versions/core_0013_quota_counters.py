"""Counters of quotas, in place of limits of meters that nobody could set."""

import sqlalchemy as sa

from alembic import op

revision = "core_0013"
down_revision = "core_0012"
contract = True  # who adds a car or a colleague is counted here


def upgrade() -> None:
    op.create_table(
        "quota_counters",
        sa.Column("limit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("limit", "period", name="pk_quota_counters"),
        sa.CheckConstraint("used >= 0", name="ck_quota_counters_used"),
    )
    op.drop_table("usage_limits")

"""Where each scope's migration stands while it runs, and scopes made in advance."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0005"
down_revision = "platform_0004"


def upgrade() -> None:
    op.add_column("migration_status", sa.Column("contracted", sa.Text(), nullable=True))
    op.drop_constraint("ck_migration_status_state", "migration_status")
    op.create_check_constraint(
        "ck_migration_status_state",
        "migration_status",
        "state IN ('running', 'current', 'failed')",
    )
    op.create_table(
        "warm_scopes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('making', 'ready')", name="ck_warm_scopes_state"),
        sa.PrimaryKeyConstraint("id", name="pk_warm_scopes"),
    )

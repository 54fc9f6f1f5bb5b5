"""Cards that the provider keeps for later, and when the bank lets go of what is reserved."""

import sqlalchemy as sa

from alembic import op

revision = "core_0020"
down_revision = "core_0019"


def upgrade() -> None:
    op.add_column("payments", sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payments", sa.Column("customer_ref", sa.Text(), nullable=True))
    op.add_column("payments", sa.Column("method_ref", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("method_ref", "customer_ref", "lapses_at"):
        op.drop_column("payments", name)

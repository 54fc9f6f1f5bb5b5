"""Deposits that the desk keeps for a while after the return."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0023"
down_revision = "car_hire_0022"


def upgrade() -> None:
    op.add_column(
        "car_hire_hires",
        sa.Column("deposit_kept", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("car_hire_hires", "deposit_kept")

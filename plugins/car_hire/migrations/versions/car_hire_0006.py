"""Bookings whose price is paid when the car is picked up."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0006"
down_revision = "car_hire_0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "car_hire_bookings",
        sa.Column("owed_at_pick_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_column("car_hire_bookings", "owed_at_pick_up")

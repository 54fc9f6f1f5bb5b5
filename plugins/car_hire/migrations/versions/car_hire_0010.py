"""What is kept of what was paid for a booking that was cancelled, or not come for."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0010"
down_revision = "car_hire_0009"

BOOKINGS = "car_hire_bookings"


def upgrade() -> None:
    op.add_column(BOOKINGS, sa.Column("fee", sa.Numeric(20, 6), nullable=True))
    op.create_check_constraint(op.f(f"ck_{BOOKINGS}_fee"), BOOKINGS, "fee BETWEEN 0 AND gross")


def downgrade() -> None:
    op.drop_constraint(op.f(f"ck_{BOOKINGS}_fee"), BOOKINGS)
    op.drop_column(BOOKINGS, "fee")

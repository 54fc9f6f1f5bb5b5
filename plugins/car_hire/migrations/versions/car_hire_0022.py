"""Whether a customer is known as a student, and until when."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0022"
down_revision = "car_hire_0021"

CUSTOMERS = "car_hire_customers"


def upgrade() -> None:
    op.add_column(CUSTOMERS, sa.Column("student_until", sa.Date(), nullable=True))
    asked_at = sa.Column("student_asked_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column(CUSTOMERS, asked_at)
    op.create_index(
        f"ix_{CUSTOMERS}_student",
        CUSTOMERS,
        ["id"],
        postgresql_where=sa.text("student_asked_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(f"ix_{CUSTOMERS}_student", CUSTOMERS)
    op.drop_column(CUSTOMERS, "student_asked_at")
    op.drop_column(CUSTOMERS, "student_until")

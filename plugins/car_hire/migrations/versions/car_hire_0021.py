"""What the site tells of a class: suitcases, what it runs on, and a photo."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0021"
down_revision = "car_hire_0020"

CLASSES = "car_hire_classes"


def upgrade() -> None:
    op.add_column(CLASSES, sa.Column("bags", sa.Integer(), nullable=True))
    op.add_column(CLASSES, sa.Column("fuel", sa.Text(), nullable=True))
    op.add_column(CLASSES, sa.Column("photo_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(op.f(f"ck_{CLASSES}_bags"), CLASSES, "bags BETWEEN 0 AND 60")
    op.create_check_constraint(
        op.f(f"ck_{CLASSES}_fuel"), CLASSES, "fuel IN ('petrol', 'diesel', 'hybrid', 'electric')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f(f"ck_{CLASSES}_fuel"), CLASSES)
    op.drop_constraint(op.f(f"ck_{CLASSES}_bags"), CLASSES)
    op.drop_column(CLASSES, "photo_id")
    op.drop_column(CLASSES, "fuel")
    op.drop_column(CLASSES, "bags")

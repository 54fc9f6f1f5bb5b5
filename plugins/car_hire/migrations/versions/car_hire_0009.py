"""Customers' language, and reviews of hires."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0009"
down_revision = "car_hire_0008"

REVIEWS = "car_hire_reviews"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("car_hire_customers", sa.Column("locale", sa.Text(), nullable=True))
    op.create_table(
        REVIEWS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hire_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("remarks", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{REVIEWS}")),
        *(
            sa.ForeignKeyConstraint(
                [f"{what}_id"], [f"car_hire_{what}s.id"],
                name=op.f(f"fk_{REVIEWS}_{what}_id_car_hire_{what}s"),
            )
            for what in ("hire", "customer")
        ),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f(f"ck_{REVIEWS}_stars")),
        sa.CheckConstraint(
            "(stars IS NULL) = (answered_at IS NULL)", name=op.f(f"ck_{REVIEWS}_answered")
        ),
    )  # fmt: skip
    for name, column, unique in (
        ("uq_car_hire_reviews_hire_id", "hire_id", True),
        ("uq_car_hire_reviews_link", "link", True),
        ("ix_car_hire_reviews_customer_id", "customer_id", False),
    ):
        op.create_index(name, REVIEWS, [column], unique=unique)
    op.create_index(
        "ix_car_hire_reviews_answered",
        REVIEWS,
        ["id"],
        postgresql_where=sa.text("answered_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table(REVIEWS)
    op.drop_column("car_hire_customers", "locale")

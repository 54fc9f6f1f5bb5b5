"""Promotion codes and the bookings that were made with them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0019"
down_revision = "car_hire_0018"

PROMOTIONS, USES = "car_hire_promotions", "car_hire_promotion_uses"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        PROMOTIONS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("share", sa.Numeric(6, 4), nullable=False),
        sa.Column("amount", sa.Numeric(20, 6), nullable=False),
        sa.Column("booked_from", MOMENT, nullable=True),
        sa.Column("booked_to", MOMENT, nullable=True),
        sa.Column("hired_from", sa.Date(), nullable=True),
        sa.Column("hired_to", sa.Date(), nullable=True),
        sa.Column("class_ids", JSONB(), nullable=False),
        sa.Column("branch_ids", JSONB(), nullable=False),
        sa.Column("days_from", sa.Integer(), nullable=True),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("most_each", sa.Integer(), nullable=True),
        sa.Column("combines", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PROMOTIONS}")),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{PROMOTIONS}_{name}"))
            for name, rule in (
                ("amounts", "share BETWEEN 0 AND 1 AND amount >= 0"),
                ("kind", "(share = 0) <> (amount = 0)"),
                ("booked", "booked_to > booked_from"),
                ("hired", "hired_to >= hired_from"),
                ("limits", "days_from >= 1 AND most_uses >= 1 AND most_each >= 1"),
            )
        ),
    )
    op.create_index(f"uq_{PROMOTIONS}_code", PROMOTIONS, ["code"], unique=True)
    op.create_index(f"ix_{PROMOTIONS}_active", PROMOTIONS, ["active", "id"])
    op.create_table(
        USES,
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.Column(f"{what}_id", sa.Uuid(), nullable=False)
            for what in ("promotion", "booking", "customer")
        ),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{USES}")),
        *(
            sa.ForeignKeyConstraint(
                [f"{what}_id"], [f"car_hire_{what}s.id"],
                name=op.f(f"fk_{USES}_{what}_id_car_hire_{what}s"),
            )
            for what in ("promotion", "booking", "customer")
        ),
    )  # fmt: skip
    op.create_index(f"uq_{USES}_booking_id", USES, ["booking_id"], unique=True)
    op.create_index(f"ix_{USES}_promotion_id", USES, ["promotion_id", "customer_id"])
    op.create_index(f"ix_{USES}_customer_id", USES, ["customer_id"])


def downgrade() -> None:
    op.drop_table(USES)
    op.drop_table(PROMOTIONS)

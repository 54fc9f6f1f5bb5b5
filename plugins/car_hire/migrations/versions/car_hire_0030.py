"""Calendars that are read from outside, by a secret address."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "car_hire_0030"
down_revision = "car_hire_0029"

FEEDS = "car_hire_calendar_feeds"
MOMENT = sa.DateTime(timezone=True)
NAMED = {
    "customer_id": "car_hire_customers",
    "branch_id": "car_hire_branches",
    "class_id": "car_hire_classes",
    "vehicle_id": "car_hire_vehicles",
}


def upgrade() -> None:
    op.create_table(
        FEEDS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=True) for column in NAMED),
        sa.Column("shows", postgresql.JSONB(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("renewed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{FEEDS}")),
        sa.CheckConstraint(
            "customer_id IS NULL OR num_nonnulls(branch_id, class_id, vehicle_id) = 0",
            name=op.f(f"ck_{FEEDS}_whose"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_{FEEDS}_{column}_{table}")
            )
            for column, table in NAMED.items()
        ),
    )
    op.create_index(f"uq_{FEEDS}_address", FEEDS, ["address"], unique=True)
    op.create_index(
        f"uq_{FEEDS}_customer_id",
        FEEDS,
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table(FEEDS)

"""What service cars want, and when they had it."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0028"
down_revision = "car_hire_0027"

INTERVALS, RECORDS = "car_hire_service_intervals", "car_hire_service_records"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        INTERVALS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("every_km", sa.Integer(), nullable=True),
        sa.Column("every_days", sa.Integer(), nullable=True),
        sa.Column("every_hires", sa.Integer(), nullable=True),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{INTERVALS}")),
        _to(INTERVALS, "class_id", "car_hire_classes"),
        sa.CheckConstraint(
            "every_km > 0 AND every_days > 0 AND every_hires > 0",
            name=op.f(f"ck_{INTERVALS}_positive"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(every_km, every_days, every_hires) > 0", name=op.f(f"ck_{INTERVALS}_some")
        ),
        sa.CheckConstraint("hours BETWEEN 1 AND 240", name=op.f(f"ck_{INTERVALS}_hours")),
    )
    op.create_table(
        RECORDS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("interval_id", sa.Uuid(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("odometer_km", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{RECORDS}")),
        _to(RECORDS, "vehicle_id", "car_hire_vehicles"),
        _to(RECORDS, "interval_id", INTERVALS),
        sa.CheckConstraint(
            "odometer_km BETWEEN 0 AND 9999999", name=op.f(f"ck_{RECORDS}_odometer")
        ),
    )
    op.create_index(f"ix_{RECORDS}_vehicle_id", RECORDS, ["vehicle_id", "interval_id", "done_on"])


def downgrade() -> None:
    op.drop_table(RECORDS)
    op.drop_table(INTERVALS)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
    )

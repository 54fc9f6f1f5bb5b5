"""Fines and tolls of the time of a hire."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0025"
down_revision = "car_hire_0024"

MOMENT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(20, 6)
LATER = "car_hire_later_charges"


def upgrade() -> None:
    op.create_table(
        LATER,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hire_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("fee", MONEY, nullable=False),
        sa.Column("tax_rate", sa.Numeric(7, 6), nullable=False),
        sa.Column("gross", MONEY, nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("link", sa.LargeBinary(), nullable=True),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("charged_at", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{LATER}"),
        *(
            sa.ForeignKeyConstraint([here], [f"{table}.id"], name=f"fk_{LATER}_{here}_{table}")
            for here, table in (
                ("hire_id", "car_hire_hires"),
                ("booking_id", "car_hire_bookings"),
                ("customer_id", "car_hire_customers"),
                ("vehicle_id", "car_hire_vehicles"),
            )
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{LATER}_{name}"))
            for name, rule in (
                ("kind", "kind IN ('fine', 'toll', 'parking')"),
                ("state", "state IN ('recorded', 'charged', 'contested', 'paid', 'waived')"),
                ("amounts", "amount > 0 AND fee >= 0 AND gross >= amount + fee"),
            )
        ),
    )
    op.create_index(f"uq_{LATER}_reference", LATER, ["authority", "reference"], unique=True)
    op.create_index(f"uq_{LATER}_link", LATER, ["link"], unique=True)
    op.create_index(f"ix_{LATER}_state", LATER, ["state", "id"])
    op.create_index(f"ix_{LATER}_booking_id", LATER, ["booking_id"])
    op.create_index(f"ix_{LATER}_customer_id", LATER, ["customer_id", "id"])


def downgrade() -> None:
    op.drop_table(LATER)

"""Inspections: how a car left and came back, with photos, marks of damage and what damage costs."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0013"
down_revision = "car_hire_0012"

MOMENT = sa.DateTime(timezone=True)
INSPECTIONS, DAMAGES = "car_hire_inspections", "car_hire_damages"
PICTURES, PRICES = "car_hire_inspection_pictures", "car_hire_damage_prices"


def upgrade() -> None:
    _inspections()
    _damages()
    _pictures()
    _prices()


def downgrade() -> None:
    for table in (PRICES, PICTURES, DAMAGES, INSPECTIONS):
        op.drop_table(table)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
    )


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _inspections() -> None:
    op.create_table(
        INSPECTIONS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("odometer_km", sa.Integer(), nullable=True),
        sa.Column("fuel_eighths", sa.Integer(), nullable=True),
        sa.Column("licence_seen", sa.Boolean(), nullable=False),
        sa.Column("cleaning", sa.Text(), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=False),
        sa.Column("customer_name", sa.LargeBinary(), nullable=False),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{INSPECTIONS}")),
        _refers(INSPECTIONS, "booking_id", "car_hire_bookings"),
        _refers(INSPECTIONS, "vehicle_id", "car_hire_vehicles"),
        _check(INSPECTIONS, "kind", "kind IN ('out', 'in')"),
        _check(INSPECTIONS, "odometer", "odometer_km BETWEEN 0 AND 9999999"),
        _check(INSPECTIONS, "fuel", "fuel_eighths BETWEEN 0 AND 8"),
        _check(INSPECTIONS, "cleaning", "cleaning IN ('light', 'heavy')"),
    )
    op.create_index(
        f"uq_{INSPECTIONS}_booking", INSPECTIONS, ["booking_id", "kind", "vehicle_id"], unique=True
    )
    op.create_index(f"ix_{INSPECTIONS}_vehicle_id", INSPECTIONS, ["vehicle_id", "id"])


def _damages() -> None:
    op.create_table(
        DAMAGES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("x", sa.SmallInteger(), nullable=False),
        sa.Column("y", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Numeric(20, 6), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("mended_at", MOMENT, nullable=True),
        sa.Column("mended_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{DAMAGES}")),
        _refers(DAMAGES, "vehicle_id", "car_hire_vehicles"),
        _refers(DAMAGES, "inspection_id", INSPECTIONS),
        _check(DAMAGES, "kind", "kind IN ('scratch', 'dent', 'crack', 'missing', 'stain')"),
        _check(DAMAGES, "severity", "severity IN ('light', 'medium', 'severe')"),
        _check(DAMAGES, "price", "price >= 0"),
    )
    op.create_index(f"ix_{DAMAGES}_vehicle_id", DAMAGES, ["vehicle_id", "id"])
    op.create_index(f"ix_{DAMAGES}_inspection_id", DAMAGES, ["inspection_id", "id"])


def _pictures() -> None:
    op.create_table(
        PICTURES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("damage_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PICTURES}")),
        _refers(PICTURES, "inspection_id", INSPECTIONS),
        _refers(PICTURES, "damage_id", DAMAGES),
        _check(PICTURES, "damage", "(view = 'damage') = (damage_id IS NOT NULL)"),
    )
    op.create_index(
        f"uq_{PICTURES}_view",
        PICTURES,
        ["inspection_id", "view"],
        unique=True,
        postgresql_where=sa.text("damage_id IS NULL"),
    )
    op.create_index(f"uq_{PICTURES}_damage_id", PICTURES, ["damage_id"], unique=True)
    op.create_index(f"ix_{PICTURES}_inspection_id", PICTURES, ["inspection_id"])
    op.create_index(f"uq_{PICTURES}_file_id", PICTURES, ["file_id"], unique=True)


def _prices() -> None:
    op.create_table(
        PRICES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prices", JSONB(), nullable=False),
        sa.Column("effective_from", MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PRICES}")),
    )
    op.create_index(f"uq_{PRICES}_number", PRICES, ["number"], unique=True)
    op.create_index(f"ix_{PRICES}_effective_from", PRICES, ["effective_from", "number"])

"""Classes, vehicles, customers, quotes, bookings, hires and bills.

Revision ID: car_hire_0001
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

from alembic import op

revision = "car_hire_0001"
down_revision = None
branch_labels = None
depends_on = None

MONEY = sa.Numeric(20, 6)
RATE = sa.Numeric(6, 4)
MOMENT = sa.DateTime(timezone=True)

BOOKING_STATES = (
    "state IN ('pending_payment', 'confirmed', 'out', 'returned', 'closed',"
    " 'cancelled', 'expired', 'no_show')"
)
HIRE_STATES = "state IN ('awaiting_deposit', 'out', 'returned', 'closed', 'abandoned')"


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _versioned() -> list[sa.Column[object]]:
    return [_id(), sa.Column("version", sa.Integer(), nullable=False)]


def _created() -> sa.Column[object]:
    return sa.Column("created_at", MOMENT, nullable=False)


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    _classes()
    _vehicles()
    _customers()
    _quotes()
    _bookings()
    _hires()
    _lines("car_hire_quote_lines", "quote_id", "car_hire_quotes")
    _lines("car_hire_bill_lines", "hire_id", "car_hire_hires")


def downgrade() -> None:
    for table in (
        "bill_lines",
        "quote_lines",
        "hires",
        "bookings",
        "quotes",
        "customers",
        "vehicles",
        "classes",
    ):
        op.drop_table(f"car_hire_{table}")


def _classes() -> None:
    table = "car_hire_classes"
    op.create_table(
        table,
        *_versioned(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("gears", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("daily_rate", MONEY, nullable=False),
        sa.Column("tax_rate", RATE, nullable=False),
        sa.Column("deposit", MONEY, nullable=False),
        sa.Column("included_km_per_day", sa.Integer(), nullable=False),
        sa.Column("price_per_km", MONEY, nullable=False),
        sa.Column("fuel_price_per_eighth", MONEY, nullable=False),
        sa.Column("minimum_age", sa.Integer(), nullable=False),
        sa.Column("on_offer", sa.Boolean(), nullable=False),
        _created(),
        _key(table),
        _check(table, "seats", "seats BETWEEN 1 AND 60"),
        _check(table, "gears", "gears IN ('manual', 'automatic')"),
        _check(
            table,
            "amounts",
            "daily_rate >= 0 AND deposit >= 0 AND price_per_km >= 0 AND fuel_price_per_eighth >= 0",
        ),
        _check(table, "tax_rate", "tax_rate BETWEEN 0 AND 1"),
        _check(table, "included_km", "included_km_per_day >= 0"),
        _check(table, "minimum_age", "minimum_age BETWEEN 16 AND 99"),
    )
    op.create_index("uq_car_hire_classes_name", table, [sa.text("lower(name)")], unique=True)


def _vehicles() -> None:
    table = "car_hire_vehicles"
    op.create_table(
        table,
        *_versioned(),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("vin", sa.Text(), nullable=True),
        sa.Column("odometer_km", sa.Integer(), nullable=False),
        sa.Column("fuel_eighths", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        _created(),
        _key(table),
        _to(table, "class_id", "car_hire_classes"),
        _check(table, "year", "year BETWEEN 1900 AND 2200"),
        _check(table, "odometer", "odometer_km BETWEEN 0 AND 9999999"),
        _check(table, "fuel", "fuel_eighths BETWEEN 0 AND 8"),
        _check(table, "status", "status IN ('available', 'maintenance', 'retired')"),
    )
    op.create_index("ix_car_hire_vehicles_class_id", table, ["class_id"])
    op.create_index(
        "uq_car_hire_vehicles_plate",
        table,
        ["plate"],
        unique=True,
        postgresql_where=sa.text("status <> 'retired'"),
    )
    op.create_index("uq_car_hire_vehicles_vin", table, ["vin"], unique=True)


def _customers() -> None:
    table = "car_hire_customers"
    op.create_table(
        table,
        *_versioned(),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("licence_country", sa.Text(), nullable=False),
        sa.Column("licence_number", sa.LargeBinary(), nullable=False),
        sa.Column("licence_expires", sa.LargeBinary(), nullable=False),
        sa.Column("born", sa.LargeBinary(), nullable=False),
        _created(),
        _key(table),
    )
    op.create_index("uq_car_hire_customers_user_id", table, ["user_id"], unique=True)
    op.create_index("ix_car_hire_customers_email", table, [sa.text("lower(email)")])
    op.create_index("ix_car_hire_customers_name", table, [sa.text("lower(name)")])


def _quotes() -> None:
    table = "car_hire_quotes"
    op.create_table(
        table,
        _id(),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("net", MONEY, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("gross", MONEY, nullable=False),
        sa.Column("deposit", MONEY, nullable=False),
        _created(),
        sa.Column("expires_at", MOMENT, nullable=False),
        _key(table),
        _to(table, "class_id", "car_hire_classes"),
        _check(table, "period", "ends_at > starts_at"),
        _check(table, "days", "days >= 1"),
        _check(table, "amounts", "net + tax = gross AND net >= 0 AND tax >= 0"),
    )
    op.create_index("ix_car_hire_quotes_class_id", table, ["class_id"])


def _bookings() -> None:
    table = "car_hire_bookings"
    op.create_table(
        table,
        *_versioned(),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("period", TSTZRANGE(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross", MONEY, nullable=False),
        sa.Column("hold_until", MOMENT, nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        _created(),
        _key(table),
        _to(table, "quote_id", "car_hire_quotes"),
        _to(table, "customer_id", "car_hire_customers"),
        _to(table, "class_id", "car_hire_classes"),
        _to(table, "vehicle_id", "car_hire_vehicles"),
        _check(table, "state", BOOKING_STATES),
        _check(table, "channel", "channel IN ('site', 'desk', 'api')"),
        _check(
            table,
            "period",
            "ends_at > starts_at AND lower(period) <= starts_at AND upper(period) >= ends_at"
            " AND lower_inc(period) AND NOT upper_inc(period)",
        ),
        ExcludeConstraint(
            ("vehicle_id", "="),
            ("period", "&&"),
            name="ex_car_hire_bookings_vehicle_period",
            using="gist",
            where=sa.text("state IN ('pending_payment', 'confirmed', 'out')"),
        ),
    )
    op.create_index("uq_car_hire_bookings_number", table, ["number"], unique=True)
    op.create_index("uq_car_hire_bookings_quote_id", table, ["quote_id"], unique=True)
    op.create_index("ix_car_hire_bookings_customer_id", table, ["customer_id"])
    op.create_index("ix_car_hire_bookings_class_id", table, ["class_id"])
    op.create_index("ix_car_hire_bookings_starts_at", table, ["starts_at", "id"])
    op.create_index(
        "ix_car_hire_bookings_open",
        table,
        ["state", "starts_at"],
        postgresql_where=sa.text("state IN ('pending_payment', 'confirmed', 'out')"),
    )


def _hires() -> None:
    table = "car_hire_hires"
    op.create_table(
        table,
        *_versioned(),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("odometer_out", sa.Integer(), nullable=False),
        sa.Column("fuel_out", sa.Integer(), nullable=False),
        sa.Column("deposit", MONEY, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("deposit_payment_id", sa.Uuid(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("returned_at", MOMENT, nullable=True),
        sa.Column("odometer_in", sa.Integer(), nullable=True),
        sa.Column("fuel_in", sa.Integer(), nullable=True),
        sa.Column("taken_back_by", sa.Uuid(), nullable=True),
        sa.Column("billed", MONEY, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        _created(),
        _key(table),
        _to(table, "booking_id", "car_hire_bookings"),
        _to(table, "vehicle_id", "car_hire_vehicles"),
        _check(table, "state", HIRE_STATES),
        _check(table, "fuel", "fuel_out BETWEEN 0 AND 8 AND fuel_in BETWEEN 0 AND 8"),
        _check(table, "odometer", "odometer_out >= 0 AND odometer_in >= odometer_out"),
        _check(table, "times", "returned_at >= started_at"),
        _check(
            table,
            "returned",
            "state NOT IN ('returned', 'closed') OR (returned_at IS NOT NULL"
            " AND odometer_in IS NOT NULL AND fuel_in IS NOT NULL AND billed IS NOT NULL)",
        ),
    )
    op.create_index("uq_car_hire_hires_booking_id", table, ["booking_id"], unique=True)
    op.create_index(
        "uq_car_hire_hires_vehicle_out",
        table,
        ["vehicle_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('awaiting_deposit', 'out')"),
    )


def _lines(table: str, owner: str, owners: str) -> None:
    op.create_table(
        table,
        _id(),
        sa.Column(owner, sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("evidence", JSONB(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 2), nullable=False),
        sa.Column("unit_price", MONEY, nullable=False),
        sa.Column("net", MONEY, nullable=False),
        sa.Column("tax_rate", RATE, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("gross", MONEY, nullable=False),
        _key(table),
        _to(table, owner, owners),
        _check(table, "amounts", "net + tax = gross"),
    )
    op.create_index(f"uq_{table}_position", table, [owner, "position"], unique=True)

"""One table for what a car is spoken for: bookings and blocks alike.

A contract: old code and new would each look for overlaps where the other does not write.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from alembic import op

revision = "car_hire_0005"
down_revision = "car_hire_0004"
contract = True

MOMENT = sa.DateTime(timezone=True)
BLOCKING = "state IN ('pending_payment', 'confirmed', 'out')"


def upgrade() -> None:
    """Move the periods of bookings into occupancies."""
    _blocks()
    _bookings()
    _occupancies()
    op.execute(
        "INSERT INTO car_hire_occupancies (id, vehicle_id, period, booking_id)"
        " SELECT id, vehicle_id, period, id FROM car_hire_bookings"
        " WHERE state IN ('pending_payment', 'confirmed', 'out')"
    )
    op.drop_constraint("ex_car_hire_bookings_vehicle_period", "car_hire_bookings")
    op.drop_constraint("ck_car_hire_bookings_period", "car_hire_bookings")
    op.drop_column("car_hire_bookings", "period")
    op.create_check_constraint(
        op.f("ck_car_hire_bookings_period"), "car_hire_bookings", "ends_at > starts_at"
    )


def _blocks() -> None:
    op.create_table(
        "car_hire_blocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("ended_early", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_car_hire_blocks")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["car_hire_vehicles.id"],
            name=op.f("fk_car_hire_blocks_vehicle_id_car_hire_vehicles"),
        ),
        sa.CheckConstraint(
            "reason IN ('maintenance', 'transfer', 'other')", name=op.f("ck_car_hire_blocks_reason")
        ),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_car_hire_blocks_period")),
    )
    op.create_index("ix_car_hire_blocks_vehicle_id", "car_hire_blocks", ["vehicle_id", "id"])


def _bookings() -> None:
    table = "car_hire_bookings"
    op.add_column(
        table, sa.Column("pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(table, sa.Column("paid_quote_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_car_hire_bookings_paid_quote_id_car_hire_quotes"),
        table,
        "car_hire_quotes",
        ["paid_quote_id"],
        ["id"],
    )
    op.create_index("uq_car_hire_bookings_vehicle_id", table, ["id", "vehicle_id"], unique=True)
    op.create_index("ix_car_hire_bookings_vehicle_id", table, ["vehicle_id", "id"])
    op.create_index(
        "ix_car_hire_bookings_paid_quote_id",
        table,
        ["paid_quote_id"],
        postgresql_where=sa.text("paid_quote_id IS NOT NULL"),
    )
    op.create_index(
        "ix_car_hire_bookings_out",
        table,
        ["vehicle_id", "ends_at"],
        postgresql_where=sa.text("state = 'out'"),
    )


def _occupancies() -> None:
    table = "car_hire_occupancies"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("period", TSTZRANGE(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_car_hire_occupancies")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["car_hire_vehicles.id"],
            name=op.f("fk_car_hire_occupancies_vehicle_id_car_hire_vehicles"),
        ),
        sa.ForeignKeyConstraint(
            ["block_id"],
            ["car_hire_blocks.id"],
            name=op.f("fk_car_hire_occupancies_block_id_car_hire_blocks"),
        ),
        sa.ForeignKeyConstraint(
            ["booking_id", "vehicle_id"],
            ["car_hire_bookings.id", "car_hire_bookings.vehicle_id"],
            name=op.f("fk_car_hire_occupancies_booking_id_car_hire_bookings"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint(
            "num_nonnulls(booking_id, block_id) = 1",
            name=op.f("ck_car_hire_occupancies_one_reason"),
        ),
        sa.CheckConstraint(
            "NOT isempty(period) AND lower_inc(period) AND NOT upper_inc(period)",
            name=op.f("ck_car_hire_occupancies_period"),
        ),
        ExcludeConstraint(
            ("vehicle_id", "="),
            ("period", "&&"),
            name="ex_car_hire_occupancies_vehicle_period",
            using="gist",
        ),
    )
    op.create_index("uq_car_hire_occupancies_booking_id", table, ["booking_id"], unique=True)
    op.create_index("uq_car_hire_occupancies_block_id", table, ["block_id"], unique=True)


def downgrade() -> None:
    """Give bookings their periods back; blocks are lost."""
    table = "car_hire_bookings"
    op.add_column(table, sa.Column("period", TSTZRANGE(), nullable=True))
    op.execute(
        "UPDATE car_hire_bookings b SET period = coalesce((SELECT o.period FROM"
        " car_hire_occupancies o WHERE o.booking_id = b.id), tstzrange(starts_at, ends_at))"
    )
    op.alter_column(table, "period", nullable=False)
    op.drop_table("car_hire_occupancies")
    op.drop_table("car_hire_blocks")
    for index in ("uq_car_hire_bookings_vehicle_id", "ix_car_hire_bookings_vehicle_id",
                  "ix_car_hire_bookings_paid_quote_id", "ix_car_hire_bookings_out"):  # fmt: skip
        op.drop_index(index, table_name=table)
    op.drop_constraint(
        op.f("fk_car_hire_bookings_paid_quote_id_car_hire_quotes"), table, type_="foreignkey"
    )
    op.drop_column(table, "paid_quote_id")
    op.drop_column(table, "pinned")
    op.drop_constraint("ck_car_hire_bookings_period", table)
    op.create_check_constraint(
        op.f("ck_car_hire_bookings_period"),
        table,
        "ends_at > starts_at AND lower(period) <= starts_at AND upper(period) >= ends_at"
        " AND lower_inc(period) AND NOT upper_inc(period)",
    )
    op.create_exclude_constraint(
        "ex_car_hire_bookings_vehicle_period",
        table,
        ("vehicle_id", "="),
        ("period", "&&"),
        using="gist",
        where=sa.text(BLOCKING),
    )

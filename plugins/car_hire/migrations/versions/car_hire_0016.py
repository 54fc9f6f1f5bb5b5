"""Branches; every car, quote and booking has them. What there is goes to a main branch."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0016"
down_revision = "car_hire_0015"
contract = True  # older code writes cars, quotes and bookings without a branch

BRANCHES, DAYS = "car_hire_branches", "car_hire_branch_days"
VEHICLES, QUOTES, BOOKINGS = "car_hire_vehicles", "car_hire_quotes", "car_hire_bookings"
HIRES, BLOCKS, OCCUPANCIES = "car_hire_hires", "car_hire_blocks", "car_hire_occupancies"
# table, column, whether every row has it
ADDED = (
    (VEHICLES, "home_branch_id", True),
    (VEHICLES, "branch_id", True),
    (QUOTES, "pick_up_branch_id", True),
    (QUOTES, "return_branch_id", True),
    (BOOKINGS, "pick_up_branch_id", True),
    (BOOKINGS, "return_branch_id", True),
    (HIRES, "return_branch_id", False),
    (BLOCKS, "from_branch_id", False),
    (BLOCKS, "to_branch_id", False),
    (OCCUPANCIES, "from_branch_id", False),
    (OCCUPANCIES, "to_branch_id", False),
)
INDEXES = (
    (VEHICLES, "home_branch_id"),
    (VEHICLES, "branch_id"),
    (BOOKINGS, "pick_up_branch_id"),
    (BOOKINGS, "return_branch_id"),
)
FIRST = "00000000-0000-7000-8000-000000000001"
"""The branch of what was there before branches were; nobody else's row has such an id."""


def upgrade() -> None:
    _branches()
    _days()
    _columns()
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column, "id"])
    op.create_index(
        f"ix_{OCCUPANCIES}_moves",
        OCCUPANCIES,
        ["vehicle_id", sa.text("lower(period)")],
        postgresql_where=sa.text("from_branch_id <> to_branch_id"),
    )
    op.create_check_constraint(
        op.f(f"ck_{BLOCKS}_branches"),
        BLOCKS,
        "(from_branch_id IS NULL) = (to_branch_id IS NULL)"
        " AND (reason = 'transfer' OR to_branch_id IS NULL)",
    )
    op.create_check_constraint(
        op.f(f"ck_{OCCUPANCIES}_branches"),
        OCCUPANCIES,
        "num_nonnulls(from_branch_id, to_branch_id) IN (0, 2)"
        " AND (booking_id IS NULL OR to_branch_id IS NOT NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f(f"ck_{OCCUPANCIES}_branches"), OCCUPANCIES)
    op.drop_constraint(op.f(f"ck_{BLOCKS}_branches"), BLOCKS)
    op.drop_index(f"ix_{OCCUPANCIES}_moves", table_name=OCCUPANCIES)
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.drop_column(VEHICLES, "branch_since")
    for table, column, _required in reversed(ADDED):
        op.drop_constraint(op.f(f"fk_{table}_{column}_{BRANCHES}"), table, type_="foreignkey")
        op.drop_column(table, column)
    op.drop_table(DAYS)
    op.drop_table(BRANCHES)


def _branches() -> None:
    op.create_table(
        BRANCHES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("street_address", sa.Text(), nullable=False),
        sa.Column("desk_phone", sa.Text(), nullable=False),
        sa.Column("desk_email", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Numeric(8, 6), nullable=True),
        sa.Column("longitude", sa.Numeric(9, 6), nullable=True),
        sa.Column("is_airport", sa.Boolean(), nullable=False),
        sa.Column("serves_out_of_hours", sa.Boolean(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("hours", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{BRANCHES}")),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f(f"ck_{BRANCHES}_coordinates")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f(f"ck_{BRANCHES}_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f(f"ck_{BRANCHES}_longitude")),
        sa.CheckConstraint("in_use OR NOT is_main", name=op.f(f"ck_{BRANCHES}_main_in_use")),
    )
    op.create_index(f"uq_{BRANCHES}_name", BRANCHES, [sa.text("lower(name)")], unique=True)
    op.create_index(f"uq_{BRANCHES}_code", BRANCHES, ["code"], unique=True)
    op.create_index(
        f"uq_{BRANCHES}_main",
        BRANCHES,
        ["is_main"],
        unique=True,
        postgresql_where=sa.text("is_main"),
    )
    # A new business gets its branch from the seed; an archive that is loaded brings its own.
    op.execute(
        "INSERT INTO car_hire_branches (id, version, name, code, street_address,"
        " desk_phone, desk_email, is_airport, serves_out_of_hours, is_main, in_use, hours,"
        " created_at)"
        " SELECT '00000000-0000-7000-8000-000000000001', 1, 'Main branch', 'MAIN',"
        " '', '', '', false, false, true,"
        " true, CAST('{}' AS jsonb), now()"
        " WHERE EXISTS (SELECT FROM car_hire_vehicles) OR EXISTS (SELECT FROM car_hire_quotes)"
    )


def _days() -> None:
    op.create_table(
        DAYS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spans", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{DAYS}")),
        sa.ForeignKeyConstraint(
            ["branch_id"], [f"{BRANCHES}.id"], name=op.f(f"fk_{DAYS}_branch_id_{BRANCHES}")
        ),
    )
    op.create_index(f"uq_{DAYS}_day", DAYS, ["branch_id", "day"], unique=True)


def _columns() -> None:
    """Rows that are there get the first branch by a default, which is dropped at once."""
    for table, column, required in ADDED:
        default = FIRST if required or table == OCCUPANCIES else None
        op.add_column(
            table, sa.Column(column, sa.Uuid(), server_default=default, nullable=not required)
        )
        if default:
            op.alter_column(table, column, server_default=None)
        op.create_foreign_key(
            op.f(f"fk_{table}_{column}_{BRANCHES}"), table, BRANCHES, [column], ["id"]
        )
    since = sa.Column(
        "branch_since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )
    op.add_column(VEHICLES, since)
    op.alter_column(VEHICLES, "branch_since", server_default=None)

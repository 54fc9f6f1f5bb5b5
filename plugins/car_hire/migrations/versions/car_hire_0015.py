"""The cash desk, and transfers that are waited for."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0015"
down_revision = "car_hire_0014"

MOMENT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(20, 6)
DESKS, MOVEMENTS = "car_hire_cash_desks", "car_hire_cash_movements"
TRANSFERS = "car_hire_transfers"


def upgrade() -> None:
    op.create_table(
        DESKS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opening", MONEY, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("expected", MONEY, nullable=True),
        sa.Column("counted", MONEY, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{DESKS}"),
        sa.CheckConstraint("opening >= 0", name=op.f(f"ck_{DESKS}_opening")),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (counted IS NULL) AND (counted IS NULL) = (expected IS NULL)",
            name=op.f(f"ck_{DESKS}_closed"),
        ),
    )
    op.create_index(
        f"uq_{DESKS}_open",
        DESKS,
        [sa.text("(closed_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    _movements()
    _transfers()


def downgrade() -> None:
    for table in (TRANSFERS, MOVEMENTS, DESKS):
        op.drop_table(table)


def _movements() -> None:
    op.create_table(
        MOVEMENTS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{MOVEMENTS}"),
        sa.ForeignKeyConstraint(
            ["desk_id"], [f"{DESKS}.id"], name=f"fk_{MOVEMENTS}_desk_id_{DESKS}"
        ),
        sa.CheckConstraint(
            "kind IN ('taken', 'given_back', 'paid_in', 'paid_out')"
            " AND (amount > 0) = (kind IN ('taken', 'paid_in')) AND amount <> 0",
            name=op.f(f"ck_{MOVEMENTS}_kind"),
        ),
    )
    op.create_index(f"uq_{MOVEMENTS}_key", MOVEMENTS, ["key"], unique=True)
    op.create_index(f"ix_{MOVEMENTS}_desk_id", MOVEMENTS, ["desk_id", "id"])


def _transfers() -> None:
    op.create_table(
        TRANSFERS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TRANSFERS}"),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["car_hire_bookings.id"],
            name=f"fk_{TRANSFERS}_booking_id_car_hire_bookings",
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{TRANSFERS}_{name}"))
            for name, rule in (
                ("state", "state IN ('expected', 'received', 'given_up')"),
                ("purpose", "purpose IN ('charge', 'rest')"),
                ("amount", "amount > 0"),
                ("received", "(state = 'received') = (payment_id IS NOT NULL)"),
            )
        ),
    )
    op.create_index(
        f"uq_{TRANSFERS}_expected",
        TRANSFERS,
        ["booking_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("state = 'expected'"),
    )
    op.create_index(f"ix_{TRANSFERS}_state", TRANSFERS, ["state", "id"])

"""Who works at which branch, and a cash desk at each."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0032"
down_revision = "car_hire_0031"
contract = False  # one drawer at a time holds at one branch as before

STAFF, DESKS, BRANCHES = "car_hire_branch_staff", "car_hire_cash_desks", "car_hire_branches"
OPEN = "uq_car_hire_cash_desks_open"


def upgrade() -> None:
    op.create_table(
        STAFF,
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "branch_id", name=op.f(f"pk_{STAFF}")),
        sa.ForeignKeyConstraint(
            ["branch_id"], [f"{BRANCHES}.id"], name=op.f(f"fk_{STAFF}_branch_id_{BRANCHES}")
        ),
    )
    op.create_index(f"ix_{STAFF}_branch_id", STAFF, ["branch_id"])
    op.add_column(DESKS, sa.Column("branch_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(f"fk_{DESKS}_branch_id_{BRANCHES}"), DESKS, BRANCHES, ["branch_id"], ["id"]
    )
    op.drop_index(OPEN, table_name=DESKS)
    _one_open(["branch_id"])


def downgrade() -> None:
    op.drop_index(OPEN, table_name=DESKS)
    # Of several open drawers, the newest stays open; the others count as nothing was counted.
    op.execute(
        "UPDATE car_hire_cash_desks SET closed_at = now(), counted = opening, expected = opening"
        " WHERE closed_at IS NULL AND id < (SELECT id FROM car_hire_cash_desks"
        " WHERE closed_at IS NULL ORDER BY id DESC LIMIT 1)"
    )
    _one_open([sa.text("(closed_at IS NULL)")])
    op.drop_constraint(op.f(f"fk_{DESKS}_branch_id_{BRANCHES}"), DESKS, type_="foreignkey")
    op.drop_column(DESKS, "branch_id")
    op.drop_table(STAFF)


def _one_open(columns: list[str | sa.TextClause]) -> None:
    op.create_index(
        OPEN, DESKS, columns, unique=True, postgresql_where=sa.text("closed_at IS NULL")
    )

"""Who waits for a car, and the car that is held for an offer."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0031"
down_revision = "car_hire_0030"

WAITS, BLOCKS, QUOTES = "car_hire_waits", "car_hire_blocks", "car_hire_quotes"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(QUOTES, sa.Column("hold_id", sa.Uuid(), nullable=True))
    _reasons("'maintenance', 'transfer', 'offer', 'other'")
    op.create_table(
        WAITS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("pick_up_branch_id", sa.Uuid(), nullable=False),
        sa.Column("return_branch_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("offer_link", sa.LargeBinary(), nullable=True),
        sa.Column("quote_id", sa.Uuid(), nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("offer_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{WAITS}")),
        *(
            sa.ForeignKeyConstraint(
                [here], [f"{table}.id"], name=op.f(f"fk_{WAITS}_{here}_{table}")
            )
            for here, table in (
                ("class_id", "car_hire_classes"),
                ("pick_up_branch_id", "car_hire_branches"),
                ("return_branch_id", "car_hire_branches"),
                ("customer_id", "car_hire_customers"),
                ("block_id", BLOCKS),
            )
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{WAITS}_{name}"))
            for name, rule in (
                (
                    "state",
                    "state IN ('waiting', 'offered', 'taken', 'passed', 'left', 'over')",
                ),
                ("period", "ends_at > starts_at"),
                (
                    "offer",
                    "state <> 'offered' OR num_nonnulls(quote_id, block_id, offer_until) = 3",
                ),
            )
        ),
    )
    _indexes()


def _indexes() -> None:
    op.create_index(
        f"uq_{WAITS}_same",
        WAITS,
        [sa.text("lower(email)"), "class_id", "starts_at", "ends_at"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    for name in ("link", "offer_link"):
        op.create_index(f"uq_{WAITS}_{name}", WAITS, [name], unique=True)
    waiting = sa.text("state = 'waiting'")
    op.create_index(f"ix_{WAITS}_waiting", WAITS, ["class_id", "id"], postgresql_where=waiting)
    op.create_index(f"ix_{WAITS}_state", WAITS, ["state", "id"])
    for name in ("block_id", "customer_id", "starts_at"):
        op.create_index(f"ix_{WAITS}_{name}", WAITS, [name])


def _reasons(allowed: str) -> None:
    name = op.f(f"ck_{BLOCKS}_reason")
    op.drop_constraint(name, BLOCKS)
    op.create_check_constraint(name, BLOCKS, f"reason IN ({allowed})")


def downgrade() -> None:
    op.drop_table(WAITS)
    op.execute("UPDATE car_hire_blocks SET reason = 'other' WHERE reason = 'offer'")
    _reasons("'maintenance', 'transfer', 'other'")
    op.drop_column(QUOTES, "hold_id")

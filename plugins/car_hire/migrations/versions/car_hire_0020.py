"""Deposits that could not be renewed, and the links by which customers authorise them again."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0020"
down_revision = "car_hire_0019"

MOMENT = sa.DateTime(timezone=True)
REFUSALS = "car_hire_deposit_refusals"


def upgrade() -> None:
    op.create_table(
        REFUSALS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hire_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{REFUSALS}"),
        sa.ForeignKeyConstraint(
            ["hire_id"], ["car_hire_hires.id"], name=f"fk_{REFUSALS}_hire_id_car_hire_hires"
        ),
    )
    for name in ("payment_id", "link"):
        op.create_index(f"uq_{REFUSALS}_{name}", REFUSALS, [name], unique=True)
    op.create_index(f"ix_{REFUSALS}_hire_id", REFUSALS, ["hire_id", "id"])


def downgrade() -> None:
    op.drop_table(REFUSALS)

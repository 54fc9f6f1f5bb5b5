"""Transfers of cars: who drives, when the car arrived, and which are open."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0018"
down_revision = "car_hire_0017"

BLOCKS = "car_hire_blocks"


def upgrade() -> None:
    op.add_column(BLOCKS, sa.Column("driver", sa.Text(), nullable=True))
    op.add_column(BLOCKS, sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        f"ix_{BLOCKS}_on_the_way",
        BLOCKS,
        ["starts_at", "id"],
        postgresql_where=sa.text(
            "to_branch_id IS NOT NULL AND arrived_at IS NULL AND NOT ended_early"
        ),
    )


def downgrade() -> None:
    op.drop_index(f"ix_{BLOCKS}_on_the_way", table_name=BLOCKS)
    op.drop_column(BLOCKS, "arrived_at")
    op.drop_column(BLOCKS, "driver")

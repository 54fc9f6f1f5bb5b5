"""What was entered at hand-over into the steps that other plugins bring."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0003"
down_revision = "car_hire_0002"


def upgrade() -> None:
    op.add_column(
        "car_hire_hires",
        sa.Column("steps", JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("car_hire_hires", "steps")

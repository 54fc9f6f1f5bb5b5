"""What a quote was asked for, beside the terms that priced it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0004"
down_revision = "car_hire_0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "car_hire_quotes",
        sa.Column("asked", JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.alter_column("car_hire_quotes", "asked", server_default=None)


def downgrade() -> None:
    """Remove it."""
    op.drop_column("car_hire_quotes", "asked")

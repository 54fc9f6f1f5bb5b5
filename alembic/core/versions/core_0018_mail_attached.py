"""Letters may have files with them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "core_0018"
down_revision = "core_0017"


def upgrade() -> None:
    op.add_column(
        "mails",
        sa.Column("attached", JSONB(), server_default="[]", nullable=False),
    )

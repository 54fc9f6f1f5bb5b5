"""How a business looked before its last change of look, to be put back."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0004"
down_revision = "platform_0003"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("brand_before", postgresql.JSONB(), nullable=True))

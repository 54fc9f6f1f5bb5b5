"""Where a plugin's code failed in somebody else's page or deed, for the business to see."""

import sqlalchemy as sa

from alembic import op

revision = "core_0010"
down_revision = "core_0009"


def upgrade() -> None:
    op.create_table(
        "plugin_failures",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "place", name="pk_plugin_failures"),
    )

"""Every version that a plugin's settings ever had, to look at and to put back."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "core_0008"
down_revision = "core_0007"


def upgrade() -> None:
    op.create_table(
        "plugin_settings_versions",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.Column("restored", sa.Integer()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid()),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "version", name="pk_plugin_settings_versions"),
        sa.CheckConstraint(
            "version > 0 AND restored < version", name="ck_plugin_settings_versions_version"
        ),
    )

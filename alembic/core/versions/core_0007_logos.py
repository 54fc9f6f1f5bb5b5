"""The logos of a business."""

import sqlalchemy as sa

from alembic import op

revision = "core_0007"
down_revision = "core_0006"


def upgrade() -> None:
    op.create_table(
        "logos",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_logos"),
        sa.CheckConstraint("media_type IN ('image/png', 'image/jpeg')", name="ck_logos_media_type"),
        sa.CheckConstraint("octet_length(body) <= 200000", name="ck_logos_body"),
    )

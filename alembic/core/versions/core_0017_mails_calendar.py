"""Letters may bring something for the reader's calendar."""

import sqlalchemy as sa

from alembic import op

revision = "core_0017"
down_revision = "core_0016"


def upgrade() -> None:
    op.add_column("mails", sa.Column("calendar", sa.LargeBinary(), nullable=True))

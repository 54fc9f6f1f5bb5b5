"""Letters to somebody are found by a keyed hash of the address, without opening all of them."""

import sqlalchemy as sa

from alembic import op

revision = "core_0012"
down_revision = "core_0011"


def upgrade() -> None:
    op.add_column("mails", sa.Column("recipient_mark", sa.LargeBinary(), nullable=True))
    op.create_index("ix_mails_recipient_mark", "mails", ["recipient_mark"])

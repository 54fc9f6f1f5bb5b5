"""Links to choose a new password, and to confirm an e-mail address."""

import sqlalchemy as sa

from alembic import op

revision = "core_0009"
down_revision = "core_0008"


def upgrade() -> None:
    op.add_column("users", sa.Column("email_confirmed_at", sa.DateTime(timezone=True)))
    op.drop_constraint("ck_one_time_tokens_purpose", "one_time_tokens")
    op.create_check_constraint(
        "ck_one_time_tokens_purpose",
        "one_time_tokens",
        "purpose IN ('enter', 'invite', 'reset', 'confirm')",
    )

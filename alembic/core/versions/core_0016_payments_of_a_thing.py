"""The payments of a thing are found by an index, those that failed too."""

from alembic import op

revision = "core_0016"
down_revision = "core_0015"


def upgrade() -> None:
    op.create_index("ix_payments_subject", "payments", ["subject_type", "subject_id"])


def downgrade() -> None:
    op.drop_index("ix_payments_subject", table_name="payments")

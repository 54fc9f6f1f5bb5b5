"""Payments that no provider moves: cash, transfers, a terminal of the business's own."""

import sqlalchemy as sa

from alembic import op

revision = "core_0019"
down_revision = "core_0018"
contract = True  # older code expects every payment to have an account


def upgrade() -> None:
    op.add_column("payments", sa.Column("method", sa.Text(), server_default="card", nullable=False))
    op.alter_column("payments", "account_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_payments_method"),
        "payments",
        "method IN ('card', 'cash', 'terminal', 'transfer')"
        " AND (method = 'card') = (account_id IS NOT NULL)",
    )

"""Since when a tenant is closed, and when it will be deleted."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0008"
down_revision = "platform_0007"


def upgrade() -> None:
    for name in ("closed_at", "delete_after"):
        op.add_column("tenants", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE tenants SET closed_at = now(), delete_after = now() + interval '30 days'"
        " WHERE status = 'closed'"
    )
    op.create_check_constraint(
        "ck_tenants_closed_at", "tenants", "(closed_at IS NULL) = (delete_after IS NULL)"
    )
    op.create_check_constraint(
        "ck_tenants_closed", "tenants", "status <> 'closed' OR closed_at IS NOT NULL"
    )

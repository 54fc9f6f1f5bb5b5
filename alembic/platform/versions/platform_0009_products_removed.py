"""A product that is being removed with its data."""

from alembic import op

revision = "platform_0009"
down_revision = "platform_0008"


def upgrade() -> None:
    op.drop_constraint("ck_tenant_plugins_state", "tenant_plugins")
    op.create_check_constraint(
        "ck_tenant_plugins_state",
        "tenant_plugins",
        "state IN ('installing', 'enabled', 'disabled', 'removing')",
    )

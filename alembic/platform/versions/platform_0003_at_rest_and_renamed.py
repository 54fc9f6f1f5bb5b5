"""Why and since when a tenant is not served, and the addresses that it had before."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0003"
down_revision = "platform_0002"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name, kind in (
        ("suspended_at", moment),
        ("suspended_reason", sa.Text()),
        ("maintenance_since", moment),
        ("maintenance_message", sa.Text()),
        ("maintenance_until", moment),
    ):
        op.add_column("tenants", sa.Column(name, kind, nullable=True))
    op.drop_constraint("ck_tenants_status", "tenants")
    op.create_check_constraint(
        "ck_tenants_status",
        "tenants",
        "status IN ('provisioning', 'active', 'suspended', 'closed', 'deleting')",
    )
    op.execute("UPDATE tenants SET suspended_at = now() WHERE status = 'suspended'")
    op.create_check_constraint(
        "ck_tenants_suspended", "tenants", "status <> 'suspended' OR suspended_at IS NOT NULL"
    )
    op.create_check_constraint(
        "ck_tenants_maintenance",
        "tenants",
        "maintenance_since IS NOT NULL"
        " OR (maintenance_message IS NULL AND maintenance_until IS NULL)",
    )
    op.create_table(
        "former_slugs",
        sa.Column("look", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("until", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_former_slugs_tenant_id_tenants"
        ),
        sa.PrimaryKeyConstraint("look", name="pk_former_slugs"),
    )
    op.create_index("uq_former_slugs_slug", "former_slugs", ["slug"], unique=True)
    op.create_index("ix_former_slugs_tenant_id", "former_slugs", ["tenant_id"])

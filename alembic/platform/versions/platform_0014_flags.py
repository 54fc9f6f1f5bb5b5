"""What operators and owners say of flags, and how far each is rolled out."""

import sqlalchemy as sa

from alembic import op

revision = "platform_0014"
down_revision = "platform_0013"
contract = True  # the catalogue is read together with it


def _of_tenant(table: str) -> tuple[sa.Column[object] | sa.Constraint, ...]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "flag", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=f"fk_{table}_tenant_id_tenants",
            ondelete="CASCADE",
        ),
    )


def _signed() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "flag_overrides",
        *_of_tenant("flag_overrides"),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        *_signed(),
    )
    op.create_table(
        "flag_choices",
        *_of_tenant("flag_choices"),
        sa.Column("is_on", sa.Boolean()),
        sa.Column("before", sa.Boolean()),
        *_signed(),
    )
    op.create_table(
        "flag_roll_outs",
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("flag", name="pk_flag_roll_outs"),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="ck_flag_roll_outs_percent"),
    )

"""Addresses that businesses send from, and the keys that sign for them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "platform_0012"
down_revision = "platform_0011"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "mail_senders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("verified_at", moment, nullable=True),
        sa.Column("records", postgresql.JSONB(), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("checked_at", moment, nullable=True),
        sa.Column("next_check_at", moment, nullable=True),
        sa.Column("warned_at", moment, nullable=True),
        sa.Column("fallen_back_at", moment, nullable=True),
        sa.Column("unproved_since", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(
            "verified_at IS NOT NULL OR fallen_back_at IS NULL",
            name="ck_mail_senders_fallen_back_at",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name="fk_mail_senders_tenant_id_tenants",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mail_senders"),
    )
    op.create_index("uq_mail_senders_tenant_id", "mail_senders", ["tenant_id"], unique=True)
    op.create_index(
        "uq_mail_senders_verified",
        "mail_senders",
        ["domain"],
        unique=True,
        postgresql_where=sa.text("verified_at IS NOT NULL"),
    )
    op.create_index("ix_mail_senders_next_check_at", "mail_senders", ["next_check_at"])
    op.create_table(
        "mail_sender_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("selector", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("retires_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(
            "state IN ('current', 'next', 'former')", name="ck_mail_sender_keys_state"
        ),
        sa.CheckConstraint(
            "(state = 'former') = (private IS NULL)", name="ck_mail_sender_keys_private"
        ),
        sa.CheckConstraint(
            "(state = 'former') = (retires_at IS NOT NULL)", name="ck_mail_sender_keys_retires_at"
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"],
            ["mail_senders.id"],
            name="fk_mail_sender_keys_sender_id_mail_senders",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mail_sender_keys"),
    )
    op.create_index(
        "uq_mail_sender_keys_selector", "mail_sender_keys", ["sender_id", "selector"], unique=True
    )
    op.create_index(
        "uq_mail_sender_keys_state",
        "mail_sender_keys",
        ["sender_id", "state"],
        unique=True,
        postgresql_where=sa.text("state <> 'former'"),
    )

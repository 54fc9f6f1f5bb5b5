"""Payments by card: accounts at providers, payments, what was asked, refunds, webhooks."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "core_0003"
down_revision = "core_0002"

_AMOUNT = sa.Numeric(20, 6)
_STATES = (
    "'created', 'authorising', 'requires_action', 'authorised', 'declined', 'unknown',"
    " 'capturing', 'captured', 'voiding', 'voided', 'partially_refunded', 'refunded'"
)


def upgrade() -> None:
    _accounts()
    _payments()
    _operations()
    _refunds()
    _notices()


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _accounts() -> None:
    op.create_table(
        "payment_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account_ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("publishable_key", sa.Text(), nullable=False),
        sa.Column("secret_key", sa.LargeBinary(), nullable=False),
        sa.Column("hook_token", sa.Text(), nullable=False),
        sa.Column("hook_ref", sa.Text()),
        sa.Column("hook_secret", sa.LargeBinary()),
        sa.Column("active", sa.Boolean(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_accounts"),
        sa.UniqueConstraint("hook_token", name="uq_payment_accounts_hook_token"),
    )
    op.create_index(
        "uq_payment_accounts_active",
        "payment_accounts",
        ["provider"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unsettled", sa.Boolean(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("captured", _AMOUNT, nullable=False),
        sa.Column("refunded", _AMOUNT, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text()),
        sa.Column("client_secret", sa.LargeBinary()),
        sa.Column("redirect_url", sa.LargeBinary()),
        sa.Column("card", sa.Text()),
        sa.Column("failure_code", sa.Text()),
        sa.Column("release_wanted", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["payment_accounts.id"], name="fk_payments_account_id_payment_accounts"
        ),
        sa.UniqueConstraint("provider_ref", name="uq_payments_provider_ref"),
        sa.CheckConstraint(f"state IN ({_STATES})", name="ck_payments_state"),
        sa.CheckConstraint("amount > 0", name="ck_payments_amount"),
        sa.CheckConstraint("captured >= 0 AND captured <= amount", name="ck_payments_captured"),
        sa.CheckConstraint("refunded >= 0 AND refunded <= captured", name="ck_payments_refunded"),
        sa.CheckConstraint(
            "(captured > 0) = (state IN ('captured', 'partially_refunded', 'refunded'))",
            name="ck_payments_captured_state",
        ),
        sa.CheckConstraint(
            "(refunded > 0) = (state IN ('partially_refunded', 'refunded'))"
            " AND (refunded = captured AND captured > 0) = (state = 'refunded')",
            name="ck_payments_refunded_state",
        ),
    )
    op.create_index(
        "uq_payments_live",
        "payments",
        ["subject_type", "subject_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('declined', 'voided')"),
    )
    op.create_index(
        "ix_payments_unsettled", "payments", ["updated_at"], postgresql_where=sa.text("unsettled")
    )


def _operations() -> None:
    op.create_table(
        "payment_operations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", JSONB(), nullable=False),
        sa.Column("error", sa.Text()),
        _moment("created_at"),
        _moment("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_payment_operations"),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name="fk_payment_operations_payment_id_payments",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("key", name="uq_payment_operations_key"),
        sa.CheckConstraint(
            "kind IN ('authorise', 'capture', 'void', 'refund')", name="ck_payment_operations_kind"
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'unknown', 'done', 'failed')", name="ck_payment_operations_state"
        ),
    )
    op.create_index("ix_payment_operations_payment_id", "payment_operations", ["payment_id"])


def _refunds() -> None:
    op.create_table(
        "payment_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_refunds"),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name="fk_payment_refunds_payment_id_payments",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "payment_id", "provider_ref", name="uq_payment_refunds_payment_id_provider_ref"
        ),
        sa.CheckConstraint("amount > 0", name="ck_payment_refunds_amount"),
    )


def _notices() -> None:
    op.create_table(
        "payment_notices",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text()),
        sa.Column("payment_id", sa.Uuid()),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("account_id", "event_id", name="pk_payment_notices"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["payment_accounts.id"],
            name="fk_payment_notices_account_id_payment_accounts",
        ),
    )

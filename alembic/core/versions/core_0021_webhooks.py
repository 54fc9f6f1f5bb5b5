"""Endpoints that a business's events are sent to, and the log of what they were sent."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "core_0021"
down_revision = "core_0020"


def _moment(name: str, **more: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), **more)


def _of(table: str, column: str, owners: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column(column, sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            [column], [f"{owners}.id"], name=f"fk_{table}_{column}_{owners}", ondelete="CASCADE"
        ),
    )


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("previous_secret", sa.LargeBinary()),
        _moment("previous_until"),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("failing_since"),
        _moment("resting_until"),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        sa.CheckConstraint("state IN ('on', 'off', 'failed')", name="ck_webhook_endpoints_state"),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)",
            name="ck_webhook_endpoints_previous_secret",
        ),
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
    )
    op.create_index("ix_webhook_messages_created_at", "webhook_messages", ["created_at"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("webhook_deliveries", "message_id", "webhook_messages"),
        *_of("webhook_deliveries", "endpoint_id", "webhook_endpoints"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        _moment("next_at"),
        _moment("created_at", nullable=False),
        _moment("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up')", name="ck_webhook_deliveries_state"
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name="ck_webhook_deliveries_ended_at"
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_endpoint_id", "webhook_deliveries", ["endpoint_id", "id"]
    )
    op.create_index("ix_webhook_deliveries_message_id", "webhook_deliveries", ["message_id"])
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("webhook_attempts", "delivery_id", "webhook_deliveries"),
        sa.Column("number", sa.Integer(), nullable=False),
        _moment("at", nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
        sa.CheckConstraint(
            "(status IS NULL) = (problem IS NOT NULL)", name="ck_webhook_attempts_outcome"
        ),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id"])


def downgrade() -> None:
    for table in ("attempts", "deliveries", "messages", "endpoints"):
        op.drop_table(f"webhook_{table}")

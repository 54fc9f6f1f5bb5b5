"""People and their sessions, the tenant's data keys, the audit log, what is counted."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "core_0002"
down_revision = "core_0001"

_NOW = sa.text("now()")

# A schema's tables belong to the owner role, and its default privileges give the tenant's role,
# which bears the schema's name, everything. What must not be changed or lost is taken back.
_TAKE_BACK = """
DO $$ DECLARE tenant text := quote_ident(current_schema()); BEGIN
  EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM ' || tenant;
  EXECUTE 'REVOKE DELETE, TRUNCATE ON tenant_keys FROM ' || tenant;
END $$
"""


def upgrade() -> None:
    _people()
    _keys()
    _audit()
    _usage()
    op.execute(_TAKE_BACK)


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.CheckConstraint("email = lower(email)", name="ck_users_email_lower"),
        sa.CheckConstraint("role IN ('owner', 'admin', 'staff', 'member')", name="ck_users_role"),
    )
    op.create_index("uq_users_email", "users", ["email"], unique=True)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('page', 'api')", name="ck_sessions_kind"),
    )
    op.create_index("uq_sessions_token_hash", "sessions", ["token_hash"], unique=True)
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_tokens"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_one_time_tokens_user_id_users", ondelete="CASCADE"
        ),
        sa.CheckConstraint("purpose IN ('enter', 'invite')", name="ck_one_time_tokens_purpose"),
    )
    op.create_index("uq_one_time_tokens_token_hash", "one_time_tokens", ["token_hash"], unique=True)
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])


def _keys() -> None:
    op.create_table(
        "tenant_keys",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_tenant_keys"),
        sa.CheckConstraint("number BETWEEN 1 AND 65535", name="ck_tenant_keys_number"),
    )


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("trace", sa.Text()),
        sa.Column("detail", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sa.CheckConstraint(
            "actor_kind IN ('person', 'system')", name="ck_audit_entries_actor_kind"
        ),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject_type", "subject_id"])
    op.create_index("ix_audit_entries_actor_id", "audit_entries", ["actor_id"])


def _usage() -> None:
    op.create_table(
        "usage_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(20, 6), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_records"),
        sa.CheckConstraint("quantity >= 0", name="ck_usage_records_quantity"),
    )
    op.create_index("uq_usage_records_meter_key", "usage_records", ["meter", "key"], unique=True)
    op.create_index("ix_usage_records_meter_recorded_at", "usage_records", ["meter", "recorded_at"])
    op.create_table(
        "usage_limits",
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(20, 6), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("meter", name="pk_usage_limits"),
        sa.CheckConstraint("quantity >= 0", name="ck_usage_limits_quantity"),
        sa.CheckConstraint("period IN ('month', 'ever')", name="ck_usage_limits_period"),
    )

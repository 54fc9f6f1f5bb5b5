"""What people are told, how they want to be, and the way out of letters."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "core_0014"
down_revision = "core_0013"


def _moment(name: str, **more: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), **more)


def _person(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE"
        ),
    )


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_person("notifications"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("mailing", sa.Text()),
        _moment("created_at", server_default=sa.text("now()"), nullable=False),
        _moment("read_at"),
        _moment("mailed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.CheckConstraint("mailing IN ('now', 'digest')", name="ck_notifications_mailing"),
        sa.CheckConstraint("in_app OR mailing IS NOT NULL", name="ck_notifications_told"),
    )
    for name, columns, where in (
        ("user_id", ["user_id", "id"], None),
        ("unread", ["user_id"], "read_at IS NULL AND in_app"),
        ("to_mail", ["user_id"], "mailing = 'digest' AND mailed_at IS NULL AND read_at IS NULL"),
        ("read_at", ["read_at"], "read_at IS NOT NULL"),
        ("subject", ["subject_type", "subject_id"], None),
    ):
        op.create_index(
            f"ix_notifications_{name}",
            "notifications",
            columns,
            postgresql_where=sa.text(where) if where else None,
        )
    op.create_table(
        "notification_choices",
        *_person("notification_choices"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("app", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name="pk_notification_choices"),
    )
    op.create_table(
        "notification_habits",
        *_person("notification_habits"),
        sa.Column("quiet", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("digest", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("digested_on", sa.Date()),
        sa.PrimaryKeyConstraint("user_id", name="pk_notification_habits"),
    )
    op.add_column("mails", sa.Column("unsubscribe", sa.LargeBinary()))

"""Terms in versions, and who accepted which."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "core_0011"
down_revision = "core_0010"
contract = True  # who registers, signs in or buys is asked by what is in these tables


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "terms_versions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("digests", JSONB(), nullable=False),
        sa.Column("valid_from", moment, nullable=False),
        sa.Column("must_accept", sa.Boolean(), nullable=False),
        sa.Column("accept_by", moment),
        sa.Column("published_at", moment, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name="pk_terms_versions"),
        sa.CheckConstraint("kind IN ('terms', 'privacy')", name="ck_terms_versions_kind"),
        sa.CheckConstraint("number > 0", name="ck_terms_versions_number"),
        sa.CheckConstraint("accept_by >= valid_from", name="ck_terms_versions_accept_by"),
    )
    op.create_table(
        "terms_acceptances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("accepted_at", moment, nullable=False),
        sa.Column("address", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_terms_acceptances"),
    )
    op.create_index(
        "uq_terms_acceptances_user_id_kind_number",
        "terms_acceptances",
        ["user_id", "kind", "number"],
        unique=True,
    )

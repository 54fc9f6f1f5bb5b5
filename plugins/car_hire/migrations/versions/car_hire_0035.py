"""Former addresses of classes and branches on the site."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0035"
down_revision = "car_hire_0034"
contract = True  # a page that is not found is looked for here

WORDS = "car_hire_former_words"


def upgrade() -> None:
    op.create_table(
        WORDS,
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "word", name=op.f(f"pk_{WORDS}")),
        sa.CheckConstraint("kind IN ('branch', 'class')", name=op.f(f"ck_{WORDS}_kind")),
    )


def downgrade() -> None:
    op.drop_table(WORDS)

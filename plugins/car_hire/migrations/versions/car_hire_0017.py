"""Hire agreements that cannot be changed, and their files."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0017"
down_revision = "car_hire_0016"

MOMENT = sa.DateTime(timezone=True)
AGREEMENTS, FILES = "car_hire_agreements", "car_hire_agreement_files"


def upgrade() -> None:
    op.create_table(
        AGREEMENTS,
        sa.Column("hire_id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hire_id", name=f"pk_{AGREEMENTS}"),
        sa.ForeignKeyConstraint(
            ["hire_id"], ["car_hire_hires.id"], name=f"fk_{AGREEMENTS}_hire_id_car_hire_hires"
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["car_hire_inspections.id"],
            name=f"fk_{AGREEMENTS}_inspection_id_car_hire_inspections",
        ),
    )
    op.create_index(f"ix_{AGREEMENTS}_inspection_id", AGREEMENTS, ["inspection_id"])
    op.create_table(
        FILES,
        sa.Column("hire_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hire_id", name=f"pk_{FILES}"),
        sa.ForeignKeyConstraint(
            ["hire_id"], [f"{AGREEMENTS}.hire_id"], name=f"fk_{FILES}_hire_id_{AGREEMENTS}"
        ),
    )
    op.create_index(f"uq_{FILES}_file_id", FILES, ["file_id"], unique=True)
    op.execute(
        "DO $$ DECLARE tenant text := quote_ident(current_schema()); BEGIN"
        f" EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE ON {AGREEMENTS}, {FILES} FROM ' || tenant;"
        " END $$"
    )


def downgrade() -> None:
    op.drop_table(FILES)
    op.drop_table(AGREEMENTS)

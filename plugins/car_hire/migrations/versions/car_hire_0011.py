"""Numbered papers that cannot be changed, and what stands on them of the customer."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0011"
down_revision = "car_hire_0010"

MOMENT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(20, 6)
SERIES, PAPERS, FILES = "car_hire_paper_series", "car_hire_papers", "car_hire_paper_files"
CUSTOMERS = "car_hire_customers"


def upgrade() -> None:
    for name in ("billing_name", "tax_number", "billing_address"):
        op.add_column(CUSTOMERS, sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.create_table(
        SERIES,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{SERIES}"),
        sa.CheckConstraint("last >= 0", name=op.f(f"ck_{SERIES}_last")),
    )
    _papers()
    op.create_table(
        FILES,
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("paper_id", name=f"pk_{FILES}"),
        sa.ForeignKeyConstraint(
            ["paper_id"], [f"{PAPERS}.id"], name=f"fk_{FILES}_paper_id_{PAPERS}"
        ),
    )
    op.create_index(f"uq_{FILES}_file_id", FILES, ["file_id"], unique=True)
    _refuse_changes()


def downgrade() -> None:
    op.drop_table(FILES)
    op.drop_table(PAPERS)
    op.drop_table(SERIES)
    for name in ("billing_name", "tax_number", "billing_address"):
        op.drop_column(CUSTOMERS, name)


def _papers() -> None:
    op.create_table(
        PAPERS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net", MONEY, nullable=False),
        sa.Column("tax", MONEY, nullable=False),
        sa.Column("gross", MONEY, nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("refers_to", sa.Uuid(), nullable=True),
        sa.Column("content", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{PAPERS}"),
        *(
            sa.ForeignKeyConstraint(
                [here], [f"{table}.{there}"], name=f"fk_{PAPERS}_{here}_{table}"
            )
            for here, table, there in (
                ("series", SERIES, "name"),
                ("customer_id", CUSTOMERS, "id"),
                ("booking_id", "car_hire_bookings", "id"),
                ("refers_to", PAPERS, "id"),
            )
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{PAPERS}_{name}"))
            for name, rule in (
                ("kind", "kind IN ('invoice', 'credit_note', 'receipt', 'statement')"),
                ("sequence", "sequence >= 1"),
                ("amounts", "net + tax = gross"),
                ("refers_to", "kind <> 'credit_note' OR refers_to IS NOT NULL"),
            )
        ),
    )
    for name, columns in (("sequence", ["series", "sequence"]), ("key", ["key"])):
        op.create_index(f"uq_{PAPERS}_{name}", PAPERS, columns, unique=True)
    for name, more in (
        ("kind", ["id"]),
        ("issued_on", ["id"]),
        ("customer_id", ["id"]),
        ("booking_id", []),
        ("refers_to", []),
    ):
        op.create_index(f"ix_{PAPERS}_{name}", PAPERS, [name, *more])
    op.create_index(f"ix_{PAPERS}_buyer", PAPERS, [sa.text("lower(buyer)")])


def _refuse_changes() -> None:
    """Whoever may write there may add, and nothing else."""
    op.execute(
        "DO $$ DECLARE tenant text := quote_ident(current_schema()); BEGIN"
        f" EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE ON {PAPERS}, {FILES} FROM ' || tenant;"
        " END $$"
    )

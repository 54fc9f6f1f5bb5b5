"""Companies that hire on account, their people, and their statements."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0029"
down_revision = "car_hire_0028"

MOMENT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(20, 6)
COMPANIES, MEMBERS = "car_hire_companies", "car_hire_company_members"
STATEMENTS, ENTRIES = "car_hire_statements", "car_hire_account_entries"
BOOKINGS, PAPERS = "car_hire_bookings", "car_hire_papers"


def upgrade() -> None:
    _companies()
    op.create_table(
        MEMBERS,
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("sees_statements", sa.Boolean(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=f"pk_{MEMBERS}"),
        _key(MEMBERS, "customer_id", "car_hire_customers"),
        _key(MEMBERS, "company_id", COMPANIES),
    )
    op.create_index(f"ix_{MEMBERS}_company_id", MEMBERS, ["company_id"])
    _statements()
    _entries()
    op.add_column(BOOKINGS, sa.Column("company_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(f"fk_{BOOKINGS}_company_id_{COMPANIES}"), BOOKINGS, COMPANIES, ["company_id"], ["id"]
    )
    op.create_index(
        f"ix_{BOOKINGS}_company_id",
        BOOKINGS,
        ["company_id"],
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column(BOOKINGS, "company_id")
    for table in (ENTRIES, STATEMENTS, MEMBERS, COMPANIES):
        op.drop_table(table)


def _key(table: str, here: str, there: str, column: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [here], [f"{there}.{column}"], name=op.f(f"fk_{table}_{here}_{there}")
    )


def _companies() -> None:
    op.create_table(
        COMPANIES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=False),
        sa.Column("billing_address", sa.Text(), nullable=False),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=False),
        sa.Column("terms_days", sa.Integer(), nullable=False),
        sa.Column("credit_limit", MONEY, nullable=True),
        sa.Column("deposit", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("on_account", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{COMPANIES}"),
        sa.CheckConstraint("terms_days BETWEEN 0 AND 180", name=op.f(f"ck_{COMPANIES}_terms_days")),
        sa.CheckConstraint("credit_limit >= 0", name=op.f(f"ck_{COMPANIES}_credit_limit")),
        sa.CheckConstraint("deposit IN ('usual', 'none')", name=op.f(f"ck_{COMPANIES}_deposit")),
    )
    op.create_index(f"uq_{COMPANIES}_tax_number", COMPANIES, ["tax_number"], unique=True)
    op.create_index(f"ix_{COMPANIES}_name", COMPANIES, [sa.text("lower(name)")])


def _statements() -> None:
    op.create_table(
        STATEMENTS,
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("paid", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("paper_id", name=f"pk_{STATEMENTS}"),
        _key(STATEMENTS, "paper_id", PAPERS),
        _key(STATEMENTS, "company_id", COMPANIES),
        sa.CheckConstraint("paid BETWEEN 0 AND amount", name=op.f(f"ck_{STATEMENTS}_paid")),
    )
    op.create_index(f"uq_{STATEMENTS}_month", STATEMENTS, ["company_id", "month"], unique=True)
    op.create_index(
        f"ix_{STATEMENTS}_open", STATEMENTS, ["due_on"], postgresql_where=sa.text("paid < amount")
    )


def _entries() -> None:
    op.create_table(
        ENTRIES,
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("paper_id", name=f"pk_{ENTRIES}"),
        _key(ENTRIES, "paper_id", PAPERS),
        _key(ENTRIES, "company_id", COMPANIES),
        _key(ENTRIES, "statement_id", STATEMENTS, "paper_id"),
        sa.CheckConstraint("amount >= 0", name=op.f(f"ck_{ENTRIES}_amount")),
    )
    op.create_index(f"ix_{ENTRIES}_company_id", ENTRIES, ["company_id", "issued_on"])
    op.create_index(f"ix_{ENTRIES}_statement_id", ENTRIES, ["statement_id"])

"""Notes and blocks of customers, and an index by which the desk finds them."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0014"
down_revision = "car_hire_0013"

CUSTOMERS = "car_hire_customers"
NOTES = "car_hire_customer_notes"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(CUSTOMERS, sa.Column("blocked_at", MOMENT, nullable=True))
    op.add_column(CUSTOMERS, sa.Column("blocked_why", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_car_hire_customers_wanted",
        CUSTOMERS,
        ["name", "email"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops", "email": "gin_trgm_ops"},
    )
    op.create_table(
        NOTES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{NOTES}")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["car_hire_customers.id"],
            name=op.f(f"fk_{NOTES}_customer_id_car_hire_customers"),
        ),
    )
    op.create_index(f"ix_{NOTES}_customer_id", NOTES, ["customer_id", "id"])


def downgrade() -> None:
    op.drop_table(NOTES)
    op.drop_index("ix_car_hire_customers_wanted", CUSTOMERS)
    op.drop_column(CUSTOMERS, "blocked_why")
    op.drop_column(CUSTOMERS, "blocked_at")

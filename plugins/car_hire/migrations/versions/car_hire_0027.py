"""Customers are found by their names without accents."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0027"
down_revision = "car_hire_0026"

CUSTOMERS = "car_hire_customers"
ACCENTED = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
PLAIN = "AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuyy"
SOUGHT = f"lower(translate(name || ' ' || email, '{ACCENTED}', '{PLAIN}'))"


def upgrade() -> None:
    op.add_column(
        CUSTOMERS,
        sa.Column("sought", sa.Text(), sa.Computed(SOUGHT, persisted=True), nullable=False),
    )
    op.drop_index("ix_car_hire_customers_wanted", CUSTOMERS)
    op.create_index(
        "ix_car_hire_customers_sought",
        CUSTOMERS,
        ["sought"],
        postgresql_using="gin",
        postgresql_ops={"sought": "gin_trgm_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_car_hire_customers_sought", CUSTOMERS)
    op.create_index(
        "ix_car_hire_customers_wanted",
        CUSTOMERS,
        ["name", "email"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops", "email": "gin_trgm_ops"},
    )
    op.drop_column(CUSTOMERS, "sought")

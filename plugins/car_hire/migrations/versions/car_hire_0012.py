"""Extras and covers: what they are, what they cost from when, and who has them when."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE

from alembic import op

revision = "car_hire_0012"
down_revision = "car_hire_0011"

MOMENT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(20, 6)
EXTRAS = "car_hire_extras"
PRICES = "car_hire_extra_prices"
RESERVATIONS = "car_hire_extra_reservations"


def upgrade() -> None:
    _extras()
    _prices()
    _reservations()


def downgrade() -> None:
    op.drop_table(RESERVATIONS)
    op.drop_table(PRICES)
    op.drop_table(EXTRAS)


def _extras() -> None:
    op.create_table(
        EXTRAS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("about", JSONB(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("class_ids", JSONB(), nullable=False),
        sa.Column("zones", JSONB(), nullable=False),
        sa.Column("on_offer", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{EXTRAS}"),
        sa.CheckConstraint(
            "kind IN ('extra', 'driver', 'basic', 'cover', 'partial')",
            name=op.f(f"ck_{EXTRAS}_kind"),
        ),
        sa.CheckConstraint(
            "stock >= 0 AND (stock IS NULL OR kind = 'extra')", name=op.f(f"ck_{EXTRAS}_stock")
        ),
        sa.CheckConstraint("most BETWEEN 1 AND 20", name=op.f(f"ck_{EXTRAS}_most")),
    )
    op.create_index(f"uq_{EXTRAS}_code", EXTRAS, ["code"], unique=True)
    op.create_index(
        f"uq_{EXTRAS}_driver",
        EXTRAS,
        ["kind"],
        unique=True,
        postgresql_where=sa.text("kind = 'driver' AND on_offer"),
    )


def _prices() -> None:
    op.create_table(
        PRICES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("extra_id", sa.Uuid(), nullable=False),
        sa.Column("effective_from", MOMENT, nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("price", MONEY, nullable=False),
        sa.Column("cap", MONEY, nullable=True),
        sa.Column("excess", MONEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{PRICES}"),
        sa.ForeignKeyConstraint(
            ["extra_id"], [f"{EXTRAS}.id"], name=f"fk_{PRICES}_extra_id_{EXTRAS}"
        ),
        sa.CheckConstraint("per IN ('day', 'hire')", name=op.f(f"ck_{PRICES}_per")),
        sa.CheckConstraint(
            "price >= 0 AND cap >= 0 AND excess >= 0", name=op.f(f"ck_{PRICES}_amounts")
        ),
    )
    op.create_index(f"uq_{PRICES}_from", PRICES, ["extra_id", "effective_from"], unique=True)


def _reservations() -> None:
    table = RESERVATIONS
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("extra_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("period", TSTZRANGE(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["car_hire_bookings.id"],
            name=f"fk_{table}_booking_id_car_hire_bookings",
        ),
        sa.ForeignKeyConstraint(
            ["extra_id"], [f"{EXTRAS}.id"], name=f"fk_{table}_extra_id_{EXTRAS}"
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f(f"ck_{table}_quantity")),
        sa.CheckConstraint("NOT isempty(period)", name=op.f(f"ck_{table}_period")),
    )
    op.create_index(f"uq_{table}_booking", table, ["booking_id", "extra_id"], unique=True)
    op.create_index(f"ix_{table}_period", table, ["extra_id", "period"], postgresql_using="gist")

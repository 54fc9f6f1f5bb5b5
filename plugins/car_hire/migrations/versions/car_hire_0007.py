"""Price lists in versions; what classes cost becomes the first of them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "car_hire_0007"
down_revision = "car_hire_0006"

MOMENT = sa.DateTime(timezone=True)
LISTS, PRICES = "car_hire_price_lists", "car_hire_class_prices"


def upgrade() -> None:
    _lists()
    _class_prices()
    _first_list()


def downgrade() -> None:
    op.drop_table(PRICES)
    op.drop_table(LISTS)


def _lists() -> None:
    op.create_table(
        LISTS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("effective_from", MOMENT, nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{LISTS}"),
        sa.CheckConstraint("state IN ('draft', 'published')", name=op.f(f"ck_{LISTS}_state")),
        sa.CheckConstraint(
            "(state = 'published') = (effective_from IS NOT NULL AND published_at IS NOT NULL)",
            name=op.f(f"ck_{LISTS}_published"),
        ),
    )
    op.create_index(f"uq_{LISTS}_number", LISTS, ["number"], unique=True)
    op.create_index(
        f"uq_{LISTS}_draft",
        LISTS,
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_index(f"ix_{LISTS}_effective_from", LISTS, ["effective_from", "number"])


def _class_prices() -> None:
    op.create_table(
        PRICES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("prices", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{PRICES}"),
        sa.ForeignKeyConstraint(["list_id"], [f"{LISTS}.id"], name=f"fk_{PRICES}_list_id_{LISTS}"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["car_hire_classes.id"], name=f"fk_{PRICES}_class_id_car_hire_classes"
        ),
    )
    op.create_index(f"uq_{PRICES}_class", PRICES, ["list_id", "class_id"], unique=True)
    op.create_index(f"ix_{PRICES}_class_id", PRICES, ["class_id"])


def _first_list() -> None:
    """The tax that most classes have becomes the rule for hires."""
    op.execute(
        "INSERT INTO car_hire_price_lists"
        " (id, version, number, state, rules, effective_from, published_at, created_at)"
        " SELECT gen_random_uuid(), 1, 1, 'published',"
        " jsonb_build_object('taxes', jsonb_build_array(jsonb_build_object('kind', 'hire',"
        " 'rate', CAST(mode() WITHIN GROUP (ORDER BY tax_rate) AS text)))), now(), now(), now()"
        " FROM car_hire_classes HAVING count(*) > 0"
    )
    op.execute(
        "INSERT INTO car_hire_class_prices (id, list_id, class_id, prices)"
        " SELECT gen_random_uuid(), l.id, c.id, jsonb_build_object("
        "'rate', jsonb_build_object('day', CAST(c.daily_rate AS text)),"
        " 'deposit', CAST(c.deposit AS text),"
        " 'mileage', jsonb_build_object('per_day', c.included_km_per_day,"
        " 'per_km', CAST(c.price_per_km AS text)),"
        " 'fuel', jsonb_build_object('per_unit', CAST(c.fuel_price_per_eighth AS text)))"
        " FROM car_hire_classes c CROSS JOIN car_hire_price_lists l"
    )

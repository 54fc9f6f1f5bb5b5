"""Classes have no prices of their own any more: the price lists have them."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0008"
down_revision = "car_hire_0007"
contract = True  # older code reads and writes the columns that are dropped

CLASSES = "car_hire_classes"
MONEY = sa.Numeric(20, 6)
COLUMNS = (
    sa.Column("daily_rate", MONEY),
    sa.Column("tax_rate", sa.Numeric(6, 4)),
    sa.Column("deposit", MONEY),
    sa.Column("included_km_per_day", sa.Integer()),
    sa.Column("price_per_km", MONEY),
    sa.Column("fuel_price_per_eighth", MONEY),
)
CHECKS = (
    (
        "amounts",
        "daily_rate >= 0 AND deposit >= 0 AND price_per_km >= 0 AND fuel_price_per_eighth >= 0",
    ),
    ("tax_rate", "tax_rate BETWEEN 0 AND 1"),
    ("included_km", "included_km_per_day >= 0"),
)


def upgrade() -> None:
    for name, _rule in CHECKS:
        op.drop_constraint(op.f(f"ck_{CLASSES}_{name}"), CLASSES)
    for column in COLUMNS:
        op.drop_column(CLASSES, column.name)


def downgrade() -> None:
    """What the newest published list says; a class that it does not know costs nothing."""
    for column in COLUMNS:
        kept: sa.Column[object] = sa.Column(
            column.name, column.type, server_default="0", nullable=False
        )
        op.add_column(CLASSES, kept)
    op.execute(
        "UPDATE car_hire_classes c SET"
        " daily_rate = CAST(p.prices #>> '{rate,day}' AS numeric),"
        " tax_rate = coalesce(CAST(p.rules #>> '{taxes,0,rate}' AS numeric), 0),"
        " deposit = coalesce(CAST(p.prices #>> '{deposit}' AS numeric), 0),"
        " included_km_per_day = coalesce(CAST(p.prices #>> '{mileage,per_day}' AS integer), 0),"
        " price_per_km = coalesce(CAST(p.prices #>> '{mileage,per_km}' AS numeric), 0),"
        " fuel_price_per_eighth = coalesce(CAST(p.prices #>> '{fuel,per_unit}' AS numeric), 0)"
        " FROM (SELECT DISTINCT ON (cp.class_id) cp.class_id, cp.prices, l.rules"
        " FROM car_hire_class_prices cp JOIN car_hire_price_lists l ON l.id = cp.list_id"
        " WHERE l.state = 'published'"
        " ORDER BY cp.class_id, l.effective_from DESC, l.number DESC) p WHERE p.class_id = c.id"
    )
    for column in COLUMNS:
        op.alter_column(CLASSES, column.name, server_default=None)
    for name, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_{CLASSES}_{name}"), CLASSES, rule)

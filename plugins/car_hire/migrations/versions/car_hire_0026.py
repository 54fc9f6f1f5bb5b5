"""When and why cars left the fleet; hires by car and return."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0026"
down_revision = "car_hire_0025"

VEHICLES = "car_hire_vehicles"


def upgrade() -> None:
    op.add_column(VEHICLES, sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(VEHICLES, sa.Column("retired_why", sa.Text(), nullable=True))
    op.create_index("ix_car_hire_hires_vehicle_id", "car_hire_hires", ["vehicle_id", "returned_at"])


def downgrade() -> None:
    op.drop_index("ix_car_hire_hires_vehicle_id", table_name="car_hire_hires")
    op.drop_column(VEHICLES, "retired_why")
    op.drop_column(VEHICLES, "retired_at")

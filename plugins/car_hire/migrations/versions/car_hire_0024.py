"""Papers and photos of cars."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0024"
down_revision = "car_hire_0023"

DOCUMENTS, PHOTOS = "car_hire_vehicle_documents", "car_hire_vehicle_photos"
VEHICLES = "car_hire_vehicles"
MOMENT = sa.DateTime(timezone=True)
KINDS = "'insurance', 'inspection', 'road_tax', 'registration', 'licence', 'other'"


def upgrade() -> None:
    op.create_table(
        DOCUMENTS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("reminded_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{DOCUMENTS}")),
        _of_vehicle(DOCUMENTS),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f(f"ck_{DOCUMENTS}_kind")),
    )
    op.create_index(f"ix_{DOCUMENTS}_vehicle_id", DOCUMENTS, ["vehicle_id", "kind", "valid_until"])
    op.create_index(f"ix_{DOCUMENTS}_valid_until", DOCUMENTS, ["valid_until", "id"])
    op.create_table(
        PHOTOS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PHOTOS}")),
        _of_vehicle(PHOTOS),
    )
    op.create_index(f"ix_{PHOTOS}_vehicle_id", PHOTOS, ["vehicle_id", "id"])
    op.create_index(f"uq_{PHOTOS}_file_id", PHOTOS, ["file_id"], unique=True)


def downgrade() -> None:
    op.drop_table(PHOTOS)
    op.drop_table(DOCUMENTS)


def _of_vehicle(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["vehicle_id"], [f"{VEHICLES}.id"], name=op.f(f"fk_{table}_vehicle_id_{VEHICLES}")
    )

"""What shows why a line stands on a bill."""

import sqlalchemy as sa

from alembic import op

revision = "car_hire_0034"
down_revision = "car_hire_0033"
contract = True  # bills are read with the new column

LINES = "car_hire_bill_lines"
FILE = "uq_car_hire_bill_lines_file_id"


def upgrade() -> None:
    op.add_column(LINES, sa.Column("file_id", sa.Uuid(), nullable=True))
    op.create_index(FILE, LINES, ["file_id"], unique=True)


def downgrade() -> None:
    op.drop_index(FILE, table_name=LINES)
    op.drop_column(LINES, "file_id")

"""Quotes by when they expire, for the night's purge.

Revision ID: car_hire_0002
"""

from __future__ import annotations

from alembic import op

revision = "car_hire_0002"
down_revision = "car_hire_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_car_hire_quotes_expires_at", "car_hire_quotes", ["expires_at"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_car_hire_quotes_expires_at", table_name="car_hire_quotes")

"""What letters say, and to whom, is sealed by the tenant's key.

The letters so far go: SQL has no key to seal them with, and none was ever sent from a real
installation.
"""

import sqlalchemy as sa

from alembic import op

revision = "core_0006"
down_revision = "core_0005"
contract = True


def upgrade() -> None:
    op.execute("DELETE FROM mails")
    for name in ("recipient", "subject", "text", "html"):
        op.drop_column("mails", name)
        op.add_column("mails", sa.Column(name, sa.LargeBinary(), nullable=name == "html"))

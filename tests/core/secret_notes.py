"""A table with sealed columns, which only the tests have."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.crypto import EncryptedDate, EncryptedText
from core.ids import new_id

TABLE = "CREATE TABLE secret_notes (id uuid PRIMARY KEY, licence bytea, born bytea)"


class TestBase(DeclarativeBase):
    """Apart from ``core.db.Base``, whose tables must all have a line of migrations."""

    __test__ = False
    metadata = MetaData()


class SecretNote(TestBase):
    """Something private."""

    __tablename__ = "secret_notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    licence: Mapped[str | None] = mapped_column(EncryptedText())
    born: Mapped[date | None] = mapped_column(EncryptedDate())

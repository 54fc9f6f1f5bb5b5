"""Column types whose values PostgreSQL never sees: sealed by the tenant's key on the way in.

A value is bound to its tenant, table and column, so that it opens nowhere else. It cannot be
searched, sorted or compared in SQL, except with NULL.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Column, Dialect, LargeBinary, Table, event
from sqlalchemy.types import TypeDecorator

from core.crypto.sealing import open_sealed, seal


class Sealed(TypeDecorator[Any]):
    """What both types share; ``place`` is ``table.column``, set when the column is declared."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str | None = None) -> None:
        super().__init__()
        self.place = place

    def _seal(self, text: str | None) -> bytes | None:
        if text is None:
            return None
        if self.place is None:
            raise RuntimeError(f"{type(self).__name__} is not the type of a table's column")
        return seal(text, self.place)

    def _open(self, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        return open_sealed(bytes(sealed), self.place or "")


class EncryptedText(Sealed):
    """A text that only its tenant's key opens."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in."""
        return self._seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Open on the way out."""
        return self._open(value)


class EncryptedDate(Sealed):
    """A calendar date, such as one of birth, that only its tenant's key opens."""

    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in."""
        return self._seal(value.isoformat() if value is not None else None)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> date | None:
        """Open on the way out."""
        text = self._open(value)
        return date.fromisoformat(text) if text is not None else None


@event.listens_for(Column, "after_parent_attach")
def _place(column: Column[Any], parent: Any) -> None:
    """Bind a sealed column to where it stands; a copied column gets a type of its own."""
    if isinstance(column.type, Sealed) and isinstance(parent, Table):
        place = f"{parent.name}.{column.name}"
        if column.type.place != place:
            column.type = type(column.type)(place)

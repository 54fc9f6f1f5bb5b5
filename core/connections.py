"""Connections that open the scope they work in, and how long each of them is used."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg
from asyncpg.transaction import Transaction, TransactionState

from core.scope import Scope

EXTENSIONS_SCHEMA: Final = "extensions"


class ScopedTransaction(Transaction):  # type: ignore[misc]  # asyncpg ships no types
    """A top-level transaction that opens its scope in the statement that begins it."""

    async def start(self) -> None:
        connection: ScopedConnection = self._connection
        if connection._top_xact is not None or connection.scope is None:
            await super().start()
            return
        name = connection.scope.name  # checked against a strict pattern by Scope itself
        connection._top_xact = self
        self._state = TransactionState.FAILED
        try:
            await connection.execute(
                f"BEGIN{self._kind};"
                f" SELECT set_config('search_path', '{name}, {EXTENSIONS_SCHEMA}', true),"
                f" set_config('role', '{name}', true)"
            )
        except BaseException:
            connection._top_xact = None
            if not connection.is_closed() and connection.is_in_transaction():
                await connection.execute("ROLLBACK")
            raise
        connection.schemas_touched.add(name)
        self._state = TransactionState.STARTED

    @property
    def _kind(self) -> str:
        isolation = f" ISOLATION LEVEL {self._isolation.upper()}" if self._isolation else ""
        return isolation.replace("_", " ") + (" READ ONLY" if self._readonly else "")


class ScopedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """An asyncpg connection whose next transaction opens in ``scope``."""

    __slots__ = ("luck", "opened_at", "schemas_touched", "scope")

    def get_reset_query(self) -> str:
        """Nothing outlives a transaction of ours, so there is nothing to reset between two."""
        return ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope: Scope | None = None
        self.schemas_touched: set[str] = set()
        self.opened_at = time.monotonic()
        self.luck = random.random()  # noqa: S311  # spreads what was opened together

    async def set_type_codec(self, *args: Any, **named: Any) -> None:
        """In a transaction: a pooler may give what is asked in two steps two backends."""
        async with self.transaction():
            await super().set_type_codec(*args, **named)

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> ScopedTransaction:
        self._check_open()
        return ScopedTransaction(self, isolation, readonly, deferrable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a connection is used.

    The backend at its other end remembers what it learns of each schema's tables and gives none
    of it back, so it is replaced after ``schemas`` distinct ones; and after ``seconds``, or up to
    a tenth earlier, whatever it did. It is always asked between two transactions.

    Raises:
        ValueError: nothing could be done in such a life.
    """

    schemas: int = 200
    seconds: float = 1800.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.schemas < 1 or self.seconds <= 0:
            raise ValueError("a connection must be let touch one schema, and live for some time")

    @property
    def of_reads(self) -> Lifetime:
        """For connections that only ever look two tables of a schema up, where others meet all."""
        return replace(self, schemas=10 * self.schemas)

    def is_over(self, connection: ScopedConnection) -> bool:
        """Whether ``connection`` is to be replaced now."""
        age = self.clock() - connection.opened_at
        allotted = self.seconds * (1 - connection.luck / 10)
        return len(connection.schemas_touched) >= self.schemas or age >= allotted

"""Transactions: what waits for their end."""

from __future__ import annotations

from core.db import after_commit, commit
from tests.core.conftest import CoreScopes


async def test_what_waited_for_a_transaction_is_dropped_with_it(scopes: CoreScopes) -> None:
    """Undone, then another committed: only what was asked for in the second one runs."""
    heard: list[str] = []

    async def hear(said: str) -> None:
        heard.append(said)

    async with scopes.databases.session(scopes.acme) as session:
        await session.connection()
        after_commit(session, lambda: hear("undone"))
        await session.rollback()
        await session.connection()
        async with session.begin_nested() as savepoint:
            after_commit(session, lambda: hear("done"))
            await savepoint.rollback()
        await commit(session)
    assert heard == ["done"]

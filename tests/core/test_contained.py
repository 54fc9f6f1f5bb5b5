"""A plugin's code in somebody else's transaction: limits that hold, also one within another."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.contained import Overrun, contained
from tests.core.conftest import CoreScopes

LIMIT = text("SELECT current_setting('statement_timeout')")


async def test_a_limit_within_a_limit_ends_with_the_outer_one(scopes: CoreScopes) -> None:
    """Coming out of the inner part, well or not, the outer one's limit holds again."""
    async with scopes.databases.transaction(scopes.acme) as session:
        usual = await session.scalar(LIMIT)
        async with contained(session, 3):
            async with contained(session, 2):
                assert await session.scalar(LIMIT) == "2s"
            assert await session.scalar(LIMIT) == "3s"
            with pytest.raises(Overrun):
                async with contained(session, 0.1):
                    await session.execute(text("SELECT pg_sleep(0.15)"))
            assert await session.scalar(LIMIT) == "3s"
        assert await session.scalar(LIMIT) == usual

"""A plugin's code within somebody else's transaction: in a savepoint, and for a limited time.

What it wrote before it failed is undone, what the caller wrote is kept. A statement that takes
too long is cancelled by PostgreSQL, which costs the savepoint alone; cancelling the coroutine
in the middle of one would cost the caller's connection, so that comes later, as a last resort.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

_LIMIT: Final = text(
    "SELECT current_setting('statement_timeout'),"
    " set_config('statement_timeout', :milliseconds, true)"
)
_AS_BEFORE: Final = text("SELECT set_config('statement_timeout', :before, true)")
_QUERY_CANCELED: Final = "57014"


class Overrun(Exception):
    """The code took longer than it may."""


@asynccontextmanager
async def contained(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """Within it a failure undoes what was done within it, and comes out as it was raised.

    Raises:
        Overrun: it took longer than ``seconds``: one statement, or everything together twice
            that.
    """
    try:
        async with asyncio.timeout(2 * seconds), session.begin_nested():
            milliseconds = str(int(seconds * 1000))
            before = await session.scalar(_LIMIT, {"milliseconds": milliseconds})
            yield
            # A slot that asks for prices is limited itself, and goes on being.
            await session.execute(_AS_BEFORE, {"before": before})
    except TimeoutError as problem:
        raise Overrun(f"longer than {2 * seconds:g} s") from problem
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) == _QUERY_CANCELED:
            raise Overrun(f"a statement of more than {seconds:g} s") from problem
        raise

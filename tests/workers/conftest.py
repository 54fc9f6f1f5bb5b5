"""The rig, made once, and emptied for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from atrium.testing.servers import Postgres
from tests.workers.rig import Rig


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """By default structlog draws tracebacks with all their variables, which takes a second each."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
async def made_rig(postgres: Postgres, redis_url: str) -> AsyncIterator[Rig]:
    async with Rig.open(postgres, redis_url) as made:
        yield made


@pytest.fixture
async def rig(made_rig: Rig) -> Rig:
    """Two databases, three tenants, no messages."""
    await made_rig.empty()
    return made_rig

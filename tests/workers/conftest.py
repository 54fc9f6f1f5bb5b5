"""The rig, made once, and emptied for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers import Postgres
from tests.workers.rig import Rig


@pytest.fixture(scope="session")
async def made_rig(postgres: Postgres, redis_url: str) -> AsyncIterator[Rig]:
    async with Rig.open(postgres, redis_url) as made:
        yield made


@pytest.fixture
async def rig(made_rig: Rig) -> Rig:
    """Two databases, three tenants, no messages."""
    await made_rig.empty()
    return made_rig

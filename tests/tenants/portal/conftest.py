"""People at the portal, and what the catalogue says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, text

from atrium.testing.site import Site
from atrium.testing.world import World
from tests.tenants.portal.applicant import Applicant


@pytest.fixture
async def applicant(site: Site) -> AsyncIterator[Applicant]:
    """Somebody who begins to sign up."""
    found = Applicant.at(site)
    async with found.client:
        yield found


async def rows(world: World, query: str, **values: Any) -> Sequence[Row[Any]]:
    """What ``query`` finds in tenant zero."""
    async with world.databases.transaction(world.platform) as session:
        return (await session.execute(text(query), values)).all()


async def make(world: World, slug: str) -> UUID:
    """Do what the worker does with the order of ``slug``; the id of the business."""
    found = await rows(
        world,
        "SELECT run.id, tenant_id FROM provisioning_runs AS run JOIN tenants ON"
        " tenants.id = tenant_id WHERE slug = :slug AND state <> 'done' ORDER BY run.id",
        slug=slug,
    )
    for run in found:
        await world.provisioner.run(run.id)
    return UUID(str(found[0].tenant_id))

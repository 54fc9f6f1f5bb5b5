"""The OpenAPI documents, held against what the applications answer, by Schemathesis."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from atrium.testing.servers import Postgres
from atrium.testing.site import Site
from atrium.testing.world import world_of
from bench.stage import ROOT
from core.permissions import Role
from core.scope import Tenant
from tests.attack.loot import Loot
from tests.attack.processes import Web, web

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)

BRIEFLY = ("--phases", "examples,coverage")
AT_LENGTH = ("--phases", "examples,coverage,fuzzing", "--max-examples", "150")


@pytest.fixture(scope="module")
async def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """A web process for the world of this run."""
    async with web(site.world.settings, tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


@pytest.fixture
async def elsewhere(
    site: Site, postgres: Postgres, redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Site, Web]]:
    """A world of its own: operators may suspend and close whom the other tests live with."""
    async with (
        world_of(postgres, redis_url) as world,
        web(world.settings, tmp_path / "web.log") as running,
    ):
        yield replace(site, world=world), running


async def examine(site: Site, server: Web, tenant: Tenant, *options: str) -> None:
    """Let Schemathesis loose on a tenant's API as its owner, with rows of the tenant's own."""
    owner = await site.enrol(tenant, Role.OWNER)
    async with site.world.databases.transaction(tenant) as session:
        token = await site.sessions.begin(session, owner, "api")
    rows = {}
    if not tenant.is_platform:
        rows = {name: str(value) for name, value in (await Loot.of(site, tenant)).ids.items()}
    host = site.world.directory.url_of(tenant, "").partition("://")[2].partition(":")[0]
    asked = [
        *("-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json"),
        *("--header", f"Host: {host}", "--header", f"Authorization: Bearer {token}"),
        *("--checks", ",".join(CHECKS)),
        "--generation-deterministic",
        *("--exclude-operation-id", "ApiV1SessionsCurrentEnd"),  # it would end the session it uses
        *("--suppress-health-check", "all", "--no-color", "--max-failures", "40"),
        *options,
    ]
    known = {
        "SCHEMATHESIS_HOOKS": "tests.attack.schema_hooks",
        "ATRIUM_TEST_ROWS": json.dumps(rows),
    }
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, *asked),
        env={**os.environ, **known, "PYTHONPATH": str(ROOT)},
        cwd=server.log.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await running.communicate()
    print(told.decode())  # noqa: T201
    assert running.returncode == 0, "\n".join([told.decode(), *server.errors()])


async def test_the_tenants_api_is_as_documented(site: Site, server: Web) -> None:
    """No 5xx, no undocumented status, type or shape of an answer, whatever is sent."""
    await examine(site, server, site.world.bravo, *BRIEFLY)


async def test_the_portals_api_is_as_documented(elsewhere: tuple[Site, Web]) -> None:
    """Nor in the portal."""
    site, server = elsewhere
    await examine(site, server, site.world.platform, *BRIEFLY)


@pytest.mark.long
async def test_the_apis_hold_for_long(site: Site, server: Web, elsewhere: tuple[Site, Web]) -> None:
    """Nor when it tries for minutes, on a dedicated tenant too."""
    await examine(site, server, site.world.delta, *AT_LENGTH)
    other, portal = elsewhere
    await examine(other, portal, other.world.platform, *AT_LENGTH)

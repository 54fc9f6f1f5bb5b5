"""Certificates on demand: Debian's Caddy before a real web process, with its own authority."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, select

from atrium.proxy import written
from atrium.testing.world import World
from atrium.up.process import free_port
from core.auth.models import User, UserSession
from core.clock import now
from tenants.domains.models import TenantHost
from tests.tenants.installation import ROOT, environment_of


def caddy() -> str:
    """Debian's Caddy; where it is missing, the test is left out, but never in CI."""
    found = shutil.which("caddy")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("Caddy is missing: .ci/run installs it")
    if found is None:
        pytest.skip("Caddy is not installed here (apt-get install caddy)")
    return found


@dataclass(frozen=True, slots=True)
class Front:
    """What visitors reach."""

    http: int
    https: int
    root: ssl.SSLContext

    def visitor(self) -> httpx.AsyncClient:
        """A browser at 127.0.0.2 that trusts Caddy's authority."""
        transport = httpx.AsyncHTTPTransport(verify=self.root, local_address="127.0.0.2")
        return httpx.AsyncClient(transport=transport, timeout=20)

    async def get(self, host: str, path: str = "/sign-in", **headers: str) -> httpx.Response:
        """What ``host`` answers."""
        async with self.visitor() as client:
            return await client.get(
                f"https://127.0.0.1:{self.https}{path}",
                headers={"host": f"{host}:{self.https}", **headers},
                extensions={"sni_hostname": host},
            )


@pytest.fixture(scope="module")
async def front(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A web process and Caddy before it, both ended by their own ids."""
    program, folder = caddy(), tmp_path_factory.mktemp("caddy")
    web, http, https = free_port(), free_port(), free_port()
    text = written(
        world.settings,
        upstream=f"127.0.0.1:{web}",
        data=str(folder / "data"),
        http_port=http,
        https_port=https,
        options=["skip_install_trust"],
        issuer="internal",
    )
    (folder / "Caddyfile").write_text(text)
    variables = environment_of(world.settings) | {
        "ATRIUM_PORT": str(web),
        "ATRIUM_PUBLIC_SCHEME": "https",
        "ATRIUM_PUBLIC_PORT": str(https),
        "ATRIUM_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    async with (
        process([sys.executable, "-m", "atrium", "web"], variables, web, folder / "web.log"),
        process(
            [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            https,
            folder / "caddy.log",
        ),
    ):
        root = folder / "data/pki/authorities/local/root.crt"
        async with asyncio.timeout(20):
            await _until_there(root)
        yield Front(http, https, ssl.create_default_context(cafile=str(root)))


async def _until_there(path: Path) -> None:
    while True:
        if path.exists():  # noqa: ASYNC240  # in memory
            return
        await asyncio.sleep(0.05)


@asynccontextmanager
async def process(
    arguments: list[str], variables: dict[str, str], port: int, log: Path
) -> AsyncIterator[None]:
    """One that listens on ``port`` while within."""
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *arguments, env=os.environ | variables, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(60):
            while True:
                assert running.returncode is None, f"see {log}"
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
        yield
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


@pytest.fixture
async def proved(world: World) -> AsyncIterator[str]:
    """A domain of acme's own that works."""
    host = f"www.cars-{secrets.token_hex(4)}.example"
    async with world.databases.transaction(world.platform) as session:
        domain = TenantHost(tenant_id=world.acme.id, host=host, token="x", verified_at=now())
        session.add(domain)
    yield host
    async with world.databases.transaction(world.platform) as session:
        await session.execute(delete(TenantHost).where(TenantHost.host == host))


async def test_a_proved_domain_has_a_certificate_and_its_site(front: Front, proved: str) -> None:
    """As have the portal and the subdomains; HSTS speaks for our own names' children alone."""
    answer = await front.get(proved)
    assert answer.status_code == 200
    assert "Acme" in answer.text
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    for ours in ("localhost", "bravo.localhost"):
        answer = await front.get(ours)
        assert answer.status_code == 200
        assert "includeSubDomains" in answer.headers["strict-transport-security"]


async def test_a_domain_that_nobody_proved_gets_no_certificate(front: Front, world: World) -> None:
    """Neither an unknown one nor one that is only claimed: the handshake fails."""
    claimed = f"www.cars-{secrets.token_hex(4)}.example"
    async with world.databases.transaction(world.platform) as session:
        session.add(TenantHost(tenant_id=world.acme.id, host=claimed, token="x"))
    for host in (claimed, "nobody.example", "nobody.localhost"):
        with pytest.raises(httpx.ConnectError, match=r"(?i)ssl|tls"):
            await front.get(host)


async def test_http_leads_to_https_but_for_health(front: Front, proved: str) -> None:
    """With path and query kept."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.http}") as client:
        moved = await client.get("/car-hire?a=b", headers={"host": f"{proved}:{front.http}"})
        assert moved.status_code == 308
        assert moved.headers["location"] == f"https://{proved}:{front.https}/car-hire?a=b"
        health = await client.get("/health/live", headers={"host": proved})
        assert health.status_code == 200


async def test_the_gate_is_the_proxys_alone(front: Front, proved: str) -> None:
    """Through the proxy there is no such address."""
    for path in ("/internal/tls-allowed", "/internal/anything"):
        assert (await front.get(proved, f"{path}?domain={proved}")).status_code == 404


async def test_people_sign_in_over_https_from_their_own_address(
    front: Front, proved: str, world: World
) -> None:
    """The cookie is bound to the host, and what a visitor claims to be is not believed."""
    email = f"{secrets.token_hex(6)}@people.example"
    async with front.visitor() as visitor:
        answer = await visitor.post(
            f"https://127.0.0.1:{front.https}/sign-up",
            data={"name": "Ana", "email": email, "password": "correct horse staple"},
            headers={
                "host": f"{proved}:{front.https}",
                "sec-fetch-site": "same-origin",
                "x-forwarded-for": "203.0.113.7",
            },
            extensions={"sni_hostname": proved},
        )
    assert answer.status_code == 303, answer.text
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "atrium" in c)
    assert cookie.startswith("__Host-atrium=")
    assert "secure" in cookie.lower()
    assert "domain" not in cookie.lower()
    name = cookie.partition(";")[0]
    assert (await front.get(proved, "/account", cookie=name)).status_code == 200
    async with world.databases.transaction(world.acme) as session:
        query = select(UserSession.address).join(User, User.id == UserSession.user_id)
        found = (await session.scalars(query.where(User.email == email))).all()
    assert found == ["127.0.0.2"]

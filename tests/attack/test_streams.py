"""Attacks on every stream of server-sent events, found in the route tables of both applications.

One that is added tomorrow is opened here by an owner of a tenant without being named; where that
does not open it, it fails until ``OPENED`` says who does.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from litestar import Controller, get
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy import delete, update

from atrium.asgi import compose
from atrium.testing.routes import Route, routes
from atrium.testing.site import Site, lifespan_of
from atrium.testing.streams import Stream, reading
from core.auth.authority import LOCAL_COOKIE
from core.auth.models import User
from core.clock import now
from core.ids import new_id
from core.permissions import Role, member, permission, public
from core.plugin import Plugins
from core.scope import Tenant
from core.web import streams
from tenants.imports.models import ArchiveUpload
from tenants.lifecycle import disable_plugin, serving, suspend
from tenants.models import Membership
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ("core", "tenants", "workers", "plugins", "atrium")
SOON: Final = 4.0
_KNOWING: Final = frozenset({"streams.py", "guard.py"})
"""What watches streams, and what knows by the name that browsers ask for one by themselves."""


async def _ticks() -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(data="the first")
    await asyncio.sleep(600)  # and no sign of life after it: an end must not wait for one


class Ticks(Controller):
    """Streams as a product might have them, which know nothing of their end."""

    path = "/car-hire/ticks"
    include_in_schema = False

    @get("/everybody", access=public)
    async def everybody(self) -> ServerSentEvent:
        return ServerSentEvent(_ticks())

    @get("/members", access=member)
    async def members(self) -> ServerSentEvent:
        return ServerSentEvent(_ticks())

    @get("/desk", access=permission("car_hire.desk"))
    async def desk(self) -> ServerSentEvent:
        return ServerSentEvent(_ticks())


@pytest.fixture(scope="module")
async def planted(site: Site) -> AsyncIterator[Site]:
    """The site with a product that streams."""
    working = dict(site.world.plugins.working)
    mine = working["car_hire"]
    held = mine.permissions[0].name
    Ticks.desk.opt["access"] = permission(held)
    working["car_hire"] = replace(mine, controllers=(*mine.controllers, Ticks))
    edge = compose(site.world.settings, Plugins(working))
    async with lifespan_of(edge):
        yield Site(edge, site.world, edge.tenants.state["authority"].sessions)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.1)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read a stream, and where it is for them."""

    client: httpx.AsyncClient
    path: str
    tenant: Tenant

    def reading(self, site: Site) -> AbstractAsyncContextManager[Stream]:
        """The stream, while within."""
        return reading(site.edge, self.client, self.path)  # type: ignore[arg-type]  # an ASGI application


async def operator(site: Site, route: Route) -> Reader:
    """Staff of tenant zero."""
    platform = site.world.platform
    return Reader(await site.person(platform, Role.STAFF), route.at(), platform)


async def applicant(site: Site, route: Route) -> Reader:
    """Whose business is being made, and no worker comes to do it."""
    found = Applicant.at(site)
    await found.fill()
    made = await found.submit()
    business = UUID(made.headers["location"].split("/")[2])
    return Reader(found.client, route.at({"business_id": business}), site.world.platform)


async def exporter(site: Site, route: Route) -> Reader:
    """Whose business is being written to an archive, likewise."""
    found = Applicant.at(site)
    await found.fill()
    await found.submit()
    business = await make(site.world, found.slug)
    asked = await found.client.post(
        f"/businesses/{business}/upkeep/export", data={"passphrase": "a passphrase, long enough"}
    )
    assert asked.status_code == 303, asked.text
    return Reader(found.client, route.at({"business_id": business}), site.world.platform)


async def uploader(site: Site, route: Route) -> Reader:
    """Whose archive is being checked, likewise."""
    world = site.world
    account = await site.enrol(world.platform, Role.MEMBER)
    upload = ArchiveUpload(
        id=new_id(), account_id=account, locale="en", state="checking", expires_at=now()
    )
    async with world.databases.transaction(world.platform) as session:
        session.add(upload)
        secret = await site.sessions.begin(session, account)
    client = site.visitor(world.platform)
    client.cookies.set(LOCAL_COOKIE, secret)
    return Reader(client, route.at({"upload_id": upload.id}), world.platform)


async def owner(site: Site, route: Route) -> Reader:
    """An owner of a business: who may read what is not named below."""
    tenant = site.world.acme
    return Reader(await site.person(tenant, Role.OWNER), route.at({}), tenant)


async def lonely(site: Site, route: Route) -> Reader:
    """Likewise, of a business of the test's own."""
    tenant = await site.world.provision()
    return Reader(await site.person(tenant, Role.OWNER), route.at({}), tenant)


Opener = Callable[[Site, Route], Awaitable[Reader]]
OPENED: Final[Mapping[str, Opener]] = {
    "GET /operator/migrations/events": operator,
    "GET /businesses/{business_id}/progress/events": applicant,
    "GET /businesses/{business_id}/upkeep/export/events": exporter,
    "GET /imports/{upload_id}/events": uploader,
}
"""Who may read each stream of the platform, and such of the tenants' as name a row."""


def tables(site: Site) -> list[Route]:
    """Every stream there is; one of core's is in both tables."""
    found = [*routes(site.edge.tenants), *routes(site.edge.platform)]
    return list({str(each): each for each in found if each.streams}.values())


async def opened(site: Site, route: Route, otherwise: Opener = owner) -> Reader:
    """Somebody who reads ``route``; that they can is tried first."""
    reader = await OPENED.get(str(route), otherwise)(site, route)
    async with reader.reading(site) as stream:
        assert stream.is_stream, f"{route}: say in OPENED who may read it ({stream.status})"
    return reader


def test_no_stream_hides_from_the_table() -> None:
    """What answers events says so in its signature, or nobody would attack it."""
    for folder in SOURCE:
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            if file.name in _KNOWING or "testing" in file.parts:
                continue
            assert "text/event-stream" not in text, f"{file}: answer ServerSentEvent"
            for each in ast.walk(ast.parse(text)):
                if isinstance(each, ast.Call) and ast.unparse(each.func) == "ServerSentEvent":
                    line = f"return {ast.get_source_segment(text, each)}"
                    assert line in text, f"{file}: return it from the handler: {line}"


def test_every_handler_that_makes_a_stream_is_in_a_table(site: Site) -> None:
    """As many as there are in the source."""
    made = 0
    for folder in SOURCE:
        for file in (ROOT / folder).rglob("*.py"):
            if "testing" not in file.parts:
                made += file.read_text().count("-> ServerSentEvent:")
    assert made == len(tables(site)) >= 3
    assert set(OPENED) <= set(map(str, tables(site))), "OPENED names one that is gone"


async def test_only_its_reader_gets_in(planted: Site) -> None:
    """Nobody, the owner of another tenant here, their session, and a session that is over."""
    site, world = planted, planted.world
    for route in tables(site):
        if route.access.kind == "public":
            continue
        reader = await opened(site, route)
        thieves = [site.visitor(reader.tenant)]
        for other in (world.bravo, world.delta):
            stranger = await site.person(other, Role.OWNER)
            thief = site.visitor(reader.tenant)
            thief.cookies.update(stranger.cookies)
            thieves.append(thief)
        if "{" in route.path or route.access.kind == "permission":
            thieves.append(await site.person(reader.tenant, Role.MEMBER))
        for thief in thieves:
            async with reading(site.edge, thief, reader.path) as stream:  # type: ignore[arg-type]  # likewise
                assert stream.status in {303, 401, 403, 404}, f"{route}: {stream.status}"
                assert await stream.ends(SOON), route
        await reader.client.post("/sign-out")
        async with reader.reading(site) as stream:
            assert stream.status in {303, 401, 403, 404}, f"{route}: {stream.status}"


async def test_a_stream_of_a_business_ends_with_the_membership(planted: Site) -> None:
    """The session goes on, at the portal; the business is somebody else's."""
    world = planted.world
    for route in tables(planted):
        if "business_id" not in route.parameters:
            continue
        reader = await opened(planted, route)
        business = UUID(reader.path.split("/")[2])
        async with reader.reading(planted) as stream:
            async with world.databases.transaction(world.platform) as session:
                await session.execute(delete(Membership).where(Membership.tenant_id == business))
            assert await stream.ends(SOON), f"{route} goes on for whoever is no member any more"


async def test_a_stream_goes_on_for_whoever_may_read_it(planted: Site) -> None:
    """Being watched ends none."""
    for route in tables(planted):
        reader = await opened(planted, route)
        async with reader.reading(planted) as stream:
            assert not await stream.ends(0.7), f"{route}: {stream.text}"


async def test_a_stream_ends_with_its_session(planted: Site) -> None:
    """Signing out in another window is enough; it is not the stream's to notice."""
    for route in tables(planted):
        reader = await opened(planted, route)
        async with reader.reading(planted) as stream:
            assert stream.is_stream
            answer = await reader.client.post("/sign-out")
            assert answer.status_code == 303
            assert await stream.ends(SOON), f"{route} goes on for whoever has signed out"


async def test_a_stream_ends_when_its_tenant_rests(planted: Site) -> None:
    """Nothing of a suspended tenant is served."""
    for route in tables(planted):
        if str(route) in OPENED:
            continue  # the platform's: it never rests
        reader = await opened(planted, route, lonely)
        async with reader.reading(planted) as stream:
            await _suspended(planted, reader.tenant)
            assert await stream.ends(SOON), f"{route} goes on at a suspended tenant"


async def _suspended(site: Site, tenant: Tenant) -> None:
    async with site.world.databases.transaction(site.world.platform) as session:
        await suspend(session, site.world.signals, tenant.id)


async def test_a_stream_ends_with_its_product(planted: Site) -> None:
    """Below a product's prefix."""
    world, ended = planted.world, 0
    for route in tables(planted):
        for product in world.plugins:
            if not route.below(product.prefix):
                continue
            reader = await opened(planted, route, lonely)
            async with reader.reading(planted) as stream:
                async with world.databases.transaction(world.platform) as session:
                    await disable_plugin(session, world.signals, reader.tenant.id, product.name)
                assert await stream.ends(SOON), f"{route} goes on without {product.name}"
            ended += 1
    assert ended == 3


async def test_a_stream_ends_with_the_permission(planted: Site) -> None:
    """Who becomes a customer reads no desk's stream any more."""
    world = planted.world
    tenant = await world.provision()
    for path, role in [("desk", Role.ADMIN), ("members", Role.STAFF)]:
        user_id = await planted.enrol(tenant, role)
        async with world.databases.transaction(tenant) as session:
            token = await planted.sessions.begin(session, user_id)
        client = planted.visitor(tenant, cookie=f"atrium={token}")
        async with reading(planted.edge, client, f"/car-hire/ticks/{path}") as stream:  # type: ignore[arg-type]  # likewise
            assert stream.is_stream
            async with world.databases.transaction(tenant) as session:
                changed: dict[str, Any] = {"role": Role.MEMBER.value}
                await session.execute(update(User).where(User.id == user_id).values(changed))
                planted.sessions.forget_after(session, user_id)
            assert await stream.ends(SOON if path == "desk" else 0.7) == (path == "desk")


async def test_maintenance_ends_streams_of_customers_alone(planted: Site) -> None:
    """Staff go on."""
    world = planted.world
    tenant = await world.provision()
    customer = await planted.person(tenant, Role.MEMBER)
    colleague = await planted.person(tenant, Role.STAFF)
    path = "/car-hire/ticks/members"
    app: Any = planted.edge
    async with reading(app, customer, path) as theirs, reading(app, colleague, path) as ours:
        assert theirs.is_stream
        assert ours.is_stream
        async with world.databases.transaction(world.platform) as session:
            await serving.begin_maintenance(session, world.signals, tenant.id, "soon")
        assert await theirs.ends(SOON)
        assert not await ours.ends(0.3)

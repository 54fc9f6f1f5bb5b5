"""The same key, the same answer, one effect."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from litestar.types import Receive, Scope, Send
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.auth.identity import Identity
from core.db import Databases, outside
from core.errors import Conflict
from core.ids import new_id
from core.permissions import Role, public
from core.scope import Tenant
from core.web import idempotency, unit
from core.web.bodies import StructBodies
from core.web.problems import exception_handlers
from tests.core.conftest import CoreScopes

ANA, BEA = (
    Identity(
        user_id=new_id(),
        name=name,
        email=f"{name}@example.com",
        role=Role.MEMBER,
        permissions=frozenset(),
        session_id=new_id(),
    )
    for name in ("ana", "bea")
)


class Order(msgspec.Struct):
    """``how`` steers the handler."""

    note: str
    how: str = "plain"


async def recognise(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard that believes what is said."""
    identity.become(BEA if connection.headers.get("x-person") == "bea" else ANA)


async def one_effect(session: AsyncSession, note: str) -> None:
    """A row that can be counted."""
    await session.execute(
        text(
            "INSERT INTO mails (id, template, recipient, locale, subject, text, state, attempts)"
            " VALUES (:id, :note, '', 'en', '', '', 'caught', 0)"
        ),
        {"id": new_id(), "note": note},
    )


@post("/api/v1/orders", access=public, idempotent=True)
async def order(session: NamedDependency[AsyncSession], data: JSONBody[Order]) -> dict[str, str]:
    """Take effect, in the way asked for."""
    await one_effect(session, data.note)
    if data.how == "refuse":
        raise Conflict
    if data.how == "crash":
        raise RuntimeError("on purpose")
    if data.how in {"outside", "outside-refuse", "outside-crash"}:
        await outside(session, lambda: asyncio.sleep(0.3))
        if data.how == "outside-refuse":
            raise Conflict
        if data.how == "outside-crash":
            raise RuntimeError("on purpose")
    if data.how == "slow":
        await asyncio.sleep(0.5)
    return {"id": str(new_id())}


class Shop:
    """The route above behind the real transaction edge."""

    def __init__(self, databases: Databases, tenant: Tenant) -> None:
        self.databases, self.tenant = databases, tenant
        self.app = Litestar(
            [order],
            dependencies={"session": Provide(_session, sync_to_thread=False)},
            guards=[recognise],
            middleware=[idempotency.recorded],
            before_request=idempotency.reserve,
            exception_handlers=exception_handlers,
            plugins=[StructBodies()],
            openapi_config=None,
            state=State(),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await unit.serve(self.app, self.databases, self.tenant, scope, receive, send)

    async def ask(self, key: str | None, person: str = "ana", **body: str) -> httpx.Response:
        """Order something."""
        headers = {"x-person": person} | ({"idempotency-key": key} if key else {})
        transport = httpx.ASGITransport(self)  # type: ignore[arg-type]  # the same protocol
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.post("/api/v1/orders", json=body, headers=headers)

    async def effects(self, note: str) -> int:
        """How often it took effect."""
        async with self.databases.transaction(self.tenant) as session:
            question = text("SELECT count(*) FROM mails WHERE template = :note")
            found: int = (await session.execute(question, {"note": note})).scalar_one()
            return found


def _session(request: Request[Any, Any, Any]) -> AsyncSession:
    session: AsyncSession = request.scope["state"]["session"]
    return session


@pytest.fixture(params=["acme", "delta"])
def shop(scopes: CoreScopes, request: pytest.FixtureRequest) -> Shop:
    """In a pooled and in a dedicated tenant."""
    return Shop(scopes.databases, getattr(scopes, request.param))


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return new_id().hex


async def test_a_repeated_request_gets_the_first_answer(shop: Shop, key: str) -> None:
    """The second answer is the first one, marked as such, and nothing happens twice."""
    first = await shop.ask(key, note=key)
    second = await shop.ask(key, note=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await shop.effects(key) == 1


async def test_a_kept_answer_is_sealed(shop: Shop, key: str) -> None:
    """What an answer says of a person does not lie open in the table of keys."""
    first = await shop.ask(key, note=key)
    async with shop.databases.transaction(shop.tenant) as session:
        question = text("SELECT body FROM idempotency_keys WHERE key = :key")
        body: bytes = (await session.execute(question, {"key": key})).scalar_one()
    assert first.json()["id"].encode() not in bytes(body)


async def test_without_a_key_every_request_counts(shop: Shop, key: str) -> None:
    """No key, no memory."""
    await shop.ask(None, note=key)
    await shop.ask(None, note=key)
    assert await shop.effects(key) == 2


async def test_a_key_belongs_to_one_request_and_one_person(shop: Shop, key: str) -> None:
    """Another body is refused; another person's request is another request."""
    await shop.ask(key, note=key)
    other_body = await shop.ask(key, note="something else")
    other_person = await shop.ask(key, person="bea", note=key)
    assert other_body.status_code == 422
    assert other_body.json()["code"] == "idempotency_key_reused"
    assert other_person.status_code == 201
    assert "idempotency-replayed" not in other_person.headers


@pytest.mark.parametrize("how", ["slow", "outside"])
async def test_ten_at_once_take_effect_once(shop: Shop, key: str, how: str) -> None:
    """While the first is being worked on the others get 409, also when it commits midway."""
    answers = await asyncio.gather(*(shop.ask(key, note=key, how=how) for _ in range(10)))
    statuses = sorted(each.status_code for each in answers)
    assert statuses == [201] + [409] * 9
    refused = next(each for each in answers if each.status_code == 409)
    assert refused.json()["code"] == "idempotency_in_progress"
    assert await shop.effects(key) == 1
    again = await shop.ask(key, note=key, how=how)
    assert again.status_code == 201
    assert await shop.effects(key) == 1


@pytest.mark.parametrize("how", ["refuse", "crash"])
async def test_what_was_undone_may_be_tried_again(shop: Shop, key: str, how: str) -> None:
    """A request that failed as a whole leaves no trace, so the same key works later."""
    first = await shop.ask(key, note=key, how=how)
    assert first.status_code in {409, 500}
    assert await shop.effects(key) == 0
    second = await shop.ask(key, note=key, how="plain")
    assert second.status_code == 201
    assert await shop.effects(key) == 1


async def test_a_refusal_after_a_midway_commit_is_the_answer(shop: Shop, key: str) -> None:
    """What was refused after something had become durable is refused again, not redone."""
    first = await shop.ask(key, note=key, how="outside-refuse")
    second = await shop.ask(key, note=key, how="outside-refuse")
    assert (first.status_code, second.status_code) == (409, 409)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json()["code"] == "conflict"
    assert await shop.effects(key) == 1


async def test_an_interrupted_request_is_not_redone(shop: Shop, key: str) -> None:
    """After a crash midway the key answers 409, and after five minutes says why."""
    await shop.ask(key, note=key, how="outside-crash")
    soon = await shop.ask(key, note=key, how="outside-crash")
    async with shop.databases.transaction(shop.tenant) as session:
        await session.execute(
            text(
                "UPDATE idempotency_keys SET created_at = now() - interval '6 minutes'"
                " WHERE key = :key"
            ),
            {"key": key},
        )
    later = await shop.ask(key, note=key, how="outside-crash")
    assert (soon.status_code, later.status_code) == (409, 409)
    assert soon.json()["code"] == "idempotency_in_progress"
    assert later.json()["code"] == "idempotency_interrupted"
    assert await shop.effects(key) == 1


@pytest.mark.parametrize("bad", ["", "a b", "x" * 201])
async def test_a_malformed_key_is_refused(shop: Shop, bad: str) -> None:
    """Spaces and endless keys get 422, naming the header."""
    answer = await shop.ask(bad or " ", note="n")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"

"""A shop: a tenant whose account at the Stripe stand-in is connected."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import new_id
from core.money import Money
from core.payments import gateway
from core.payments.models import Payment
from core.payments.services import Payments, accounts
from core.payments.stripe_gateway import StripeGateway
from core.payments.tasks import ACTORS
from core.scope import Tenant
from tests.core.conftest import CoreScopes
from tests.standin.conftest import StandIn, _running, free_port, standin

__all__ = ["_running", "standin"]

T = TypeVar("T")
PRICE = Money.of("100.00", "EUR")
_BODIES = {actor.name: actor.body for actor in ACTORS}


@dataclass
class Shop:
    """A tenant that takes cards, one thing on sale, and the stand-in behind it."""

    scopes: CoreScopes
    tenant: Tenant
    standin: StandIn
    key: str
    account_ref: str = ""
    subject: UUID = field(default_factory=new_id)

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction as the edge would open it."""
        return self.scopes.databases.transaction(self.tenant)

    async def do(self, act: Callable[[Payments], Awaitable[T]]) -> T:
        """One request's worth of work."""
        async with self.transaction() as session:
            return await act(Payments(session))

    async def pay(
        self, method: str = "pm_card_visa", amount: Money = PRICE, return_url: str | None = None
    ) -> Payment:
        """Authorise the price of the thing."""
        return await self.do(
            lambda payments: payments.authorise(
                subject_type="thing",
                subject_id=self.subject,
                amount=amount,
                method=method,
                description="A thing",
                return_url=return_url,
            )
        )

    async def state(self, payment_id: UUID) -> str:
        """Where the payment stands."""
        return (await self.do(lambda payments: payments.get(payment_id))).state

    async def all(self) -> list[Payment]:
        """Every payment of the thing."""
        return list(await self.do(lambda payments: payments.of("thing", self.subject)))

    async def sql(self, query: str, *args: object) -> list[Any]:
        """What an administrator sees, in the tenant's schema."""
        connection = await asyncpg.connect(self.scopes.shared.superuser_dsn)
        try:
            await connection.execute(f"SET search_path = {self.tenant.scope.name}")
            return list(await connection.fetch(query, *args))
        finally:
            await connection.close()

    async def run_jobs(self, *, due_only: bool = False) -> int:
        """Run the payments' jobs that are waiting, once each; how many."""
        rows = await self.sql(
            "UPDATE outbox.messages SET state = 'done' WHERE tenant = $1 AND state = 'pending'"
            " AND actor LIKE 'core.payments.%' AND (NOT $2 OR due_at <= now())"
            " RETURNING actor, args",
            self.tenant.id,
            due_only,
        )
        for actor, args in rows:
            await self.run(actor, json.loads(args))
        return len(rows)

    async def run(self, actor: str, args: dict[str, str]) -> None:
        """Run one job, as the worker would."""
        async with self.transaction() as session:
            await _BODIES[actor](session, **_typed(args))

    async def told(self) -> list[tuple[str, str]]:
        """The events emitted about the thing, as (name, amount), in order."""
        rows = await self.sql(
            "SELECT args FROM outbox.messages WHERE tenant = $1 AND actor = 'core.fan_out'"
            " AND args->'body'->>'subject_id' = $2 ORDER BY put_at",
            self.tenant.id,
            str(self.subject),
        )
        said = [json.loads(args) for (args,) in rows]
        return [(each["event"], f"{float(each['body']['amount']):.2f}") for each in said]

    async def at_stripe(self) -> list[dict[str, Any]]:
        """The PaymentIntents that the stand-in holds for this shop."""
        async with httpx.AsyncClient(
            base_url=self.standin.base, headers={"Authorization": f"Bearer {self.key}"}
        ) as http:
            reply = await http.get("/v1/payment_intents", params={"limit": 100})
            found: list[dict[str, Any]] = reply.json()["data"]
            return found

    async def authenticate(self, payment: Payment, *, success: bool) -> None:
        """What the page script does when the cardholder has answered the bank."""
        async with httpx.AsyncClient(base_url=self.standin.base) as browser:
            await browser.post(
                f"/v1/payment_intents/{payment.provider_ref}/_authenticate",
                params={"success": str(success).lower()},
                json={
                    "key": self.key.replace("sk_", "pk_"),
                    "client_secret": payment.client_secret,
                },
            )


def _typed(args: dict[str, str]) -> dict[str, object]:
    return {name: UUID(value) if name != "event_id" else value for name, value in args.items()}


@pytest.fixture
def public_url() -> str:
    """Where webhooks would come; nobody listens unless a test says else."""
    return f"http://localhost:{free_port()}"


@pytest.fixture
async def stripe(standin: StandIn, public_url: str) -> AsyncIterator[StripeGateway]:
    """A gateway to the stand-in, quick to give up."""
    made = StripeGateway(
        api_base=standin.base,
        script_url=f"{standin.base}/js.stripe.com/v3/",
        public_url=public_url,
        timeout=httpx.Timeout(2.0),
        retry_for=4.0,
    )
    gateway.install(made)
    yield made
    await made.close()


@pytest.fixture
async def shop(scopes: CoreScopes, standin: StandIn, stripe: StripeGateway) -> Shop:
    """A shop with a connected account of its own."""
    made = Shop(scopes, scopes.acme, standin, f"sk_test_{secrets.token_hex(8)}")
    async with made.transaction() as session:
        account = await accounts.connect(
            session, publishable_key=made.key.replace("sk_", "pk_"), secret_key=made.key
        )
        made.account_ref = account.account_ref
    return made

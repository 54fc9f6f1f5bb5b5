"""Asking the provider: with no transaction open, and every ending made a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.money import Money
from core.payments.models import Payment, PaymentOperation
from core.payments.provider import (
    Declined,
    Order,
    OutcomeUnknown,
    Provider,
    ProviderUnavailable,
    Refunded,
    Refused,
    Snapshot,
)
from core.payments.services.settle import Outcome


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be the same when an operation is asked for again with its key."""

    method: str = ""
    return_url: str | None = None
    save: bool = False
    customer: str = ""
    ref: str = ""
    before: str = msgspec.field(default="", name="from")
    """The state it returns to when it was certainly not done."""


def written(request: Request) -> dict[str, Any]:
    """The request as the operation's row keeps it."""
    kept: dict[str, Any] = msgspec.to_builtins(request)
    return kept


async def ask(
    session: AsyncSession, provider: Provider, payment: Payment, operation: PaymentOperation
) -> Outcome:
    """Ask for ``operation``, or ask again: its key makes it happen once."""
    return await outside(session, _Asking(provider, payment, operation))


class _Asking:
    """The call, with everything it needs read before the transaction ended."""

    def __init__(self, provider: Provider, payment: Payment, operation: PaymentOperation) -> None:
        self._provider = provider
        self._kind = operation.kind
        self._key = operation.key
        self._amount = Money(operation.amount, payment.currency)
        self._request = msgspec.convert(operation.request, Request)
        self._order = self._order_of(payment.id, payment.description)

    async def __call__(self) -> Outcome:
        calls: dict[str, Callable[[], Awaitable[Snapshot | Refunded]]] = {
            "authorise": lambda: self._provider.authorise(self._order, self._key),
            "capture": lambda: self._provider.capture(self._request.ref, self._amount, self._key),
            "void": lambda: self._provider.void(self._request.ref, self._key),
            "refund": lambda: self._provider.refund(self._request.ref, self._amount, self._key),
        }
        try:
            return await calls[self._kind]()
        except (Declined, Refused, ProviderUnavailable, OutcomeUnknown) as ending:
            return ending

    def _order_of(self, payment_id: UUID, description: str) -> Order:
        return Order(
            payment_id=payment_id,
            amount=self._amount,
            method=self._request.method,
            description=description,
            return_url=self._request.return_url,
            save=self._request.save,
            customer=self._request.customer,
        )

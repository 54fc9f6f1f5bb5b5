"""What is left to an account that has not accepted the operator's terms in time.

It may read, accept, take its data along, close, and look after itself; everything else that it
could change at the portal waits. Customers of a business are asked where they buy instead
(``core.terms.accepted_now``): what they have paid for already must not wait for anything.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.permissions import public
from core.scope import Tenant
from core.terms import services

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN: Final = ("/account", "/terms/", "/api/v1/sessions")
BEFORE_TERMS: Final = "before_terms"
"""Given as True to a route that is open even so: ``@post(…, before_terms=True)``."""


async def not_overdue(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Insist that whoever changes something at the portal has accepted what is binding.

    Raises:
        TermsDue
    """
    tenant: Tenant = connection.scope["state"]["tenant"]
    if not tenant.is_platform or connection.scope.get("method") in SAFE:
        return
    if handler.opt.get("access") == public or handler.opt.get(BEFORE_TERMS):
        return
    person = identities.current()
    if person is None or person.machine or connection.scope["path"].startswith(OPEN):
        return
    session: AsyncSession = connection.scope["state"]["session"]
    await services.insist_not_overdue(session, person)

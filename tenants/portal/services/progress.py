"""How the making of a business goes, in words, and as it goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from core.db import Databases
from core.i18n import LazyText, _, fill
from core.plugin import Plugins
from core.scope import Tenant
from core.signals import Signals
from tenants.changes import CHANNEL
from tenants.portal.services import businesses
from tenants.runs import Progress, Step, progress

LOOK_EVERY: Final = 0.25
LOOK_SLOWLY: Final = 1.0
SLOW_AFTER: Final = 10.0
GIVE_UP_AFTER: Final = 300.0
"""Seconds; the browser then asks again."""
OVER: Final = frozenset({"done", "failed"})

_TITLES: Final = {
    "role": _("Setting aside a private place for your data"),
    "schema": _("Closing it to everybody else"),
    "tables": _("Laying out the tables of your products"),
    "snapshot": _("Taking a picture of the original"),
    "layout": _("Laying out the tables of your products"),
    "load": _("Putting everything in its place"),
    "discard": _("Clearing up"),
    "key": _("Making your own encryption key"),
    "owner": _("Letting you in as the owner"),
    "activate": _("Opening the doors"),
}


def title(step: Step, products: Plugins) -> LazyText | str:
    """What a step does, in human words."""
    kind, _colon, name = step.name.partition(":")
    if kind == "remove":
        product = products.working.get(name)
        return fill(_("Removing {product}"), product=product.title if product else name)
    if kind == "seed":
        product = products.working.get(name)
        return fill(_("Preparing {product}"), product=product.title if product else name)
    return _TITLES.get(kind, step.name)


async def follow(
    databases: Databases,
    signals: Signals,
    platform: Tenant,
    account_id: UUID,
    business_id: UUID,
    run_id: UUID,
) -> AsyncIterator[Progress]:
    """A run whenever it has moved, until it is over or the account is no member of the business
    any more; no connection is held in between. That the business is open is heard at once, its
    steps are looked at now and then."""
    begun = time.monotonic()
    before: Progress | None = None
    with signals.hearing(CHANNEL, str(business_id)) as changed:
        while (waited := time.monotonic() - begun) < GIVE_UP_AFTER:
            changed.clear()
            async with databases.transaction(platform) as session:
                if await businesses.role_of(session, account_id, business_id) is None:
                    return
                found = await progress(session, run_id)
            if found != before:
                yield found
                before = found
            if found.state in OVER:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY if waited < SLOW_AFTER else LOOK_SLOWLY):
                    await changed.wait()

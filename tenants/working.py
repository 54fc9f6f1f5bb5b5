"""How the commands work: open the workshop and do one thing there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.settings import Settings
from core.signals import Signals
from tenants.models import TenantRecord
from tenants.running import run
from tenants.workshop import Workshop, workshop

Change = Callable[[AsyncSession, Signals, UUID], Awaitable[object]]


@click.group()
def tenants() -> None:
    """Look after tenants: list, suspend, rename, copy, close, give and take products."""


def with_workshop(work: Callable[[Workshop], Awaitable[None]]) -> None:
    """Do ``work`` in a workshop of this process, by the settings of its environment."""

    async def inside(settings: Settings) -> None:
        async with workshop(settings) as shop:
            await work(shop)

    run(inside)


def change(slug: str, change: Change, needs: Iterable[str] = ()) -> None:
    """Apply ``change`` to the tenant at ``slug`` in one transaction of tenant zero; ``needs``
    are plugins that must work here."""

    async def work(shop: Workshop) -> None:
        if absent := [name for name in needs if name not in shop.plugins.working]:
            raise click.ClickException(f"there is no working plugin {', '.join(absent)}")
        async with shop.databases.transaction(shop.platform) as session:
            await change(session, shop.signals, await id_of(session, slug))

    with_workshop(work)


async def id_of(session: AsyncSession, slug: str) -> UUID:
    """The tenant at ``slug``.

    Raises:
        ClickException: there is none.
    """
    found = await session.scalar(select(TenantRecord.id).where(TenantRecord.slug == slug))
    if found is None:
        raise click.ClickException(f"there is no tenant {slug}")
    return found

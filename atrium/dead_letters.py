"""``atrium jobs``: the jobs that were given up, for whoever runs the installation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import click

from core import crypto
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.dead_letters import DeadLetters
from core.settings import Settings
from tenants.roster import Roster


@click.group()
def jobs() -> None:
    """Look after jobs that were given up."""


@jobs.command()
@click.option("--tenant", type=click.UUID, help="Only this tenant's.")
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
def dead(tenant: UUID | None, limit: int) -> None:
    """List dead letters: id, when, whose, which job, after how many attempts, why."""

    async def show(letters: DeadLetters) -> None:
        found = await letters.latest(tenant=tenant, limit=limit)
        for each in found:
            died = each.died_at.isoformat(timespec="seconds")
            click.echo(
                f"{each.id}  {died}  {each.tenant}  {each.actor}  {each.attempts}  {each.error}"
            )
        if not found:
            click.echo("No dead letters.")

    _with_letters(show)


@jobs.command()
@click.argument("message", type=click.UUID)
def retry(message: UUID) -> None:
    """Try a dead letter again, with all its attempts."""

    async def again(letters: DeadLetters) -> None:
        _require(await letters.retry(message), message)
        click.echo("It will be tried again.")

    _with_letters(again)


@jobs.command()
@click.argument("message", type=click.UUID)
def discard(message: UUID) -> None:
    """Give a job up for good, and forget its arguments."""

    async def drop(letters: DeadLetters) -> None:
        _require(await letters.discard(message), message)
        click.echo("It will not be done.")

    _with_letters(drop)


def _require(found: bool, message: UUID) -> None:
    if not found:
        raise click.ClickException(f"no such dead letter: {message}")


def _with_letters(work: Callable[[DeadLetters], Awaitable[None]]) -> None:
    settings = Settings.from_environment()
    crypto.install(KeyRing(MasterKeys.load(settings.master_key_file)))

    async def run() -> None:
        databases = Databases(pool_size=1)
        try:
            await work(DeadLetters(Roster(settings, databases)))
        finally:
            await databases.dispose()

    asyncio.run(run())

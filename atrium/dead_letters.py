"""``atrium jobs``: the jobs that were given up, for whoever runs the installation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncSession

from core import crypto
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.dead_letters import DeadLetters
from core.errors import NotFound
from core.settings import Settings
from tenants.databases import platform
from tenants.operator.services import jobs as acts
from tenants.roster import Roster

_TENANT = click.option("--tenant", type=click.UUID, help="Only this tenant's.")
_ACTOR = click.option("--actor", default="", help="Only this job, such as car_hire.remind.")


@click.group()
def jobs() -> None:
    """Look after jobs that were given up."""


@jobs.command()
@_TENANT
@_ACTOR
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
def dead(tenant: UUID | None, actor: str, limit: int) -> None:
    """List dead letters: id, when, whose, which job, after how many attempts, why."""

    async def show(_session: AsyncSession, letters: DeadLetters) -> None:
        found = await letters.latest(tenant=tenant, actor=actor, limit=limit)
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

    async def again(session: AsyncSession, letters: DeadLetters) -> None:
        with _found(message):
            await acts.retry(session, letters, message)
        click.echo("It will be tried again.")

    _with_letters(again)


@jobs.command("retry-all")
@_TENANT
@_ACTOR
@click.confirmation_option(prompt="All dead letters that match are tried again. Go on?")
def retry_all(tenant: UUID | None, actor: str) -> None:
    """Try all dead letters again, or those of one tenant or job."""

    async def again(session: AsyncSession, letters: DeadLetters) -> None:
        click.echo(f"{await acts.retry_all(session, letters, tenant, actor)} will be tried again.")

    _with_letters(again)


@jobs.command("discard-all")
@_TENANT
@_ACTOR
@click.confirmation_option(prompt="All dead letters that match are never done. Go on?")
def discard_all(tenant: UUID | None, actor: str) -> None:
    """Give all dead letters up for good, or those of one tenant or job."""

    async def drop(session: AsyncSession, letters: DeadLetters) -> None:
        click.echo(f"{await acts.discard_all(session, letters, tenant, actor)} will not be done.")

    _with_letters(drop)


@jobs.command()
@click.argument("message", type=click.UUID)
def discard(message: UUID) -> None:
    """Give a job up for good, and forget its arguments."""

    async def drop(session: AsyncSession, letters: DeadLetters) -> None:
        with _found(message):
            await acts.discard(session, letters, message)
        click.echo("It will not be done.")

    _with_letters(drop)


@contextmanager
def _found(message: UUID) -> Iterator[None]:
    try:
        yield
    except NotFound as problem:
        raise click.ClickException(f"no such dead letter: {message}") from problem


def _with_letters(work: Callable[[AsyncSession, DeadLetters], Awaitable[None]]) -> None:
    settings = Settings.from_environment()
    crypto.install(KeyRing(MasterKeys.load(settings.master_key_file)))

    async def run() -> None:
        databases = Databases(pool_size=2)
        try:
            async with databases.transaction(platform(settings)) as session:
                await work(session, DeadLetters(Roster(settings, databases)))
        finally:
            await databases.dispose()

    asyncio.run(run())

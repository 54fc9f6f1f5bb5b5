"""``atrium operators …``: who may use the console, and the tokens of their programs."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import click

from core.auth.sessions import SessionCache, Sessions
from tenants.operator import people, tokens
from tenants.working import with_workshop
from tenants.workshop import Workshop


@click.group()
def operators() -> None:
    """Say who runs this installation, and make tokens for their programs."""


@operators.command()
@click.argument("email")
@click.option("--name", default="", help="What they are called, if they have no account yet.")
def add(email: str, name: str) -> None:
    """Let a portal account use the operator console at /operator."""

    async def grant(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            granted = await people.grant(session, _sessions(shop), email, name)
        click.echo(f"{email} is an operator: {shop.settings.public_url}/operator")
        if granted.invitation is not None:
            link = f"{shop.settings.public_url}/invitation?token={quote(granted.invitation)}"
            click.echo(f"They choose a password here, within a week: {link}")

    with_workshop(grant)


@operators.command()
@click.argument("email")
def remove(email: str) -> None:
    """Take the console away from somebody; their account stays."""

    async def withdraw(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            await people.withdraw(session, _sessions(shop), email)

    with_workshop(withdraw)


@operators.command("list")
def list_operators() -> None:
    """Everybody who may use the console."""

    async def show(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            for each in await people.every(session):
                click.echo(f"{each.email:<40} {each.name}{'  disabled' * bool(each.disabled_at)}")

    with_workshop(show)


@operators.command()
@click.argument("name")
@click.option("--write", is_flag=True, help="It may change things, not only look.")
@click.option("--expires", type=click.DateTime(), help="The last moment, in UTC.")
def token(name: str, write: bool, expires: datetime | None) -> None:
    """Make a token of the control-plane API for a program, and print it once."""

    async def make(shop: Workshop) -> None:
        access = "write" if write else "read"
        until = expires.replace(tzinfo=UTC) if expires else None
        async with shop.databases.transaction(shop.platform) as session:
            _, secret = await tokens.make(session, name, access, until)
        click.echo(secret)

    with_workshop(make)


@operators.command("tokens")
def list_tokens() -> None:
    """Every token: id, access, when it was last used, and whether it still counts."""

    async def show(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            for each in await tokens.every(session):
                used = each.last_used_at.isoformat(timespec="minutes") if each.last_used_at else "-"
                state = tokens.state_of(each)
                click.echo(f"{each.id}  {each.access:<5}  {used:<22}  {state:<8}  {each.name}")

    with_workshop(show)


@operators.command()
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """Let a token in no more, from now on."""

    async def end(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            await tokens.revoke(session, token_id)

    with_workshop(end)


def _sessions(shop: Workshop) -> Sessions:
    """Enough to end sessions everywhere; nobody is asked here what they may do."""
    return Sessions(SessionCache(shop.signals), lambda _tenant, _role: frozenset())

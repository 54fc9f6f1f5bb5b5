"""``atrium terms …``: what the portal's accounts agree to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from core.terms import services
from core.terms.services import KINDS
from tenants.working import with_workshop
from tenants.workshop import Workshop

_KIND = click.Choice(sorted(KINDS))
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("terms")
def terms_command() -> None:
    """Publish the terms of this installation, and say which there are."""


@terms_command.command()
@click.argument("kind", type=_KIND)
@click.option("--en", type=_FILE, help="The text in English, in Markdown.")
@click.option("--pt", type=_FILE, help="The text in Portuguese.")
@click.option("--from", "valid_from", type=click.DateTime(), help="In force from, in UTC.")
@click.option("--inform", is_flag=True, help="For information: nobody is asked again.")
@click.option("--accept-by", type=click.DateTime(), help="The end of the grace, in UTC.")
def publish(
    kind: str,
    en: Path | None,
    pt: Path | None,
    valid_from: datetime | None,
    inform: bool,
    accept_by: datetime | None,
) -> None:
    """Publish the next version of KIND. It cannot be changed or taken back."""
    texts = {code: file.read_text() for code, file in (("en", en), ("pt", pt)) if file}

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            made = await services.publish(
                session,
                kind,
                texts,
                valid_from=valid_from.replace(tzinfo=UTC) if valid_from else None,
                must_accept=not inform,
                accept_by=accept_by.replace(tzinfo=UTC) if accept_by else None,
            )
        click.echo(f"{made.kind} {made.number} is published")

    with_workshop(work)


@terms_command.command("list")
def list_terms() -> None:
    """Every version: in force from when, and whether it had to be accepted."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            found = await services.published(session)
        for each in found:
            asks = each.binds_from.isoformat(timespec="minutes") if each.must_accept else "-"
            begins = each.valid_from.isoformat(timespec="minutes")
            click.echo(f"{each.kind:<8} {each.number:>4}  {begins}  {asks}  {each.published_by}")

    with_workshop(work)


@terms_command.command()
@click.argument("kind", type=_KIND)
@click.argument("number", type=int)
@click.option("--language", default="en", show_default=True)
def show(kind: str, number: int, language: str) -> None:
    """The text of a version, as it was published."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            text, _ = await services.text_of(session, kind, number, language)
        click.echo(text, nl=False)

    with_workshop(work)

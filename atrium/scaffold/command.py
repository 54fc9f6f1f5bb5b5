"""``atrium plugins``: for those who write plugins."""

from __future__ import annotations

from pathlib import Path

import click

from atrium.scaffold.making import BadName, make


@click.group()
def plugins() -> None:
    """Help those who write plugins."""


@plugins.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder in which the plugin's own is made; this one by default.",
)
def new(name: str, into: Path) -> None:
    """Make a plugin NAME (lower_snake_case) that works and has tests, to be changed from there."""
    try:
        folder = make(name, into)
    except (BadName, FileExistsError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"Made {folder}. Try it:\n")
    click.echo(f"  pip install --no-build-isolation --no-deps -e {folder}")
    click.echo(f"  pytest {folder}")

"""``python -m core.locale.update [FOLDER …]``: bring catalogues up to date; say what is missing.

Without a folder, those of Atrium itself; with some, those of plugins in these packages.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from core.locale.catalogues import TRANSLATED, Texts, all_texts, missing


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folders: tuple[Path, ...]) -> None:
    """Extract all texts into the catalogues and list those without a translation."""
    chosen = [Texts(folder.resolve(), (folder.resolve(),)) for folder in folders]
    for texts in chosen or all_texts():
        for locale in TRANSLATED:
            absent = missing(texts.update(locale))
            click.echo(f"{os.path.relpath(texts.file(locale))}: {len(absent)} to translate")
            for each in absent:
                click.echo(f"  {each}")


if __name__ == "__main__":
    main()

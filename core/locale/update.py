"""``python -m core.locale.update``: bring every catalogue up to date, and say what is missing."""

from __future__ import annotations

import click

from core.locale.catalogues import ROOT, TRANSLATED, all_texts, missing


@click.command()
def main() -> None:
    """Extract all texts into the catalogues and list those without a translation."""
    for texts in all_texts():
        for locale in TRANSLATED:
            absent = missing(texts.update(locale))
            click.echo(f"{texts.file(locale).relative_to(ROOT)}: {len(absent)} to translate")
            for each in absent:
                click.echo(f"  {each}")


if __name__ == "__main__":
    main()

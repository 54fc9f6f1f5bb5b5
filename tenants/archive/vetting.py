"""An archive that a stranger has sent: may a tenant be made of it, and what would be in it.

What an operator imports is trusted to be ours. Here nothing is: names of tables and lines, paths,
sizes and what the catalogue would take over are all looked at before anything is unpacked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final
from zoneinfo import available_timezones

import msgspec

from core.i18n import LOCALES, _, fill
from core.logos.services import ADDRESS
from core.money import is_currency
from core.plugin import Plugins
from tenants.archive.manifest import NAME, About, Manifest
from tenants.archive.reading import Archive, BadArchive, bad, printable, steps_of
from tenants.archive.tables import FORMER, carried
from tenants.migration.lines import CORE, Lines

RATIO: Final = 250
"""Rows of tables are packed to a thirtieth at best; what shrinks more was made to burst."""
_SPARED: Final = 64 << 20
"""Bytes to which anything may unpack."""
_LONGEST_VERSION: Final = 40
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LOGO: Final = re.compile(re.escape(ADDRESS) + r"[0-9a-f]{32}(-dark|-light)?\.(png|jpg)")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


class Bomb(BadArchive):
    """It would unpack to far more than it is."""


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds of core or of one product."""

    line: str
    version: str
    tables: int
    rows: int
    off: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An archive as whoever is about to import it sees it; ``size`` is unpacked, in bytes."""

    name: str
    slug: str
    zone: str
    currency: str
    made_at: datetime
    software: str
    portions: tuple[Portion, ...]
    files: int
    size: int

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(each.rows for each in self.portions)


def vet(archive: Archive, plugins: Plugins, lines: Lines, packed: int, most: int) -> Summary:
    """What is in an archive of ``packed`` bytes that may unpack to ``most``; ``archive.check``
    is still to be done.

    Raises:
        BadArchive: naming the file at fault, and what to do about it.
    """
    manifest = archive.manifest
    archive.insist_on_software(plugins, lines)
    if CORE not in manifest.lines:
        raise BadArchive(_("This is the archive of one product alone, not of a business."))
    if manifest.lines.keys() != {CORE, *manifest.plugins}:
        raise _damaged()
    if not manifest.plugins.keys() >= set(manifest.off):
        raise _damaged()
    _insist_on_size(manifest, packed, most)
    _insist_on_tables(manifest)
    _insist_on_paths(manifest)
    if not all(_sound(manifest.tenant)):
        raise _damaged()
    return _summary(manifest)


def harmless(about: About) -> About:
    """The tenant as it was, without a look that we would not have made ourselves."""
    return msgspec.structs.replace(
        about,
        color=about.color if about.color and _COLOR.fullmatch(about.color) else None,
        logo=about.logo if about.logo and _LOGO.fullmatch(about.logo) else None,
    )


def _insist_on_size(manifest: Manifest, packed: int, most: int) -> None:
    sizes = [part.size for part in manifest.parts]
    if min(sizes, default=0) < 0 or any(table.count < 0 for table in manifest.tables):
        raise _damaged()
    if sum(sizes) > max(_SPARED, min(most, packed * RATIO)):
        text = _("It would unpack to {size} MB, which is too much for what it is.")
        raise Bomb(fill(text, size=sum(sizes) // 1_000_000))


def _insist_on_tables(manifest: Manifest) -> None:
    known = FORMER | {each.name: each.line for each in carried(manifest.lines.keys())}
    names = [table.name for table in manifest.tables]
    for table in manifest.tables:
        if known.get(table.name) != table.line:
            raise BadArchive(bad(_("{file} is no table of these products"), table.name))
        if (
            table.rows.path != f"data/{table.name}.jsonl"
            or table.sheet.path != f"sheets/{table.name}.csv"
            or not set(table.sealed) <= set(table.columns)
            or (table.sealed and table.name in FORMER)
        ):
            raise _damaged()
    if len(set(names)) < len(names):
        raise _damaged()


def _insist_on_paths(manifest: Manifest) -> None:
    """Each file has a place of its own, and none is where another has a folder."""
    paths = sorted(steps_of(part) for part in manifest.files)
    # In order, what lies below a path comes next after it.
    if any(below[: len(path)] == path for path, below in pairwise(paths)):
        raise _damaged()


def _sound(about: About) -> Iterator[bool]:
    yield 1 <= len(about.name.strip()) <= 120
    yield about.name.isprintable()
    yield re.fullmatch(r"[a-z0-9-]{1,63}", about.slug) is not None
    yield about.zone in available_timezones()
    yield is_currency(about.currency)
    yield about.locale in LOCALES
    yield about.country is None or _COUNTRY.fullmatch(about.country) is not None


def _summary(manifest: Manifest) -> Summary:
    tables = Counter(table.line for table in manifest.tables)
    rows: Counter[str] = Counter()
    for table in manifest.tables:
        rows[table.line] += table.count
    versions = {CORE: manifest.software, **manifest.plugins}
    try:
        made_at = datetime.fromisoformat(manifest.made_at)
    except ValueError:
        raise _damaged() from None
    if made_at.tzinfo is None:
        raise _damaged()
    return Summary(
        name=manifest.tenant.name,
        slug=manifest.tenant.slug,
        zone=manifest.tenant.zone,
        currency=manifest.tenant.currency,
        made_at=made_at,
        software=printable(manifest.software, _LONGEST_VERSION),
        portions=tuple(
            Portion(
                line=line,
                version=printable(versions[line], _LONGEST_VERSION),
                tables=tables[line],
                rows=rows[line],
                off=line in manifest.off,
            )
            for line in (CORE, *sorted(manifest.plugins))
        ),
        files=len(manifest.files),
        size=sum(part.size for part in manifest.parts),
    )


def _damaged() -> BadArchive:
    return BadArchive(bad(_("{file} is damaged"), NAME))

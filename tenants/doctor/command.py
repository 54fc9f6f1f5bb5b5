"""``atrium doctor``, as people call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import click
import msgspec

from tenants.databases import Place, places
from tenants.doctor.examine import Roll, call_roll, examine
from tenants.doctor.facts import Difference
from tenants.doctor.remedies import LEFT, mend, remedy
from tenants.working import with_workshop
from tenants.workshop import Workshop

_AWAY: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference as people read it; ``left`` says why it stays, None that it was mended."""

    database: str
    tenant: str
    what: Difference
    left: str | None

    def __str__(self) -> str:
        return f"{self.database} {self.tenant}: {_in_words(self.what)}; {self.left or 'mended'}"

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        mended = {"mended": self.left is None, "left": self.left}
        about = {"database": self.database, "tenant": self.tenant}
        return {**about, **msgspec.to_builtins(self.what), **mended}


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what is safe; say why the rest is left.")
@click.option("--tenants", "slugs", metavar="SLUG,…", default="", help="These alone.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor_command(repair: bool, slugs: str, as_json: bool) -> None:
    """Compare every scope with what the same script makes now.

    Tables, columns, indexes, constraints, owners, grants, default privileges, roles and their
    members, extensions, revisions, and schemas and roles that belong to nobody. Ends with 1 if
    anything is wrong that was not mended.
    """
    chosen = tuple(filter(None, (each.strip() for each in slugs.split(","))))

    async def work(shop: Workshop) -> None:
        found, looked_at = await look_over(shop, chosen, repair=repair)
        if as_json:
            data = {"scopes": looked_at, "findings": [each.as_data() for each in found]}
            click.echo(msgspec.json.encode(data).decode())
        else:
            for each in found:
                click.echo(str(each))
            click.echo(f"{looked_at} scopes looked at, {len(found)} findings")
        if any(each.left for each in found):
            raise SystemExit(1)

    with_workshop(work)


async def look_over(
    shop: Workshop, slugs: Sequence[str] = (), *, repair: bool = False
) -> tuple[list[Finding], int]:
    """What is wrong, and how many scopes were looked at; with ``repair`` what is safe is mended."""
    async with shop.databases.transaction(shop.platform) as session:
        roll = await call_roll(session, shop.lines, slugs)
        everywhere = await places(session, shop.settings)
    found: list[Finding] = []
    for place in everywhere:
        if roll.whole or place.name in roll.patients:
            found += await _look_over(shop, place, roll, repair=repair)
    return found, sum(map(len, roll.patients.values()))


async def _look_over(shop: Workshop, place: Place, roll: Roll, *, repair: bool) -> list[Finding]:
    patients = roll.patients.get(place.name, ())
    known = roll.known.get(place.name, ()) if roll.whole else None
    try:
        wrong = await examine(place, patients, known, shop.plugins)
        refused = await mend(place, wrong) if repair else {}
    except _AWAY as problem:
        away = Difference("", "database", place.name, None, f"cannot be looked at: {problem}")
        return [Finding(place.name, "everybody", away, "see that it answers, and look again")]
    names = {each.scope: each.name for each in patients}

    def left(each: Difference) -> str | None:
        if remedy(each) is None:
            return LEFT[each.kind]
        return refused.get(each) if repair else "--repair mends it"

    return [
        Finding(place.name, names.get(each.scope, each.scope or "everybody"), each, left(each))
        for each in wrong
    ]


def _in_words(each: Difference) -> str:
    what = f"{each.kind} {each.subject}".strip()
    if each.expected is not None and each.found is not None:
        return f"{what} is {each.found!r}, should be {each.expected!r}"
    if each.expected is not None:
        return f"{what} is missing: {each.expected}"
    return f"{what}: {each.found}"

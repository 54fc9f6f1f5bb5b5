"""What may be mended without asking, how, and why the rest may not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from core.connections import EXTENSIONS_SCHEMA
from tenants.bootstrap import OWNER, TENANTS
from tenants.databases import Place
from tenants.doctor.facts import Difference
from tenants.scopes import connected, owning

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_POWERS: Final = ("SUPERUSER", "BYPASSRLS", "CREATEDB", "CREATEROLE", "REPLICATION")
_KINDS: Final = {"r": "TABLES", "S": "SEQUENCES"}

LEFT: Final = {
    "table": "data may hang on it: compare, then migrate or remove it by hand",
    "column": "data may hang on it: compare, then migrate or remove it by hand",
    "constraint": "rows may contradict it: look at them, then add or drop it by hand",
    "unique index": "rows may contradict it: look at them, then add or drop it by hand",
    "index": "somebody may have made it on purpose: drop it by hand if not",
    "trigger": "somebody may have made it on purpose: drop it by hand if not",
    "function": "somebody may have made it on purpose: drop it by hand if not",
    "owner": "its owner is no role of ours: the administrator has to give it back",
    "default": "the administrator made it, and has to take it back",
    "membership": "somebody may act as this tenant: the administrator has to revoke it",
    "role": "the administrator has to look at it",
    "schema": "look at the catalogue and at the backups before anything is removed or made",
    "extension": "run `atrium bootstrap` as the administrator",
    "revision": "run `atrium migrate`, or use the version that is as new; see the how-to",
    "grant": "its name is not one that we would give: look at it",
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """Statements that mend one difference: by the owner in one transaction, or, those that are
    ``apart``, each in its own; ``as_provisioner`` by who makes roles."""

    statements: tuple[str, ...]
    as_provisioner: bool = False
    apart: bool = False


def remedy(each: Difference) -> Remedy | None:
    """How to mend ``each``; None if that is not ours to do."""
    match each.kind:
        case "grant":
            return _grant(each)
        case "default":
            return _default(each)
        case "owner" if each.found == "@":
            kind = "TABLE" if each.subject else "SCHEMA"
            what = f"{each.scope}.{each.subject}" if each.subject else each.scope
            return Remedy((f"ALTER {kind} {what} OWNER TO {OWNER}",))
        case "membership" if each.found is None:
            return _membership(each)
        case "role" if each.expected is not None:
            if each.found is None:
                return Remedy((f"CREATE ROLE {each.scope} NOLOGIN",), as_provisioner=True)
            if not any(power in each.found.split() for power in _POWERS):
                statement = f"ALTER ROLE {each.scope} NOLOGIN INHERIT"
                return Remedy((statement,), as_provisioner=True)
        case "index" if each.expected is not None:
            return _index(each)
    return None


def _grant(each: Difference) -> Remedy | None:
    kind, _, name = each.subject.partition(" ")
    said = (each.expected or each.found or "").split()
    grantee, privilege = said[0].replace("@", each.scope), said[1]
    if not all(map(_NAME.fullmatch, filter(None, name.split(".")))):
        return None
    what = f"{kind.upper()} {each.scope}.{name}" if name else f"SCHEMA {each.scope}"
    if kind == "column":
        table, _, column = name.partition(".")
        what, privilege = f"TABLE {each.scope}.{table}", f"{privilege} ({column})"
    if each.expected is None:
        return Remedy((f"REVOKE {privilege} ON {what} FROM {grantee}",))
    return Remedy((f"GRANT {privilege} ON {what} TO {grantee}",))


def _default(each: Difference) -> Remedy | None:
    who, grantee, privilege, *_ = (each.expected or each.found or "").split()
    if who != OWNER or each.subject not in _KINDS:
        return None
    verb, way = ("GRANT", "TO") if each.expected is not None else ("REVOKE", "FROM")
    return Remedy(
        (
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {each.scope} {verb} {privilege}"
            f" ON {_KINDS[each.subject]} {way} {grantee.replace('@', each.scope)}",
        )
    )


def _membership(each: Difference) -> Remedy:
    if each.subject == TENANTS:
        return Remedy((f"GRANT {TENANTS} TO {each.scope}",), as_provisioner=True)
    member = (each.expected or "").split()[0]
    return Remedy((f"GRANT {each.scope} TO {member}",), as_provisioner=True)


def _index(each: Difference) -> Remedy | None:
    made = (each.expected or "").replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
    if each.found is None:
        return Remedy((made,), apart=True)
    if each.found.endswith(" INVALID"):  # left by somebody who was making it
        return Remedy((f"DROP INDEX CONCURRENTLY {each.subject}", made), apart=True)
    return None


_ORDER: Final = ("role", "membership", "owner", "default", "grant", "index")


async def mend(place: Place, found: Sequence[Difference]) -> dict[Difference, str]:
    """Apply the remedies there are; what could not be mended even so, and why.

    Rights are taken before they are given: who may pass a right on is left with it plain.
    """
    refused: dict[Difference, str] = {}
    known = [(each, cure) for each in found if (cure := remedy(each)) is not None]
    known.sort(key=lambda pair: (_ORDER.index(pair[0].kind), pair[0].expected is not None))
    async with connected(place.provisioner_url) as connection:
        for each, cure in known:
            try:
                await _apply(connection, each, cure)
            except asyncpg.PostgresError as problem:
                refused[each] = str(problem)
    return refused


async def _apply(connection: asyncpg.Connection, each: Difference, cure: Remedy) -> None:
    if cure.as_provisioner:
        await connection.execute("; ".join(cure.statements))
    elif cure.apart:
        await connection.execute(f"SET ROLE {OWNER}; SET lock_timeout = '5s'")
        await connection.execute(f"SET search_path = {each.scope}, {EXTENSIONS_SCHEMA}")
        try:
            for statement in cure.statements:
                await connection.execute(statement)
        finally:
            await connection.execute("RESET ROLE; RESET search_path; RESET lock_timeout")
    elif each.kind == "owner":
        async with connection.transaction():
            # To take something back the owner has to be, for a moment, who has it now.
            await connection.execute(f"GRANT {each.scope} TO {OWNER}")
            async with owning(connection, each.scope):
                await connection.execute(cure.statements[0])
            await connection.execute(f"RESET ROLE; REVOKE {each.scope} FROM {OWNER}")
    else:
        async with owning(connection, each.scope):
            for statement in cure.statements:
                await connection.execute(statement)

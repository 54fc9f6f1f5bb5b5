"""A scope that is as it should be: made by the same script, never committed."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from core.ids import new_id
from core.scope import scope_name
from tenants.bootstrap import APP, TENANTS
from tenants.databases import Place
from tenants.migration.lines import Line
from tenants.scopes import make_schema, owning


async def make_model(connection: asyncpg.Connection, place: Place, lines: Iterable[Line]) -> str:
    """Make a scope of ``lines`` in the transaction that is open, to be undone with it; its name.

    It bears the name of a tenant that nobody is, and its role has the members that a tenant's
    has in this ``place``.
    """
    name = scope_name(new_id())
    await connection.execute(
        f"CREATE ROLE {name} NOLOGIN; GRANT {TENANTS} TO {name};"
        f"GRANT {name} TO {place.login or APP}"
    )
    await make_schema(connection, name)
    async with owning(connection, name):
        for line in lines:
            statements = [each for revision in line.revisions for each in revision.statements]
            if statements:
                await connection.execute(";\n".join(statements))
    await connection.execute("RESET ROLE; SET LOCAL search_path = ''")
    return name

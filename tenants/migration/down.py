"""The way back: revisions undone by their ``downgrade``, compiled offline like the way there.

Nothing here runs by itself: what is taken back takes its data with it, and code that is a revision
behind serves a scope that is ahead (docs/architecture.md). It is for whoever develops a line, and
for an operator who has to undo one by hand; the conformance kit holds every product to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory

from tenants.migration.lines import ONE_AT_A_TIME, BadMigration, Line, offline
from tenants.scopes import LOCK_TIMEOUT, owning

Back = Mapping[str, tuple[str, ...]]
"""By revision, the statements that undo it."""


def compile_back(folder: Path) -> Back:
    """How each revision in ``folder``/versions is undone.

    Raises:
        BadMigration: naming the revision that cannot be undone, or not offline.
    """
    with ONE_AT_A_TIME:
        back: dict[str, tuple[str, ...]] = {}
        for script in ScriptDirectory(folder).walk_revisions():
            undo = getattr(script.module, "downgrade", None)
            if undo is None:
                raise BadMigration(f"{script.revision} has no downgrade()")
            back[script.revision] = offline(script.revision, undo)
            if not back[script.revision]:
                raise BadMigration(f"downgrade() of {script.revision} does nothing")
        return back


async def take_back(
    connection: asyncpg.Connection, scope: str, line: Line, back: Back, to: str | None
) -> int:
    """Undo in ``scope``, in one transaction, what is newer than the revision ``to`` (None: the
    whole line), newest first; the number of revisions undone.

    Raises:
        BadMigration: the scope is at a revision that this code does not know.
    """
    async with owning(connection, scope, LOCK_TIMEOUT):
        at = await connection.fetchval(
            "SELECT revision FROM migrations.applied WHERE scope = $1 AND line = $2",
            scope,
            line.name,
        )
        if at is None:
            return 0
        lacking = {each.id for each in line.after(at)}
        newer = [each.id for each in line.after(to) if each.id not in lacking]
        statements = [each for revision in reversed(newer) for each in back[revision]]
        if not statements:
            return 0
        await connection.execute(";\n".join(statements))
        where = "WHERE scope = $1 AND line = $2"
        if to is None:
            await connection.execute(
                f"DELETE FROM migrations.applied {where}",  # noqa: S608  # our own words
                scope,
                line.name,
            )
        else:
            await connection.execute(
                f"UPDATE migrations.applied SET revision = $3, applied_at = now() {where}",  # noqa: S608  # likewise
                scope,
                line.name,
                to,
            )
        return len(newer)

"""Lines of migrations, each compiled to SQL once by Alembic, offline.

Alembic's ``upgrade`` keeps its state in process globals and asks the database at every step,
so it cannot serve a thousand schemas in parallel. Compiling a revision yields the statements
that it is made of; ``replay`` sends them to as many scopes as there are.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import BindParameter, ClauseElement, Executable, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql import visitors

import core

CORE: Final = "core"
PLATFORM: Final = "platform"

ONE_AT_A_TIME: Final = threading.Lock()  # Alembic's ``op`` is a process global
_TAKES_AWAY: Final = re.compile(
    r"\bDROP (TABLE|COLUMN)\b|\bRENAME\b|\bSET NOT NULL\b|\bALTER COLUMN \S+ TYPE\b", re.IGNORECASE
)


class BadMigration(ValueError):
    """A line that cannot be compiled; the message names the revision and the remedy."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as the statements that it is made of.

    Code and scope must be on the same side of a ``contract``: code that has it cannot serve a
    scope without it, nor older code a scope that has it. With any other revision both can.
    """

    id: str
    statements: tuple[str, ...]
    contract: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A compiled line of revisions, oldest first."""

    name: str
    revisions: tuple[Revision, ...]

    @property
    def head(self) -> str:
        """The newest revision; empty for a line without any."""
        return self.revisions[-1].id if self.revisions else ""

    def has(self, revision: str) -> bool:
        """Whether this code knows ``revision``; if not, it is newer."""
        return any(each.id == revision for each in self.revisions)

    def contracted(self, applied: str | None) -> str | None:
        """The newest contract that a scope at ``applied`` has."""
        behind = {revision.id for revision in self.after(applied)}
        had = (each.id for each in reversed(self.revisions) if each.id not in behind)
        contracts = {each.id for each in self.revisions if each.contract}
        return next((each for each in had if each in contracts), None)

    def serves(self, applied: str | None, contracted: str | None) -> bool:
        """Whether this code can serve a scope at ``applied``, whose newest contract that is.

        A scope that is ahead was brought there by newer code, which knew its contracts.
        """
        if applied is not None and not self.has(applied):
            return contracted is None or self.has(contracted)
        return not any(revision.contract for revision in self.after(applied))

    def until(self, revision: str) -> Line:
        """The line as it was when ``revision`` was its newest.

        Raises:
            BadMigration: it never was in it.
        """
        for position, each in enumerate(self.revisions, start=1):
            if each.id == revision:
                return Line(self.name, self.revisions[:position])
        raise BadMigration(f"line {self.name!r} has no revision {revision}")

    def after(self, applied: str | None) -> Sequence[Revision]:
        """The revisions that a scope at ``applied`` still lacks.

        Raises:
            BadMigration: this code does not know the revision; it is older than the scope.
        """
        if applied is None:
            return self.revisions
        for position, revision in enumerate(self.revisions):
            if revision.id == applied:
                return self.revisions[position + 1 :]
        raise BadMigration(
            f"the scope is at {applied}, which line {self.name!r} of this version does not have"
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """Every line of an installation, by name."""

    by_name: Mapping[str, Line]

    def of_platform(self) -> tuple[Line, ...]:
        """What tenant zero's scope is made of."""
        return self.by_name[CORE], self.by_name[PLATFORM]

    def of_tenant(self, plugins: Iterable[str]) -> tuple[Line, ...]:
        """What a tenant's scope is made of; plugins that bring no tables have no line."""
        wanted = (self.by_name.get(name) for name in sorted(plugins))
        return self.by_name[CORE], *(line for line in wanted if line is not None)

    def serve(self, plugins: Iterable[str], standing: Standing) -> bool:
        """Whether this code can serve a tenant with these plugins, whose scope stands so."""
        return all(
            line.serves(*standing.get(line.name, (None, None))) for line in self.of_tenant(plugins)
        )


Standing = Mapping[str, Sequence[str | None]]
"""Where a scope stands: by line, its revision and the newest contract that it has."""


class Migrated(Protocol):
    """A plugin, as far as its tables are concerned."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> Path: ...


def compile_lines(plugins: Iterable[Migrated]) -> Lines:
    """The lines of core, of the platform and of each plugin that has migrations; each is
    compiled once in a process."""
    folders = {name: _core_folder() / name for name in (CORE, PLATFORM)}
    for plugin in plugins:
        if (folder := plugin.folder / "migrations").is_dir():
            folders.setdefault(plugin.name, folder)  # no plugin takes core's place
    return Lines({name: _compiled(name, folder) for name, folder in folders.items()})


def compile_line(name: str, folder: Path) -> Line:
    """Compile the revisions in ``folder``/versions, oldest first.

    Raises:
        BadMigration: two heads, or a revision that cannot be compiled offline.
    """
    with ONE_AT_A_TIME:
        scripts = ScriptDirectory(folder)
        heads = scripts.get_heads()
        if len(heads) > 1:
            raise BadMigration(
                f"line {name!r} has the heads {' and '.join(sorted(heads))}: the one that is not"
                " on main yet takes the next number and follows the other"
            )
        ordered = reversed(list(scripts.walk_revisions()))
        return Line(name, tuple(_compile(script) for script in ordered))


_compiled: Final = cache(compile_line)


def _compile(script: Script) -> Revision:
    statements = offline(script.revision, script.module.upgrade)
    contract: bool | None = getattr(script.module, "contract", None)
    if contract is None and (taken := next(filter(_TAKES_AWAY.search, statements), None)):
        raise BadMigration(
            f"{script.revision} takes away what older code may use ({taken[:80]!r}); it has to say"
            " `contract = True`, or `contract = False` if no code uses it any more"
        )
    return Revision(script.revision, statements, bool(contract))


def offline(revision: str, run: Callable[[], None]) -> tuple[str, ...]:
    """The statements that ``run`` (an ``upgrade`` or ``downgrade``) asks for.

    Only within ``ONE_AT_A_TIME``.

    Raises:
        BadMigration: it cannot be compiled without a database.
    """
    context = MigrationContext.configure(
        dialect=postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]  # theirs
        opts={"as_sql": True},
    )
    impl = context.impl
    assert isinstance(impl, OfflineImpl)
    with Operations.context(context):
        try:
            run()
        except Exception as problem:
            raise BadMigration(f"{revision} cannot be compiled: {problem}") from problem
    return tuple(impl.statements)


class OfflineImpl(PostgresqlImpl):
    """Collects statements as they must reach the server, and refuses what needs one.

    It takes the place of Alembic's own for PostgreSQL, which would read ``:word`` in a plain
    string as a parameter (and write NULL) and turn tabs into spaces.
    """

    __dialect__ = "postgresql"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statements: list[str] = []

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        if multiparams or params:
            raise BadMigration("statements carry their values; parameters are for a database")
        if isinstance(construct, str):
            self.statements.append(construct.strip())
            return
        if isinstance(construct, Select):
            raise BadMigration("a migration cannot read; a change of data is a job")
        _refuse_lack_of_values(construct)
        options = {} if isinstance(construct, DDLElement) else {"literal_binds": True}
        assert isinstance(construct, ClauseElement)
        compiled = construct.compile(dialect=self.dialect, compile_kwargs=options)
        self.statements.append(str(compiled).strip())

    def emit_begin(self) -> NoReturn:
        """Refused: it is the replay that begins."""
        raise BadMigration("a revision runs in the transaction it is given")

    emit_commit = emit_begin


def _refuse_lack_of_values(construct: Executable) -> None:
    assert isinstance(construct, ClauseElement)
    for part in visitors.iterate(construct):
        if isinstance(part, BindParameter) and part.required:
            raise BadMigration(f"the value of :{part.key} is missing; it would become NULL")


def _core_folder() -> Path:
    """The folder ``alembic``: beside core in a checkout, inside it in a wheel."""
    assert core.__file__ is not None
    package = Path(core.__file__).parent
    packed = package / "_migrations"
    return packed if packed.is_dir() else package.parent / "alembic"

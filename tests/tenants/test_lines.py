"""Lines of migrations compile offline, in order, and mean what they say."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from atrium.testing.world import World
from tenants.migration.lines import BadMigration, Line, Lines, compile_line

_HEADER = """
import sqlalchemy as sa
from alembic import op
revision = {revision!r}
down_revision = {down!r}
"""


class Folder:
    """A line of revisions under construction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "versions").mkdir()

    def revision(self, number: int, body: str, *, down: int | None = None, name: str = "") -> None:
        """Add revision ``number``, which follows ``down`` (by default the one before)."""
        before = f"x_{number - 1:04}" if number > 1 else None
        header = _HEADER.format(revision=f"x_{number:04}", down=f"x_{down:04}" if down else before)
        body = "".join(f"    {line}\n" for line in body.strip().splitlines())
        file = self.path / "versions" / f"x_{number:04}{name}.py"
        file.write_text(f"{header}\ndef upgrade():\n{body}")

    def compile(self) -> Line:
        """The compiled line."""
        return compile_line("x", self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty line."""
    return Folder(tmp_path)


def test_revisions_come_oldest_first_and_a_scope_gets_what_it_lacks(folder: Folder) -> None:
    """A scope at the second of three revisions lacks the third alone."""
    for number in (1, 2, 3):
        folder.revision(number, f"op.execute('SELECT {number}')")
    line = folder.compile()
    assert [each.id for each in line.revisions] == ["x_0001", "x_0002", "x_0003"]
    assert [each.id for each in line.after("x_0002")] == ["x_0003"]
    assert line.after(line.head) == ()
    assert len(line.after(None)) == 3


def test_a_scope_ahead_of_this_code_is_refused(folder: Folder) -> None:
    """An older version of the software does not touch what a newer one has migrated."""
    folder.revision(1, "op.execute('SELECT 1')")
    with pytest.raises(BadMigration, match="x_0009"):
        folder.compile().after("x_0009")


def test_two_heads_are_refused_by_name(folder: Folder) -> None:
    """Two revisions that follow the same one are named, with what to do."""
    folder.revision(1, "op.execute('SELECT 1')")
    folder.revision(2, "op.execute('SELECT 2')")
    folder.revision(3, "op.execute('SELECT 3')", down=1)
    with pytest.raises(BadMigration, match=r"x_0002 and x_0003.*next number"):
        folder.compile()


def test_the_real_lines_have_one_head_and_numbers_in_order(world: World) -> None:
    """Every line that this installation has is numbered from 1 without gaps, by its own name."""
    for name, line in world.lines.by_name.items():
        expected = [f"{name}_{number:04}" for number in range(1, len(line.revisions) + 1)]
        assert [each.id for each in line.revisions] == expected


def test_the_real_lines_leave_schemas_to_the_search_path(world: World) -> None:
    """No statement names a schema of its own: that would land every tenant in one place."""
    for line in world.lines.by_name.values():
        for revision in line.revisions:
            for statement in revision.statements:
                assert "platform." not in statement, revision.id
                assert "public." not in statement, revision.id


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("op.get_bind().execute(sa.select(sa.literal(1)))", "cannot read"),
        ("sa.inspect(op.get_bind()).get_table_names()", "cannot be compiled"),
        ("with op.get_context().autocommit_block(): op.execute('SELECT 1')", "transaction"),
        ("op.get_bind().execute(sa.text('SELECT :x'), {'x': 1})", "value of :x"),
    ],
)
def test_what_needs_a_database_is_refused(folder: Folder, body: str, reason: str) -> None:
    """Compiling offline must not let half of a migration through silently."""
    folder.revision(1, body)
    with pytest.raises(BadMigration, match=reason):
        folder.compile()


AWKWARD = "100 % :real :: a\tb 'quoted' \\:x %(name)s %% {brace} 12:30"


async def test_awkward_characters_reach_the_table_unchanged(folder: Folder, world: World) -> None:
    """Per cents, colons, tabs and quotes are data: in plain SQL, in bulk_insert and defaults."""
    folder.revision(
        1,
        f"""
awkward = {AWKWARD!r}
quoted = awkward.replace("'", "''")
notes = op.create_table(
    "notes", sa.Column("n", sa.Integer), sa.Column("t", sa.Text, server_default=awkward)
)
op.execute(f"INSERT INTO notes VALUES (1, '{{quoted}}')")
op.bulk_insert(notes, [{{"n": 2, "t": awkward}}])
op.execute(notes.insert().values(n=3, t=awkward))
op.execute("INSERT INTO notes (n) VALUES (4)")
op.execute("INSERT INTO notes VALUES (5::int, 'a:b'::text)")
""",
    )
    script = ";\n".join(folder.compile().revisions[0].statements)
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("CREATE SCHEMA awkward; SET LOCAL search_path = awkward")
    await connection.execute(script)
    rows = await connection.fetch("SELECT n, t FROM notes ORDER BY n")
    await transaction.rollback()
    await connection.close()
    assert [row["t"] for row in rows] == [*[AWKWARD] * 4, "a:b"]


def test_a_tenant_has_core_and_its_plugins_but_never_the_platform(world: World) -> None:
    """The catalogue's tables exist in tenant zero alone."""
    lines: Lines = world.lines
    assert [each.name for each in lines.of_tenant(["car_hire"])] == ["core", "car_hire"]
    assert [each.name for each in lines.of_tenant([])] == ["core"]
    assert [each.name for each in lines.of_platform()] == ["core", "platform"]


@pytest.mark.parametrize(
    "body",
    [
        'op.drop_column("a", "b")',
        'op.drop_table("a")',
        'op.rename_table("a", "b")',
        'op.alter_column("a", "b", nullable=False)',
        'op.alter_column("a", "b", type_=sa.Text())',
        'op.alter_column("a", "b", new_column_name="c")',
    ],
)
def test_taking_something_away_has_to_be_said(folder: Folder, body: str) -> None:
    """Older code may still use it: the revision says whether that matters."""
    folder.revision(1, body)
    with pytest.raises(BadMigration, match="contract = True"):
        compile_line("x", folder.path)


@pytest.mark.parametrize("contract", [True, False])
def test_what_is_said_counts(folder: Folder, contract: bool) -> None:
    """Even a drop is no contract if nobody uses the thing any more."""
    folder.revision(1, 'op.drop_table("a")')
    [file] = (folder.path / "versions").glob("*.py")
    file.write_text(file.read_text() + f"\ncontract = {contract}\n")
    assert compile_line("x", folder.path).revisions[0].contract is contract

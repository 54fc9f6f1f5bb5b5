"""What `atrium migrate` says, and when it ends with an error."""

from __future__ import annotations

import io
from pathlib import Path

import asyncpg
import pytest

from atrium.testing.servers import Postgres
from core.ids import new_id
from tenants.migration.command import installed_lines
from tenants.migration.replay import Outcome, Target
from tenants.migration.terminal import LiveLine
from tests.tenants.installation import installation


class Screen(io.StringIO):
    """A terminal, as far as the line can tell."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is_and_is_left_clean() -> None:
    """Scopes ended, failed and at work; erased at the end."""
    screen = Screen()
    one, two = new_id(), new_id()
    with LiveLine(screen) as line:
        line.expect(3)
        line.begun(Target(one, "t", ()))
        line.begun(Target(two, "t", ()))
        line.ended(Outcome(tenant_id=one, line="core", revision=None, target="2", error="no"))
        assert str(line).startswith("1 of 3 scopes, 1 failed, 1 at work or busy")
    assert screen.getvalue().endswith("\r\x1b[K")


def test_what_is_no_terminal_gets_no_line() -> None:
    """A log of a deployment is not filled with drawings."""
    file = io.StringIO()
    with LiveLine(file) as line:
        line.expect(3)
    assert file.getvalue() == ""


async def test_the_command_plans_and_notices_another_at_work(
    postgres: Postgres, redis_url: str
) -> None:
    """The plan of a new installation is tenant zero's SQL; a second run says that it is one."""
    async with installation(postgres, redis_url) as made:
        assert (await made.run("bootstrap")).code == 0
        planned = await made.run("migrate", "--plan")
        assert planned.code == 0, planned.said
        assert "platform: 1 scopes at nothing → platform_" in planned.said
        assert "CREATE TABLE tenants" in planned.said
        assert await made.ask("SELECT FROM pg_namespace WHERE nspname = 'platform'") == []
        other = await asyncpg.connect(made.settings.provisioner_url.replace("+asyncpg", ""))
        await other.execute("SELECT pg_advisory_lock(hashtextextended('atrium.migrate', 0))")
        beside = await made.run("migrate")
        await other.close()
        assert beside.code == 0, beside.said
        assert "works beside it" in beside.said
        again = await made.run("migrate", "--plan")
        assert again.said.strip().endswith("nothing was changed")
        assert "CREATE TABLE" not in again.said


_REVISION = """
revision = "{name}_0001"
down_revision = None

def upgrade():
    pass
"""


def _install(folder: Path, name: str, migration: str) -> None:
    """A distribution with a plugin that does not import, and one revision."""
    versions = folder / name / "migrations/versions"
    versions.mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "plugin.py").write_text("raise RuntimeError('out of order')")
    (versions / "first.py").write_text(migration + _REVISION.format(name=name))
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[atrium.plugins]\n{name} = {name}.plugin:plugin\n")


def test_a_plugin_that_is_out_of_order_is_migrated_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tenants must not have stayed behind when it works again; if its revisions lack
    something too, the others go on without it."""
    _install(tmp_path, "halting", "")
    _install(tmp_path, "incomplete", "import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)
    lines = installed_lines().by_name
    assert lines["halting"].head == "halting_0001"
    assert "incomplete" not in lines
    assert {"core", "platform", "car_hire"} <= set(lines)

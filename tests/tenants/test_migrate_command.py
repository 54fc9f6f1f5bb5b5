"""What `atrium migrate` says, and when it ends with an error."""

from __future__ import annotations

import io

import asyncpg

from atrium.testing.servers import Postgres
from core.ids import new_id
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

"""``atrium migrate``, as people call it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Final

import click
import structlog

from core.folders import PluginFiles, plugin_files
from core.settings import Settings
from tenants.migration.lines import Lines, compile_lines
from tenants.migration.migrate import Plan, Report, migrate
from tenants.migration.plan import Step, foresee
from tenants.migration.replay import CONNECTIONS
from tenants.migration.terminal import LiveLine
from tenants.running import reaching, run
from tenants.scopes import connected

log = structlog.get_logger(__name__)

NAMED_AT_MOST: Final = 50
"""Failures that are listed; the rest is in the catalogue's ``migration_status``."""


@click.command("migrate")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--tenants", "slugs", metavar="SLUG,…", default="", help="These alone.")
@click.option(
    "--canary",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="N tenants first, then ten times as many at each turn; stop if one of the N fails.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=CONNECTIONS,
    show_default=True,
    metavar="K",
    help="Scopes at once, in each database.",
)
def migrate_command(only_plan: bool, slugs: str, canary: int, jobs: int) -> None:
    """Bring every scope of every database to the newest revision of its lines.

    It may be killed and run again. A tenant that fails is named and holds up nobody else; one
    in which others hold locks is tried again for half a minute. Ends with 1 if any failed.
    """
    chosen = tuple(filter(None, (each.strip() for each in slugs.split(","))))
    plan = Plan(slugs=chosen, canary=canary, connections=jobs)

    async def foretell(settings: Settings) -> None:
        async with reaching(settings) as (databases, _):
            _print_plan(await foresee(settings, databases, installed_lines(), chosen))

    async def work(settings: Settings) -> None:
        async with reaching(settings) as reached, _at_work(settings.provisioner_url) as alone:
            if not alone:
                click.echo("another `atrium migrate` is at work; this one works beside it")
            databases, signals = reached
            with LiveLine(sys.stderr) as line:
                report = await migrate(
                    settings, databases, installed_lines(), signals, plan, audience=line
                )
        _print_report(report)

    run(foretell if only_plan else work)


def installed_lines() -> Lines:
    """The lines of core, of the platform and of every installed plugin.

    No plugin is imported, which takes seconds, nor asked whether it can be served at present:
    its tenants' tables must not have stayed behind when it can. One that lacks what its
    revisions import is named, and passed over.
    """
    complete: list[PluginFiles] = []
    for plugin in plugin_files():
        try:
            compile_lines([plugin])
        except ImportError:
            log.exception("plugin.broken", plugin=plugin.name)
        else:
            complete.append(plugin)
    return compile_lines(complete)


@asynccontextmanager
async def _at_work(provisioner_url: str) -> AsyncIterator[bool]:
    """Whether nobody else is at work; told to others until left. Nothing depends on it: each
    scope has a lock of its own."""
    async with connected(provisioner_url) as connection:
        yield await connection.fetchval(
            "SELECT pg_try_advisory_lock(hashtextextended('atrium.migrate', 0))"
        )


def _print_plan(steps: Iterable[Step]) -> None:
    problems = 0
    for line, of_line in groupby(steps, key=lambda step: step.line):
        found = list(of_line)
        for step in found:
            way = step.problem or f"→ {step.revisions[-1].id} ({len(step.revisions)} revisions)"
            click.echo(f"{line}: {step.scopes} scopes at {step.start or 'nothing'} {way}")
            problems += step.problem is not None
        longest = max((step.revisions for step in found), key=len)
        for revision in longest:
            marked = ", a contract" if revision.contract else ""
            click.echo(f"\n-- {revision.id}{marked}")
            click.echo("".join(f"{statement};\n" for statement in revision.statements))
    if problems:
        raise SystemExit(1)
    click.echo("nothing was changed")


def _print_report(report: Report) -> None:
    moved = sum(outcome.applied > 0 for outcome in report.outcomes)
    scopes = len({outcome.tenant_id for outcome in report.outcomes})
    failed = report.failed
    click.echo(f"{scopes} tenants looked at, {moved} lines brought up, {len(failed)} failed")
    for outcome in failed[:NAMED_AT_MOST]:
        name = report.slugs.get(outcome.tenant_id, f"warm scope {outcome.tenant_id}")
        click.echo(f"  {name} {outcome.line}: {outcome.error}", err=True)
    if len(failed) > NAMED_AT_MOST:
        click.echo(f"  and {len(failed) - NAMED_AT_MOST} more", err=True)
    if report.stopped:
        click.echo(f"stopped: {report.stopped}; {report.untouched} scopes were not begun", err=True)
    if failed:
        raise SystemExit(1)

"""``atrium migrate``: every scope of every database at the newest revision of its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

import asyncpg

from core.crypto import create_key
from core.db import Databases
from core.scope import PLATFORM_SCHEMA, TENANT_ZERO
from core.settings import Settings
from core.signals import Signals
from tenants.databases import Place, platform
from tenants.migration.fleet import Fleet, behind
from tenants.migration.ledger import Ledger
from tenants.migration.lines import Lines
from tenants.migration.replay import CONNECTIONS, PATIENT, Outcome, Pace, Target, Watch, replay
from tenants.scopes import connected, make_role, make_schema

GROWTH: Final = 10
"""After the canary each wave is so many times as large as the one before."""
STOPPING_SHARE: Final = 0.5
"""A later wave of which more than this share failed stops a run that has a canary."""

Todo = list[tuple[Place, Target]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run is to go: for whom (all, without ``slugs``), and how carefully.

    With a ``canary`` so many tenants go first. One of them failing stops the run.
    """

    slugs: tuple[str, ...] = ()
    canary: int = 0
    connections: int = CONNECTIONS
    pace: Pace = PATIENT


@dataclass(slots=True)
class Report:
    """What came of a run: an outcome per line and scope; ``untouched`` are the scopes that a
    run which ``stopped`` has not begun. ``slugs`` says what the tenants are called."""

    slugs: Mapping[UUID, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: str | None = None
    untouched: int = 0

    @property
    def failed(self) -> list[Outcome]:
        """Those with an error."""
        return [outcome for outcome in self.outcomes if outcome.error]


class Audience(Watch, Protocol):
    """Whoever follows a run, told beforehand how much there is to do."""

    def expect(self, scopes: int) -> None:
        """So many scopes lack something."""


async def migrate(
    settings: Settings,
    databases: Databases,
    lines: Lines,
    signals: Signals,
    plan: Plan | None = None,
    *,
    audience: Audience | None = None,
) -> Report:
    """Bring tenant zero up, then the tenants, several at a time in each database.

    It may be killed and run again, and two may run at once: what a scope has is recorded in
    the transaction that gave it. A tenant that fails is an outcome with an ``error``.

    Raises:
        RuntimeError: tenant zero itself cannot be brought up; nothing else was begun.
        NoSuchTenant: the plan names one that nobody knows.
    """
    plan = plan or Plan()
    await make_platform(settings, lines)
    zero = platform(settings)
    async with databases.transaction(zero) as session:
        await create_key(session)
        fleet = await Fleet.read(session, settings, lines, plan.slugs)
    report, todo = Report(fleet.slugs), Todo()
    found = await asyncio.gather(*(_behind(*each) for each in fleet.targets.items()))
    for place, (lacking, current) in zip(fleet.targets, found, strict=True):
        todo += [(place, target) for target in lacking]
        report.outcomes += current
    ledger = Ledger(databases, zero, signals)
    async with ledger.writing():
        for outcome in report.outcomes:
            ledger.ended(outcome)
        await _in_waves(todo, plan, report, _Both(ledger, audience))
    return report


async def _behind(
    place: Place, targets: Sequence[Target]
) -> tuple[Sequence[Target], list[Outcome]]:
    try:
        return await behind(place, targets)
    except (OSError, asyncpg.PostgresError):
        return targets, []  # each is told that it failed, when it is tried


async def _in_waves(todo: Todo, plan: Plan, report: Report, watch: _Both) -> None:
    watch.expect(len(todo))
    left = len(todo)
    for wave in _waves(todo, plan.canary):
        outcomes = await _bring_up(wave, plan, watch)
        report.outcomes += outcomes
        failed = len({outcome.tenant_id for outcome in outcomes if outcome.error})
        is_canary = left == len(todo)
        left -= len(wave)
        too_many = failed if is_canary else failed > len(wave) * STOPPING_SHARE
        if plan.canary and left and too_many:
            name = "the canary" if is_canary else f"a wave of {len(wave)}"
            report.stopped, report.untouched = f"{failed} of {name} failed", left
            return


def _waves(todo: Todo, canary: int) -> Iterator[Todo]:
    size, begin = canary or len(todo), 0
    while begin < len(todo):
        yield todo[begin : begin + size]
        begin, size = begin + size, size * GROWTH


async def _bring_up(wave: Todo, plan: Plan, watch: Watch) -> list[Outcome]:
    by_place: dict[Place, list[Target]] = {}
    for place, target in wave:
        by_place.setdefault(place, []).append(target)
    found = await asyncio.gather(
        *(
            replay(place.provisioner_url, targets, plan.connections, pace=plan.pace, watch=watch)
            for place, targets in by_place.items()
        )
    )
    return [outcome for each in found for outcome in each]


@dataclass(frozen=True, slots=True)
class _Both:
    """The ledger, and whoever else wants to know."""

    ledger: Ledger
    audience: Audience | None

    def expect(self, scopes: int) -> None:
        if self.audience is not None:
            self.audience.expect(scopes)

    def begun(self, target: Target) -> None:
        self.ledger.begun(target)
        if self.audience is not None:
            self.audience.begun(target)

    def ended(self, outcome: Outcome) -> None:
        self.ledger.ended(outcome)
        if self.audience is not None:
            self.audience.ended(outcome)


async def make_platform(settings: Settings, lines: Lines) -> None:
    """Make tenant zero's scope in the main database, or bring it up.

    Raises:
        RuntimeError: a revision failed; the message names the line.
    """
    async with connected(settings.provisioner_url) as connection:
        await make_role(connection, PLATFORM_SCHEMA)
        await make_schema(connection, PLATFORM_SCHEMA)
    target = Target(TENANT_ZERO, PLATFORM_SCHEMA, lines.of_platform())
    for outcome in await replay(settings.provisioner_url, [target]):
        if outcome.error:
            raise RuntimeError(f"line {outcome.line!r} failed in tenant zero: {outcome.error}")

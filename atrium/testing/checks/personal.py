"""What is kept of people: all of it listed, told to them, and forgotten on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec
from sqlalchemy import Table

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.checks.tables import models_of
from atrium.testing.schemas import Schema
from atrium.testing.trial import Trial
from core.crypto import EncryptedDate, EncryptedText
from core.i18n import LazyText
from core.ids import new_id
from core.personal import PersonalData

TELLING: Final = frozenset(
    {"user_id", "email", "phone", "recipient", "address", "agent", "actor_id", "changed_by_name"}
)
"""Columns that tell of a person."""


def tells_of_people(table: Table) -> bool:
    """By what its columns are called, or because they are sealed."""
    return any(
        column.name in TELLING or isinstance(column.type, EncryptedText | EncryptedDate)
        for column in table.columns
    )


def every_table_that_tells_of_people_is_listed(it: Candidate) -> Iterator[str]:
    """What nobody lists is neither told to a person who asks nor forgotten when they wish."""
    listed = {name for each in it.plugin.personal for name in each.tables}
    for table in models_of(it):
        if tells_of_people(table) and table.name not in listed:
            yield f"{table.name}: list it in personal=(PersonalData(…),)"


def what_is_listed_is_there(it: Candidate, kept: PersonalData) -> Iterator[str]:
    """A table that is not its own, or of another name, is never looked into."""
    known = {table.name for table in models_of(it)}
    for name in kept.tables:
        if name not in known:
            yield f"{name} is no table of this plugin"
    if not isinstance(kept.title, LazyText):
        yield f'the title cannot be translated: write _("{kept.title}")'


async def a_stranger_is_told_nothing(trial: Trial, kept: PersonalData) -> AsyncIterator[str]:
    """A person's file holds what is theirs, not everybody's."""
    async with trial.shop.transaction() as session:
        rows = await kept.export(session, new_id())
    if msgspec.json.decode(msgspec.json.encode(rows)):
        yield f"{len(rows)} rows are told to somebody who has none"


async def forgetting_a_stranger_changes_nothing(
    trial: Trial, kept: PersonalData
) -> AsyncIterator[str]:
    """Who is forgotten takes nobody else's data along."""
    if kept.erase is None:
        return
    async with Schema.of(trial.world, trial.here) as schema:
        before = await schema.contents(kept.tables)
        async with trial.shop.transaction() as session:
            await kept.erase(session, new_id())
        await schema.connection.rollback()  # to look at what is there now
        if await schema.contents(kept.tables) != before:
            yield "other people's rows were changed"


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    return [
        *alone(every_table_that_tells_of_people_is_listed),
        *for_each(it.plugin.personal, what_is_listed_is_there),
    ]


def at_work(it: Candidate) -> list[Check]:
    """The checks that need rows."""
    return for_each(
        it.plugin.personal, a_stranger_is_told_nothing, forgetting_a_stranger_changes_nothing
    )

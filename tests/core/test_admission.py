"""Requests wait in their own tenant's line, and nobody else's."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from time import monotonic
from uuid import UUID

import pytest

from core.admission import SLOW, Admission, Crowded, Turn, stepped_aside
from core.shares import Shares

ANNA, BERT = UUID(int=1), UUID(int=2)


async def test_a_tenant_alone_may_use_every_place() -> None:
    """An idle machine is there to be used."""
    admission = Admission(Shares(8))
    turns = [await admission.enter(ANNA) for _ in range(8)]
    for turn in turns:
        turn.end()


async def test_a_full_share_keeps_nobody_else_waiting() -> None:
    """Anna has all places when Bert comes: he is let in at once, and she is not any more."""
    admission = Admission(Shares(8), patience=0.05)
    turns = [await admission.enter(ANNA) for _ in range(8)]
    await admission.enter(BERT)
    for turn in turns[:6]:
        turn.end()
    with pytest.raises(Crowded):  # two are left, which is her share now
        await admission.enter(ANNA)
    turns[6].end()
    await admission.enter(ANNA)


async def test_hardly_anything_to_do_leaves_room_for_anybody() -> None:
    """A slow request of hers keeps nobody out, hers included, while a quarter is not in use."""
    admission = Admission(Shares(16), patience=0.05)
    others = [await admission.enter(UUID(int=number)) for number in range(3, 20)]
    for turn in others:
        turn.end()
    turns = [await admission.enter(ANNA) for _ in range(4)]  # her share is one
    with pytest.raises(Crowded):
        await admission.enter(ANNA)
    bert = await admission.enter(BERT)
    waiting = asyncio.create_task(admission.enter(BERT))
    await asyncio.sleep(0)
    assert not waiting.done()
    turns[0].end()
    await asyncio.sleep(0)
    assert not waiting.done()
    turns[1].end()  # three are in use: hers that end call him in
    await waiting
    bert.end()


async def crowd(admission: Admission, tenants: int) -> list[Turn]:
    """Others, with one request each under way."""
    return [await admission.enter(UUID(int=number)) for number in range(3, 3 + tenants)]


async def test_what_is_slow_keeps_one_more_of_its_business_out_only_briefly() -> None:
    """Among many she has one place; its line stands still, so that a second one is let in."""
    admission = Admission(Shares(8), patience=SLOW * 2.5)
    await crowd(admission, 9)
    await admission.enter(ANNA)
    begun = monotonic()
    second = await admission.enter(ANNA)
    assert monotonic() - begun >= SLOW
    with pytest.raises(Crowded):  # two are slow: that is her affair
        await admission.enter(ANNA)
    second.end()
    (await admission.enter(ANNA)).end()


async def test_many_quick_requests_have_one_place_among_many_tenants() -> None:
    """Her line moves, however long it is: it takes no more than anybody's."""
    admission = Admission(Shares(8))
    await crowd(admission, 9)
    at_once: Counter[UUID] = Counter()
    most = 0

    async def ask() -> None:
        nonlocal most
        turn = await admission.enter(ANNA)
        at_once[ANNA] += 1
        most = max(most, at_once[ANNA])
        await asyncio.sleep(0.005)
        at_once[ANNA] -= 1
        turn.end()

    await asyncio.gather(*(ask() for _ in range(60)))
    assert most == 1
    assert not admission._lines


async def test_a_line_is_served_in_its_order() -> None:
    """First come, first served; each as one before it ends."""
    admission = Admission(Shares(1))
    first = await admission.enter(ANNA)
    served: list[int] = []

    async def ask(number: int) -> None:
        turn = await admission.enter(ANNA)
        served.append(number)
        turn.end()

    waiting = [asyncio.create_task(ask(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert served == []
    first.end()
    first.end()  # twice is once
    await asyncio.gather(*waiting)
    assert served == [0, 1, 2, 3, 4]


async def test_a_full_line_turns_away_at_once() -> None:
    """So many may wait, and no more."""
    admission = Admission(Shares(1), longest_line=1)
    turn = await admission.enter(ANNA)
    second = asyncio.create_task(admission.enter(ANNA))
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await admission.enter(ANNA)
    turn.end()
    (await second).end()


async def test_who_waits_for_the_outside_world_holds_no_place() -> None:
    """Others work meanwhile; coming back waits for nobody."""
    admission = Admission(Shares(1), patience=0.05)
    turn = await admission.enter(ANNA)
    with stepped_aside():
        second = await asyncio.create_task(admission.enter(ANNA))
    with pytest.raises(Crowded):
        await admission.enter(ANNA)
    second.end()
    with pytest.raises(Crowded):  # the first is back
        await admission.enter(ANNA)
    turn.end()
    (await admission.enter(ANNA)).end()


async def test_no_place_is_lost_or_taken_twice_whatever_happens() -> None:
    """Requests that end, fail, give up waiting or are cancelled at any moment, a thousand times."""
    chance = random.Random(7)
    admission = Admission(Shares(4), patience=0.004, longest_line=20)
    working: Counter[UUID] = Counter()

    async def ask(tenant: UUID) -> None:
        await asyncio.sleep(chance.random() * 0.5)
        turn = await admission.enter(tenant)
        working[tenant] += 1
        try:
            assert working[tenant] <= 4
            await asyncio.sleep(chance.random() * 0.003)
        finally:
            working[tenant] -= 1
            turn.end()

    tasks = [asyncio.create_task(ask(chance.choice((ANNA, BERT)))) for _ in range(1000)]
    while not all(task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0.001)
    outcomes = Counter(
        "cancelled" if task.cancelled() else type(task.exception()).__name__ for task in tasks
    )
    assert set(outcomes) <= {"cancelled", "Crowded", "NoneType"}
    assert outcomes["NoneType"] > 100
    assert not admission._working
    assert not admission._lines
    with suppress(Crowded):
        (await admission.enter(ANNA)).end()
    assert not admission._working

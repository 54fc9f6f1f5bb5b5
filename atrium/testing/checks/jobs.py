"""Actors, schedules and listeners: for whom they run, and how often."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.trial import Shop, Trial
from atrium.testing.watched import Watched
from core.events import FAN_OUT, Event
from core.i18n import LazyText
from core.jobs import Actor, Schedule
from core.scope import Tenant
from core.signature import misfit

_LONGEST: Final = timedelta(hours=1)


def the_actor_can_be_called(it: Candidate, actor: Actor) -> Iterator[str]:
    """It is called with a session, and with arguments that came back from JSON."""
    if not inspect.iscoroutinefunction(actor.body):
        yield f"{actor.name} is not an async function"
        return
    _session, *arguments = inspect.signature(actor.body).parameters.values()
    for each in arguments:
        if each.annotation is inspect.Parameter.empty:
            yield f"say of which type {each.name} is: JSON alone does not tell"
    try:
        actor.read({each.name: None for each in arguments})
    except ValueError:
        return  # an argument that may not be null: its type was understood
    except Exception as problem:  # a type that nothing can be converted to
        yield f"its arguments cannot be read from JSON: {problem}"


def the_actor_comes_to_an_end(it: Candidate, actor: Actor) -> Iterator[str]:
    """A job that nothing stops holds a worker and a transaction for ever."""
    if not timedelta(0) < actor.time_limit <= _LONGEST:
        yield f"its time limit is {actor.time_limit}; choose up to {_LONGEST}"
    if not 1 <= actor.max_attempts <= 50:
        yield f"it is tried {actor.max_attempts} times; choose 1 to 50"


def the_schedule_needs_no_arguments(it: Candidate, schedule: Schedule) -> Iterator[str]:
    """Nobody is there to give any when its time has come."""
    if why := misfit(schedule.actor.body, {}):
        yield f"{schedule.actor.name}: {why}"


def the_schedule_says_what_it_does(it: Candidate, schedule: Schedule) -> Iterator[str]:
    """Whoever chooses the plugin reads so on its page in the portal, in their language."""
    if not isinstance(schedule.title, LazyText):
        yield f'{schedule.actor.name}: write Schedule(…, title=_("what it does"))'


def the_schedule_is_spread_in_time(it: Candidate, schedule: Schedule) -> Iterator[str]:
    """A thousand tenants should not begin in the same second."""
    if schedule.spread < timedelta(minutes=1):
        yield f"spread is {schedule.spread}"


def its_listeners_take_their_events(it: Candidate) -> Iterator[str]:
    """A listener is called with ``event``, read as the kind that it listens to."""
    for kind, actors in it.plugin.listeners.items():
        if not issubclass(kind, Event) or "." not in kind.name:
            yield f"{kind.__name__} is no event with a name such as plugin.thing_happened"
        for actor in actors:
            if why := misfit(actor.body, {"event": kind}):
                yield f"{actor.name}: {why}"


async def _held(trial: Trial, actor: Actor, owner: Tenant, rung_as: Tenant) -> AsyncIterator[str]:
    """Faults unless a message of ``owner``, delivered as ``rung_as``, stays as it is."""
    watched = Watched.of(trial.world)
    message = await watched.put(actor, owner)
    await watched.runtime.deliver(message, rung_as.id, actor.name, "")
    if watched.ran:
        yield f"it ran for {rung_as.slug}"
    if not await watched.is_untouched(message, owner):
        yield "an attempt was counted"


async def the_actor_runs_for_its_own_tenant(trial: Trial, actor: Actor) -> AsyncIterator[str]:
    """In the tenant's scope, once."""
    watched = Watched.of(trial.world)
    message = await watched.put(actor, trial.here)
    for _ in range(2):
        await watched.runtime.deliver(message, trial.here.id, actor.name, "")
    if watched.ran != [(actor.name, trial.here.id)]:
        yield f"it ran {len(watched.ran)} times"


async def the_actor_does_nothing_for_another(trial: Trial, actor: Actor) -> AsyncIterator[str]:
    """A message is its tenant's, whoever the doorbell says it is for."""
    async for fault in _held(trial, actor, trial.here, trial.there):
        yield fault


async def the_actor_refuses_a_suspended_tenant(trial: Trial, actor: Actor) -> AsyncIterator[str]:
    """Its work waits until the tenant is served again."""
    async for fault in _held(trial, actor, trial.suspended, trial.suspended):
        yield fault


async def the_actor_refuses_a_tenant_without_it(trial: Trial, actor: Actor) -> AsyncIterator[str]:
    """A plugin that is off does nothing."""
    async for fault in _held(trial, actor, trial.without, trial.without):
        yield fault


async def the_schedule_runs(trial: Trial, schedule: Schedule) -> AsyncIterator[str]:
    """In a tenant with data and in one without, it does its work and does not fail."""
    fresh = await trial.world.provision(plugins=(trial.plugin.name,))
    for tenant in (trial.here, fresh):
        shop = Shop(trial.site, tenant)
        async with shop.transaction() as session:
            await schedule.actor.enqueue(session)
        *_, asked = await shop.messages("actor = $2", schedule.actor.name)
        if (state := await shop.deliver(asked["id"], schedule.actor.name)) != "done":
            (after,) = await shop.messages("id = $2", asked["id"])
            yield f"it is {state}: {after['error']}"


async def an_event_told_twice_has_one_effect(trial: Trial, kind: type[Event]) -> AsyncIterator[str]:
    """Redis may deliver a message any number of times."""
    watched = Watched.of(trial.world)
    shop = Shop(trial.site, trial.here)
    listeners = [each.name for each in trial.plugin.listeners[kind]]
    before = {row["id"] for row in await shop.messages("actor = ANY($2)", listeners)}
    told = await watched.put_named(FAN_OUT, trial.here, {"event": kind.name, "body": {}})
    for _ in range(2):
        await watched.runtime.deliver(told, trial.here.id, FAN_OUT, "")
    asked = [
        row for row in await shop.messages("actor = ANY($2)", listeners) if row["id"] not in before
    ]
    if sorted(row["actor"] for row in asked) != sorted(listeners):
        yield f"{[row['actor'] for row in asked]} were asked for, not {listeners}"
    for row in (*asked, *asked):
        await watched.runtime.deliver(row["id"], trial.here.id, row["actor"], "")
    if sorted(name for name, _ in watched.ran) != sorted(listeners):
        yield f"{[name for name, _ in watched.ran]} ran, not {listeners}, each once"


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    return [
        *alone(its_listeners_take_their_events),
        *for_each(it.plugin.actors, the_actor_can_be_called, the_actor_comes_to_an_end),
        *for_each(
            it.plugin.schedules,
            the_schedule_needs_no_arguments,
            the_schedule_says_what_it_does,
            the_schedule_is_spread_in_time,
        ),
    ]


def at_work(it: Candidate) -> list[Check]:
    """The checks that need tenants."""
    return [
        *for_each(
            it.plugin.actors,
            the_actor_runs_for_its_own_tenant,
            the_actor_does_nothing_for_another,
            the_actor_refuses_a_suspended_tenant,
            the_actor_refuses_a_tenant_without_it,
        ),
        *for_each(it.plugin.schedules, the_schedule_runs),
        *for_each(it.plugin.listeners, an_event_told_twice_has_one_effect),
    ]

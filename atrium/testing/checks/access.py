"""Routes: each lets in whom it declares, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, for_each
from atrium.testing.routes import METHODS, Route
from atrium.testing.trial import Trial
from core.permissions import Role, held_by

_JUNK: Final = {"no such field": "\u2028<script>", "id": "x", "version": "-1"}


def the_api_route_that_creates_is_idempotent(it: Candidate, route: Route) -> Iterator[str]:
    """A program that was cut off asks again: it must not get two of everything."""
    if not route.is_once:
        yield "declare idempotent=True"


def _is_turned_away(route: Route, answer: httpx.Response) -> bool:
    """As nobody is: 401 to programs, the way to sign in to people."""
    if route.is_api:
        return answer.status_code == 401
    return answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


async def ask(client: httpx.AsyncClient, route: Route, path: str) -> httpx.Response:
    """A request with a body that nothing can be made of, where there is one."""
    if not route.is_unsafe:
        return await client.request(route.method, path)
    if route.is_api:
        return await client.request(route.method, path, json=_JUNK)
    return await client.request(route.method, path, data=_JUNK)


def said(who: str, answer: httpx.Response) -> str:
    """An answer that is not right, in words."""
    return f"{who}: {answer.status_code} {answer.headers.get('location', '')}".rstrip()


async def a_stranger_gets_no_further_than_declared(
    trial: Trial, route: Route
) -> AsyncIterator[str]:
    """Whoever is not signed in is asked to, unless the route is public."""
    async with trial.site.visitor(trial.here) as visitor:
        answer = await ask(visitor, route, route.at())
    if route.access.kind == "public":
        if answer.status_code >= 500:
            yield said("a visitor", answer)
    elif not _is_turned_away(route, answer):
        yield said("a visitor", answer)


async def a_session_of_another_tenant_is_nobodys(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Not even an owner's."""
    async with trial.stolen() as thief:
        answer = await ask(thief, route, route.at())
    if route.access.kind == "public":
        if answer.status_code >= 500:
            yield said("another tenant's owner", answer)
    elif not _is_turned_away(route, answer):
        yield said("another tenant's owner", answer)


async def it_does_not_exist_without_the_plugin(trial: Trial, route: Route) -> AsyncIterator[str]:
    """A tenant without the plugin cannot even tell that there is one, whatever the method."""
    async with await trial.site.person(trial.without, Role.OWNER) as owner:
        for method in METHODS:
            answer = await owner.request(method, route.at())
            if answer.status_code != 404:
                yield said(f"its owner by {method}", answer)


async def it_rests_with_its_tenant(trial: Trial, route: Route) -> AsyncIterator[str]:
    """A suspended tenant's pages are not served to anybody."""
    async with trial.site.visitor(trial.suspended) as visitor:
        answer = await ask(visitor, route, route.at())
    if answer.status_code != 503:
        yield said("a visitor of a suspended tenant", answer)


async def a_customer_is_let_in_as_declared(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Customers hold no permissions."""
    async with await trial.site.person(trial.here, Role.MEMBER) as customer:
        answer = await ask(customer, route, route.at())
    right = answer.status_code < 500
    if route.access.kind == "permission":
        right = answer.status_code in {403, 404}
    if not right:
        yield said("a customer", answer)


async def staff_are_let_in_as_declared(trial: Trial, route: Route) -> AsyncIterator[str]:
    """They have the permissions whose default roles say so, and no others."""
    held = held_by(Role.STAFF, trial.plugin.permissions)
    async with await trial.site.person(trial.here, Role.STAFF) as colleague:
        answer = await ask(colleague, route, route.at())
    if route.access.kind == "permission" and route.access.permission not in held:
        if answer.status_code not in {403, 404}:
            yield said("staff without the permission", answer)
    elif answer.status_code == 403 or answer.status_code >= 500:
        yield said("staff", answer)


async def the_owner_gets_an_answer(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Owners hold every permission; what they ask for works, or says what is wrong."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        answer = await ask(owner, route, route.at())
    is_page = not route.is_unsafe and not route.parameters and not route.is_api
    if (
        answer.status_code == 403
        or answer.status_code >= 500
        or (is_page and answer.status_code >= 400)
    ):
        yield said("the owner", answer)


async def rows_that_nobody_has_are_not_found(trial: Trial, route: Route) -> AsyncIterator[str]:
    """An id that does not exist, or is another tenant's, is 404: neither empty nor an error."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        answer = await owner.request(route.method, route.at())
    if route.method == "GET" and answer.status_code != 404:
        yield said("the owner", answer)


async def a_page_of_another_site_cannot_act(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Browsers send cookies along with what another site's page sends here."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        for site in ("cross-site", "same-site"):
            headers = {"sec-fetch-site": site}
            answer = await owner.request(route.method, route.at(), headers=headers)
            if answer.status_code != 403:
                yield said(f"the owner from a {site} page", answer)


async def it_is_in_the_api_document(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Programmers read there what there is, and what it is for."""
    operation = trial.document["paths"].get(route.path, {}).get(route.method.lower())
    if operation is None:
        yield "it is missing"
    elif not operation.get("summary"):
        yield "it has no summary: write a docstring"


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    creating = [route for route in it.routes if route.is_api and route.creates]
    return for_each(creating, the_api_route_that_creates_is_idempotent)


def at_work(it: Candidate) -> list[Check]:
    """The checks that need tenants and people."""
    found = it.routes
    named = [route for route in found if route.names_rows]
    unsafe = [route for route in found if route.is_unsafe]
    api = [route for route in found if route.is_api]
    return [
        *for_each(
            found,
            a_stranger_gets_no_further_than_declared,
            a_session_of_another_tenant_is_nobodys,
            it_does_not_exist_without_the_plugin,
            it_rests_with_its_tenant,
            a_customer_is_let_in_as_declared,
            staff_are_let_in_as_declared,
            the_owner_gets_an_answer,
        ),
        *for_each(named, rows_that_nobody_has_are_not_found),
        *for_each(unsafe, a_page_of_another_site_cannot_act),
        *for_each(api, it_is_in_the_api_document),
    ]

"""Pages and parts as the server renders them, and what is logged meanwhile."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from uuid import UUID

import httpx
from structlog.testing import capture_logs

from atrium.testing.checks.access import ask
from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.routes import Route
from atrium.testing.trial import Trial
from core.auth.identity import Identity, acting_as
from core.i18n import LOCALES, reading_in
from core.ids import new_id
from core.permissions import Role
from core.plugin import Place, Plugins, Slot
from core.scope import acting_for
from core.web.shell import Shell

_SAMPLES: Final[Mapping[type, Callable[[], Any]]] = {UUID: new_id, int: lambda: 1, str: lambda: "x"}
"""What a part is given of each type that a place may promise."""
PASSWORD: Final = "correct-horse-staple-planted"  # noqa: S105  # planted, to be looked for


async def viewer_of(trial: Trial, route: Route) -> httpx.AsyncClient:
    """Somebody for whom the page is meant."""
    if route.access.kind == "public":
        return trial.site.visitor(trial.here)
    role = Role.MEMBER if route.access.kind == "member" else Role.OWNER
    return await trial.site.person(trial.here, role)


async def the_page_is_rendered_in_each_language(trial: Trial, route: Route) -> AsyncIterator[str]:
    """Whoever it is meant for sees it, in the language that was asked for."""
    async with await viewer_of(trial, route) as viewer:
        for locale in LOCALES:
            answer = await viewer.get(route.at(), params={"lang": locale})
            if answer.status_code != 200:
                yield f"{locale}: {answer.status_code} {answer.headers.get('location', '')}"
            elif "text/html" in answer.headers["content-type"]:
                if f'lang="{locale}"' not in answer.text:
                    yield f"{locale}: the page does not say so"
                if "<h1" not in answer.text:
                    yield f"{locale}: the page has no heading"


async def the_part_is_drawn_in_each_language(trial: Trial, slot: Slot) -> AsyncIterator[str]:
    """With data, and in a tenant that has none yet."""
    place = _place(trial, slot)
    renderer = trial.site.edge.tenants.state["renderer"]
    given: dict[str, Any] = {
        name: _SAMPLES.get(kind, new_id)() for name, kind in place.context.items()
    }
    for tenant in (trial.here, trial.only):
        viewer = Identity(
            user_id=await trial.site.enrol(tenant, Role.OWNER),
            name="Olga Owner",
            email="olga@people.example",
            role=Role.OWNER,
            permissions=frozenset(each.name for each in trial.plugin.permissions),
            session_id=new_id(),
        )
        for locale in LOCALES:
            with acting_for(tenant), acting_as(viewer), reading_in(locale):
                async with trial.world.databases.transaction(tenant) as session:
                    shown = await slot.fill(session, **given)
                    if shown is None:
                        continue
                    scope = {"type": "http", "path": "/", "headers": [], "query_string": b""}
                    shell = Shell(scope=scope, viewer=viewer, locale=locale, development=False)
                    template = renderer.environment.get_template(slot.template)
                    if not template.render(shell=shell, **shown).strip():
                        yield f"{locale}: the part is empty; answer None where nothing is to show"


async def its_pages_write_no_secret_to_the_log(trial: Trial) -> AsyncIterator[str]:
    """Logs are read by more people, and kept elsewhere, than what they speak of."""
    user_id = await trial.site.enrol(trial.here, Role.OWNER)
    async with trial.world.databases.transaction(trial.here) as session:
        token = await trial.site.sessions.begin(session, user_id, "api")
    noted = _Noted()
    logging.getLogger().addHandler(noted)
    try:
        with capture_logs() as logs:
            async with (
                trial.site.visitor(trial.here, authorization=f"Bearer {token}") as program,
                await trial.site.person(trial.here, Role.OWNER) as owner,
            ):
                for route in trial.candidate.routes:
                    await ask(program if route.is_api else owner, route, route.at())
                    if route.is_unsafe:
                        body = {"password": PASSWORD, "email": "ana.planted@people.example"}
                        await owner.request(route.method, route.at(), data=body)
                cookies = list(owner.cookies.values())
    finally:
        logging.getLogger().removeHandler(noted)
    text = "\n".join([*map(str, logs), *noted.lines])
    secrets = {"a session": token, "a password": PASSWORD, "an address": "ana.planted@"}
    for what, secret in [*secrets.items(), *(("a cookie", each) for each in cookies)]:
        if secret in text:
            line = next(each for each in text.splitlines() if secret in each)
            yield f"{what}: {line[:200].replace(secret, '…')}"


class _Noted(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _place(trial: Trial, slot: Slot) -> Place:
    parts: Plugins = trial.site.edge.tenants.state["plugins"]
    offered = (place for part in parts for place in part.places)
    return next(place for place in offered if place.name == slot.name)


def pages(it: Candidate) -> list[Route]:
    """What a browser can be pointed at without knowing any id."""
    return [
        route
        for route in it.routes
        if route.method == "GET" and not (route.is_api or route.parameters or route.saves)
    ]


def at_work(it: Candidate) -> list[Check]:
    """The checks that need tenants."""
    return [
        *alone(its_pages_write_no_secret_to_the_log),
        *for_each(pages(it), the_page_is_rendered_in_each_language),
        *for_each(it.plugin.slots, the_part_is_drawn_in_each_language),
    ]

"""Settings: the page and the API that core draws from the plugin's Struct."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone
from atrium.testing.forms import fields_of
from atrium.testing.trial import Trial
from core.i18n import LOCALES
from core.permissions import Role


def its_settings_are_read_back_as_written(it: Candidate) -> Iterator[str]:
    """They are kept as JSON."""
    assert it.plugin.settings is not None
    chosen = it.plugin.settings()
    again = msgspec.convert(msgspec.to_builtins(chosen), it.plugin.settings, strict=False)
    if again != chosen:
        yield f"{chosen} became {again}"


async def its_settings_can_be_seen_in_each_language(trial: Trial) -> AsyncIterator[str]:
    """An owner sees a field for each."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        for locale in LOCALES:
            page = await owner.get(trial.plugin.settings_path, params={"lang": locale})
            if page.status_code != 200:
                yield f"{locale}: {page.status_code}"
            for name in _fields(trial):
                if f'name="{name}"' not in page.text:
                    yield f"{locale}: there is no field {name}"


async def its_settings_come_back_as_they_were_saved(trial: Trial) -> AsyncIterator[str]:
    """Saving the page without a change changes nothing."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        before = (await owner.get(_api(trial))).json()
        page = await owner.get(trial.plugin.settings_path)
        form = fields_of(page.text, trial.plugin.settings_path)
        answer = await owner.post(form.action, data=form.values)
        after = (await owner.get(_api(trial))).json()
    if answer.status_code != 303:
        yield f"the page was refused: {answer.status_code}"
    for name in before:
        if before[name] != after[name]:
            yield f"{name} was {before[name]!r} and is {after[name]!r}"


async def programs_can_read_and_write_its_settings(trial: Trial) -> AsyncIterator[str]:
    """By the API, with what it gave."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        present = await owner.get(_api(trial))
        answer = await owner.put(
            _api(trial), json=present.json(), headers={"if-match": present.headers["etag"]}
        )
    if answer.status_code != 200 or answer.json() != present.json():
        yield f"{answer.status_code}: {answer.text[:300]}"


async def wrong_settings_are_refused_beside_their_field(trial: Trial) -> AsyncIterator[str]:
    """Whoever typed something wrong is told where, and nothing is saved."""
    async with await trial.site.person(trial.here, Role.OWNER) as owner:
        present: dict[str, Any] = (await owner.get(_api(trial))).json()
        for name in [*_fields(trial), "no_such_setting"]:
            answer = await owner.put(_api(trial), json=present | {name: {"wrong": [1]}})
            if answer.status_code != 422 or name not in _named(answer):
                yield f"{name}: {answer.status_code} {answer.text[:200]}"
        if (await owner.get(_api(trial))).json() != present:
            yield "something was saved all the same"


async def only_owners_change_its_settings(trial: Trial) -> AsyncIterator[str]:
    """Staff and customers are refused; where the plugin is off there is nothing."""
    page, api = trial.plugin.settings_path, _api(trial)
    for tenant, role, right in (
        (trial.here, Role.STAFF, 403),
        (trial.here, Role.MEMBER, 403),
        (trial.without, Role.OWNER, 404),
    ):
        async with await trial.site.person(tenant, role) as person:
            for answer in (await person.get(page), await person.put(api, json={})):
                if answer.status_code != right:
                    yield f"{role} got {answer.status_code}, not {right}"


def _fields(trial: Trial) -> tuple[str, ...]:
    assert trial.plugin.settings is not None
    return trial.plugin.settings.__struct_fields__


def _api(trial: Trial) -> str:
    return f"/api/v1{trial.plugin.settings_path}"


def _named(answer: httpx.Response) -> set[str]:
    """The fields that a problem names, without what lies within them."""
    return {str(each["field"]).partition(".")[0] for each in answer.json().get("errors", ())}


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    return alone(its_settings_are_read_back_as_written) if it.plugin.settings else []


def at_work(it: Candidate) -> list[Check]:
    """The checks that need people."""
    if it.plugin.settings is None:
        return []
    return alone(
        its_settings_can_be_seen_in_each_language,
        its_settings_come_back_as_they_were_saved,
        programs_can_read_and_write_its_settings,
        wrong_settings_are_refused_beside_their_field,
        only_owners_change_its_settings,
    )

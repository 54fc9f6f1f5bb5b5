"""A plugin's settings, drawn from its Struct: changed, told, put back, by one at a time."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Literal

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from atrium.testing.world import World
from core import plugin_settings
from core.errors import EditedMeanwhile
from core.permissions import Role
from core.plugin_settings import services
from core.web.forms.fields import Form, amount, choice, text, tick, whole
from tests.extending.ground import Ground, declare, ground_of

PAGE, API = "/settings/book-shop", "/api/v1/settings/book-shop"


class Shelves(Form, kw_only=True):
    """What a book shop decides."""

    greeting: Annotated[str, text("Greeting", max=40, hint="Shown above the books.")] = "Welcome"
    loan_days: Annotated[int, whole("Loan", min=1, max=90, unit="days")] = 14
    fine: Annotated[Decimal, amount("Fine per day")] = Decimal("0.50")
    order: Annotated[
        Literal["title", "author"], choice("Order", {"title": "By title", "author": "By author"})
    ] = "title"
    open_late: Annotated[bool, tick("Open late")] = False


books = declare("book_shop", settings=Shelves)


@pytest.fixture(scope="module")
async def ground(world: World) -> AsyncIterator[Ground]:
    async with ground_of(world, books) as made:
        yield made


@pytest.fixture
async def owner(ground: Ground) -> AsyncIterator[httpx.AsyncClient]:
    """The owner, of settings as they were in the beginning."""
    async with await ground.site.person(ground.tenant, Role.OWNER) as client:
        await client.put(API, json={})
        yield client


async def present(client: httpx.AsyncClient) -> tuple[dict[str, object], int]:
    answer = await client.get(API)
    return answer.json(), int(answer.headers["etag"].strip('"'))


def posted(page: httpx.Response) -> str:
    """Where the page's form goes to: it names the version that was seen."""
    found = re.search(rf'action="({PAGE}\?version=\d+)"', page.text)
    assert found is not None
    return html.unescape(found[1])


async def test_the_page_is_drawn_from_the_struct(owner: httpx.AsyncClient) -> None:
    """Labels, hints, units and limits are the Struct's; the way there is in the navigation."""
    page = (await owner.get(PAGE)).text
    for words in ("Greeting", "Shown above the books.", "days", 'max="90"', "By author"):
        assert words in page
    assert f'href="{PAGE}"' in page
    assert "Book_shop settings" in page


async def test_a_change_is_kept_told_and_put_back(owner: httpx.AsyncClient) -> None:
    """Who, from what, to what; restoring an earlier version writes a new one."""
    given = {"greeting": "Olá", "loan_days": "21", "fine": "0,75", "order": "author",
             "open_late": "on"}  # fmt: skip
    _, first = await present(owner)
    answer = await owner.post(posted(await owner.get(PAGE)), data=given)
    assert answer.status_code == 303, answer.text
    now, second = await present(owner)
    assert (now["greeting"], now["loan_days"], now["fine"]) == ("Olá", 21, "0.75")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", (await owner.get(PAGE)).text))
    for change in ("Greeting: Welcome → Olá", "Loan: 14 → 21 days", "Fine per day: 0.5 → 0.75",
                   "Order: By title → By author", "Open late: no → yes"):  # fmt: skip
        assert change in page
    assert "Owner Pereira" in page
    back = await owner.post(f"{PAGE}/versions/{first}/restoration?version={second}")
    assert back.status_code == 303
    again, third = await present(owner)
    assert (again["greeting"], third) == ("Welcome", second + 1)
    log = await owner.get("/settings/audit", params={"q": "core.settings_changed"})
    assert "0.75" in log.text


async def test_what_is_wrong_is_said_beside_the_field(owner: httpx.AsyncClient) -> None:
    """And what was typed stays."""
    before = await present(owner)
    answer = await owner.post(posted(await owner.get(PAGE)), data={"loan_days": "91", "fine": "1"})
    assert answer.status_code == 422
    assert 'id="loan_days-error"' in answer.text
    assert answer.text.count('class="at-error"') == 1
    assert 'value="91"' in answer.text
    assert await present(owner) == before


async def test_the_second_of_two_editors_is_told(owner: httpx.AsyncClient) -> None:
    """Nothing is lost; saving again, from the page that says so, is a decision."""
    page = await owner.get(PAGE)
    assert (await owner.post(posted(page), data={"greeting": "First"})).status_code == 303
    answer = await owner.post(posted(page), data={"greeting": "Second"})
    assert answer.status_code == 412
    assert "Somebody else changed this" in answer.text
    assert 'value="Second"' in answer.text
    assert (await present(owner))[0]["greeting"] == "First"
    assert (await owner.post(posted(answer), data={"greeting": "Second"})).status_code == 303
    assert (await present(owner))[0]["greeting"] == "Second"


async def test_programs_change_settings_by_version(owner: httpx.AsyncClient) -> None:
    """PUT with If-Match; a stale one is 412, a wrong field 422 by name, a left-out one default."""
    _, version = await present(owner)
    match = {"if-match": f'"{version}"'}
    answer = await owner.put(API, json={"loan_days": 30}, headers=match)
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{version + 1}"')
    assert answer.json() == {"greeting": "Welcome", "loan_days": 30, "fine": "0.50",
                             "order": "title", "open_late": False}  # fmt: skip
    assert (await owner.put(API, json={"loan_days": 31}, headers=match)).status_code == 412
    wrong = await owner.put(API, json={"loan_days": 0, "colour": "red"})
    assert wrong.status_code == 422
    assert {each["field"] for each in wrong.json()["errors"]} == {"loan_days", "colour"}
    same = await owner.put(API, json={"loan_days": 30})
    assert same.headers["etag"] == f'"{version + 1}"', "what changes nothing makes no version"


async def test_the_api_document_knows_the_settings(owner: httpx.AsyncClient) -> None:
    """A program finds each plugin's fields and limits there."""
    document = (await owner.get("/api/v1/openapi.json")).json()
    assert {"get", "put"} <= document["paths"][API].keys()
    shelves = next(v for k, v in document["components"]["schemas"].items() if "Shelves" in k)
    assert shelves["properties"]["loan_days"]["maximum"] == 90


async def test_only_who_may_change_settings_sees_them(ground: Ground) -> None:
    """Staff are refused; a tenant without the plugin has no such page, whatever the method."""
    async with await ground.site.person(ground.tenant, Role.STAFF) as colleague:
        assert (await colleague.get(PAGE)).status_code == 403
        assert (await colleague.put(API, json={})).status_code == 403
    async with await ground.site.person(ground.site.world.acme, Role.OWNER) as stranger:
        for path in (PAGE, API, f"{PAGE}/versions/1/restoration"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                assert (await stranger.request(method, path)).status_code == 404


async def test_of_changes_at_once_one_wins(ground: Ground) -> None:
    """Ten editors who saw the same version: one version more, nine are told."""
    databases = ground.site.world.databases

    async def change(number: int, seen: int) -> bool:
        try:
            async with databases.transaction(ground.tenant) as session:
                wanted = Shelves(greeting=f"Number {number}")
                await plugin_settings.save(session, "race", wanted, seen)
        except EditedMeanwhile:
            return False
        return True

    assert sum(await asyncio.gather(*(change(each, 0) for each in range(10)))) == 1
    assert sum(await asyncio.gather(*(change(each + 10, 1) for each in range(10)))) == 1


async def test_settings_of_an_older_plugin_are_read(ground: Ground) -> None:
    """A field that is gone is passed over, a value that is no longer allowed is the default."""
    stored = {"greeting": "Hello", "loan_days": 365, "shelf_marks": True}
    with capture_logs() as logs:
        found = services.convert("book_shop", stored, Shelves)
    assert found == Shelves(greeting="Hello")
    assert [each["field"] for each in logs if each["event"] == "settings.outdated"] == ["loan_days"]


class Stricter(Form, kw_only=True):
    """The same shop's settings after an upgrade that has a rule between two fields."""

    loan_days: Annotated[int, whole("Loan", min=1, max=90)] = 14
    reminder_days: Annotated[int, whole("Reminder", min=1, max=90)] = 7

    def __post_init__(self) -> None:
        if self.reminder_days >= self.loan_days:
            raise ValueError("remind before it is due")


def test_settings_that_an_upgrade_refuses_together_are_the_defaults() -> None:
    """Each field alone may be as it is; the tenant's pages go on."""
    with capture_logs() as logs:
        assert services.convert("book_shop", {"loan_days": 5}, Stricter) == Stricter()
    assert [each["event"] for each in logs] == ["settings.outdated"]


@pytest.mark.parametrize("version", [99, -1, 2**40])
async def test_a_version_that_never_was_cannot_be_put_back(
    owner: httpx.AsyncClient, version: int
) -> None:
    """However large or small."""
    answer = await owner.post(f"{PAGE}/versions/{version}/restoration")
    assert answer.status_code == 404


async def test_many_changes_are_told_by_page(owner: httpx.AsyncClient) -> None:
    """Twenty at a time, the last of a page compared with the first of the next."""
    for number in range(services.PAGE_SIZE + 2):
        assert (await owner.put(API, json={"loan_days": number + 20})).status_code == 200
    first = await owner.get(PAGE)
    assert first.text.count("at-timeline-icon") == services.PAGE_SIZE
    following = re.search(r'href="(\?cursor=\d+)"', first.text)
    assert following is not None
    second = await owner.get(PAGE + following[1])
    assert "→" in second.text
    assert msgspec.json.decode((await owner.get(API)).content)["loan_days"] == 41

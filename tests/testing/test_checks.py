"""The conformance checks find what they are for: each is shown a plugin with that very fault."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from litestar import get, post
from sqlalchemy import Column, Table, Text

from atrium.testing import checks
from atrium.testing.checks.candidate import Candidate, NotInstalled
from atrium.testing.checks.check import Check, Nonconformant
from core.db import Base
from core.events import Event
from core.flags import Flag
from core.i18n import _
from core.jobs import Schedule, actor
from core.notices import Notice
from core.permissions import Permission, Role, permission, public
from core.personal import PersonalData
from core.plugin import Meter, NavItem, Plugin, Plugins, Slot
from core.webhooks import Webhook
from tenants.installed import installed

MIGRATION = """
from alembic import op
revision = {revision!r}
down_revision = None
def upgrade():
    {body}
"""


class Told(Event):
    """Something happened."""

    name = "sample.told"


@actor("sample.listen")
async def listen(session: Any) -> None:
    """Takes no event."""


@actor("sample.count")
async def count(session: Any, number) -> None:  # type: ignore[no-untyped-def]  # that is the fault
    """Nobody knows of which type the number is."""


@get("/sample/page", access=permission("sample.see"), sync_to_thread=False)
def page() -> None:
    """A page."""


@get("/sample/api", access=permission("sample.never_declared"), sync_to_thread=False)
def undeclared() -> None:
    """A page whose permission nobody declares."""


@post("/api/v1/sample/things", access=public, sync_to_thread=False)
def create() -> None:
    """Creates, and twice if asked twice."""


SEE = Permission("sample.see", _("See"))
ITEM = NavItem(title=_("Sample"), path="/sample/page", icon="box", permission="sample.see")


def thing(**faults: Any) -> Flag:
    """A flag that is right, but for ``faults``."""
    usual = {"title": _("Thing"), "hint": _("A thing"), "sunset": date(2199, 1, 1)}
    return Flag(key="sample.thing", **(usual | faults))


def told(**changes: Any) -> Notice:
    """A kind of notification that is right, but for ``changes``."""
    right: dict[str, Any] = {"title": _("Points"), "text": _("{points} points")}
    return Notice(name="sample.points", **(right | changes))


class Sold(Event, frozen=True, kw_only=True):
    """Something was sold."""

    name: ClassVar[str] = "sample.sold"


class Mute(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "sample.mute"


class Indiscreet(Event, frozen=True, kw_only=True):
    """Somebody bought something."""

    name: ClassVar[str] = "sample.indiscreet"

    email: str


def outward(**changes: Any) -> Webhook:
    """An event for programs that is right, but for ``changes``."""
    right: dict[str, Any] = {"event": Sold, "title": _("Sold"), "example": Sold()}
    return Webhook(**(right | changes))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package ``sample_package`` for files of a test's own."""
    folder = tmp_path / "sample_package"
    (folder / "templates/sample").mkdir(parents=True)
    (folder / "static/screenshots").mkdir(parents=True)
    (folder / "about").mkdir()
    for code in ("en", "pt"):
        (folder / f"about/{code}.md").write_text("It is a *sample*.")
    (folder / "migrations/versions").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("sample_package", None)


def candidate(**fields: Any) -> Candidate:
    """A plugin that is right, but for ``fields``."""
    plugin = Plugin(
        **{
            "name": "sample",
            "title": _("Sample"),
            "summary": _("A sample"),
            "version": "1.0",
            "core_versions": ">=0.1",
            "package": "sample_package",
            **fields,
        }
    )
    entry = EntryPoint("sample", "tests.testing.test_checks:plugin", "atrium.plugins")
    return Candidate(plugin, entry, Plugins({"sample": plugin}))


def failing(found: list[Check], it: Candidate) -> set[str]:
    """The names of the checks that find a fault."""
    names = set()
    for check in found:
        if check.find.__name__.startswith(("it_is_found", "its_version_is_that")):
            continue  # about its distribution, which it has not
        try:
            check.declared(it)()
        except Nonconformant:
            names.add(check.find.__name__)
    return names


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"version": "one"}, "its_version_can_be_compared"),
        ({"core_versions": ""}, "it_says_with_which_atrium_it_works"),
        ({"title": "Sample"}, "its_title_and_summary_are_texts"),
        ({"icon": "no-such-icon-at-all"}, "its_icon_exists"),
        ({"home": "/sample/nowhere"}, "its_home_is_a_page_for_everybody"),
        ({"desk": "/sample/nowhere"}, "its_desk_is_a_page_of_its_own"),
        ({"controllers": (undeclared,)}, "its_permissions_are_all_declared"),
        ({"extensions": ("x; DROP",)}, "its_extensions_have_plain_names"),
        ({"navigation": (ITEM,)}, "the_page_exists"),
        (
            {
                "controllers": (page,),
                "permissions": (SEE,),
                "navigation": (NavItem(title=_("Sample"), path="/sample/page", icon="box"),),
            },
            "who_sees_the_entry_may_follow_it",
        ),
        (
            {"navigation": (NavItem(title="Plain", path="/sample", icon="box"),)},
            "the_entry_can_be_drawn",
        ),
        ({"permissions": (SEE,)}, "the_permission_is_asked_for"),
        ({"permissions": (Permission("sample.see", "See"),)}, "the_permission_can_be_explained"),
        (
            {"permissions": (Permission("sample.see", _("See"), frozenset({Role.MEMBER})),)},
            "customers_do_not_have_the_permission",
        ),
        (
            {"meters": (Meter(name="sample.used", title=_("Used"), unit=""),)},
            "the_meter_can_be_billed",
        ),
        (
            {"flags": (thing(title="Thing"),)},
            "the_flag_can_be_explained",
        ),
        (
            {"flags": (thing(default="no"),)},
            "the_flag_is_declared_on_or_off",
        ),
        (
            {"flags": (thing(sunset=date(2020, 1, 1)),)},
            "the_flag_will_go",
        ),
        ({"webhooks": (outward(title="Sold"),)}, "it_can_be_chosen"),
        ({"webhooks": (outward(event=Mute, example=Mute()),)}, "it_can_be_chosen"),
        ({"webhooks": (outward(example=Mute()),)}, "its_example_is_one"),
        (
            {"webhooks": (outward(event=Indiscreet, example=Indiscreet(email="a@b.example")),)},
            "it_tells_of_no_people",
        ),
        ({"notices": (told(title="Points"),)}, "the_notice_can_be_read"),
        ({"notices": (told(title=_("Points" * 20)),)}, "the_notice_can_be_read"),
        ({"notices": (told(text="Points"),)}, "the_notice_can_be_read"),
        ({"notices": (told(text=_("{points:.2f} points")),)}, "its_text_has_plain_places"),
        ({"notices": (told(text=_("{} points")),)}, "its_text_has_plain_places"),
        ({"notices": (told(text=_("{points")),)}, "its_text_has_plain_places"),
        ({"notices": (told(icon="no-such-icon-at-all"),)}, "its_icon_can_be_drawn"),
        ({"notices": (told(audience=SEE),)}, "its_audience_is_declared"),
        ({"controllers": (create,)}, "the_api_route_that_creates_is_idempotent"),
        ({"actors": (count,)}, "the_actor_can_be_called"),
        (
            {"actors": (count,), "schedules": (Schedule(actor=count, cron="1 1 * * *"),)},
            "the_schedule_needs_no_arguments",
        ),
        (
            {"actors": (listen,), "listeners": {Told: (listen,)}},
            "its_listeners_take_their_events",
        ),
        (
            {"slots": (Slot(name="account", template="sample/none.html", fill=listen.body),)},
            "its_slots_have_templates",
        ),
        (
            {"slots": (Slot(name="nobody.offers", template="x", fill=listen.body),)},
            "it_is_at_peace_with_all_others",
        ),
        ({"name": "account"}, "it_is_at_peace_with_all_others"),
    ],
)
def test_a_bad_declaration_is_found(package: Path, fields: dict[str, Any], found: str) -> None:
    it = candidate(**fields)
    assert found in failing(checks.declared(it), it)


def test_a_kind_of_notification_that_is_told_and_not_declared_is_found(package: Path) -> None:
    """And one that is right is no fault."""
    (package / "told.py").write_text(
        "from core.notices import Notice\nTOLD = Notice(name='sample.told', title='a', text='b')\n"
    )
    declared_one = importlib.import_module("sample_package.told").TOLD
    it = candidate()
    assert "what_it_tells_of_is_declared" in failing(checks.declared(it), it)
    right = candidate(notices=(declared_one,))
    assert "what_it_tells_of_is_declared" not in failing(checks.declared(right), right)
    sys.modules.pop("sample_package.told")


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("services.py", "from tenants import catalogue", "it_imports_core_alone"),
        ("services.py", "import atrium.asgi", "it_imports_core_alone"),
        ("services.py", "async def f(session): await session.commit()", "it_ends_no_transaction"),
        ("services.py", "import os\nHOST = os.environ['HOST']", "it_reads_no_environment"),
        ("services.py", "print('hello')", "it_prints_nothing"),
        ("services.py", 'from core.i18n import _\nA = _("New")', "every_text_is_translated"),
        ("templates/sample/a.html", "{% if %}", "the_template_compiles"),
        ("templates/sample/a.html", "{% extends 'no.html' %}", "the_template_compiles"),
        ("templates/a.html", "fine", "the_template_lies_in_its_own_folder"),
        ("templates/sample/a.html", "<p style='x'>", "the_template_keeps_the_policy"),
        ("templates/sample/a.html", "<script>1</script>", "the_template_keeps_the_policy"),
        (
            "templates/sample/a.html",
            "<script src='https://cdn.example/x.js'></script>",
            "the_template_keeps_the_policy",
        ),
        ("templates/sample/a.html", "{{ typed|safe }}", "the_template_escapes_what_it_shows"),
        ("templates/sample/a.html", "{{ icon('no-such-one') }}", "the_templates_icons_exist"),
        ("about/pt.md", " ", "it_says_what_it_does_in_every_language"),
        ("about/en.md", "---", "it_says_what_it_does_in_every_language"),
        ("static/screenshots/1.png", "no picture", "its_screenshots_are_pictures"),
        ("static/screenshots/1.svg", "<svg/>", "its_screenshots_are_pictures"),
        ("static/a.js", "eval('1')", "its_scripts_and_styles_keep_the_policy"),
        ("static/a.css", "@import 'https://x.example'", "its_scripts_and_styles_keep_the_policy"),
    ],
)
def test_a_bad_file_is_found(package: Path, file: str, content: str, found: str) -> None:
    (package / file).write_text(content)
    it = candidate()
    assert found in failing(checks.declared(it), it)


@pytest.mark.parametrize(
    ("revision", "body", "found"),
    [
        ("sample_0001", "op.get_bind().scalar('x')", "its_migrations_compile_offline"),
        ("other_0001", "op.execute('SELECT 1')", "its_revisions_bear_its_name"),
        ("sample_0001", "op.execute('GRANT x TO y')", "the_revision_keeps_to_its_schema"),
        ("sample_0001", "op.execute('UPDATE x SET y = 1')", "the_revision_changes_no_data"),
        (
            "sample_0001",
            "op.execute('ALTER TABLE a RENAME TO b')",
            "its_migrations_compile_offline",
        ),
    ],
)
def test_a_bad_migration_is_found(package: Path, revision: str, body: str, found: str) -> None:
    file = package / "migrations/versions/sample_0001.py"
    file.write_text(MIGRATION.format(revision=revision, body=body))
    it = candidate()
    assert found in failing(checks.declared(it), it)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (None, "its_migrations_can_be_undone_offline"),
        ("pass", "its_migrations_can_be_undone_offline"),
        ("op.get_bind().scalar('x')", "its_migrations_can_be_undone_offline"),
        ("op.execute('GRANT x TO y')", "the_way_back_keeps_to_its_schema"),
        ("op.drop_table('users')", "the_way_back_touches_its_own_tables_alone"),
        ("op.drop_column('users', 'name')", "the_way_back_touches_its_own_tables_alone"),
    ],
)
def test_a_bad_way_back_is_found(package: Path, body: str | None, found: str) -> None:
    """Missing, empty, in need of a database, or over somebody else's."""
    made = MIGRATION.format(revision="sample_0001", body="op.execute('SELECT 1')")
    if body is not None:
        made += f"\n\ndef downgrade():\n    {body}\n"
    (package / "migrations/versions/sample_0001.py").write_text(made)
    it = candidate()
    assert found in failing(checks.declared(it), it)


class Kept(msgspec.Struct):
    """Settings that come back as something else."""

    words: tuple[str, ...] = ("a",)
    ratio: object = frozenset({1})


def test_settings_that_json_changes_are_found(package: Path) -> None:
    it = candidate(settings=Kept)
    assert "its_settings_are_read_back_as_written" in failing(checks.declared(it), it)


def test_a_table_of_people_that_nobody_lists_is_found(package: Path) -> None:
    email, line = Column("email", Text, primary_key=True), {"line": "sample", "keeps": _("People")}
    table = Table("sample_people", Base.metadata, email, info=line)
    try:
        it = candidate()
        assert failing(checks.declared(it), it) == {"every_table_that_tells_of_people_is_listed"}
        kept = PersonalData(name="sample.people", title=_("People"), tables=("else",), export=none)
        it = candidate(personal=(kept,))
        assert "what_is_listed_is_there" in failing(checks.declared(it), it)
    finally:
        Base.metadata.remove(table)


async def none(session: Any, user_id: Any) -> list[Any]:
    """Tells nothing."""
    return []


def test_a_plugin_without_a_fault_passes(package: Path) -> None:
    (package / "templates/sample/page.html").write_text("<p>{{ typed }}</p>")
    it = candidate(controllers=(page,), permissions=(SEE,), navigation=(ITEM,))
    assert failing(checks.declared(it), it) == set()


def test_a_plugin_that_is_not_installed_is_named() -> None:
    with pytest.raises(NotInstalled, match="no distribution here has an entry point 'nowhere'"):
        Candidate.named("nowhere")


def test_there_are_more_than_fifty_kinds_of_checks() -> None:
    """Of a product that has something of everything."""
    plugins = installed()
    (entry,) = entry_points(group="atrium.plugins", name="car_hire")
    it = Candidate(plugins.working["car_hire"], entry, plugins)
    found = [*checks.declared(it), *checks.at_work(it), *checks.in_a_browser(it)]
    assert len({check.find.__name__ for check in found}) >= 80

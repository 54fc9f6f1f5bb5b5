"""What the declaration says of itself: names, pages, icons, permissions, meters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.routes import Route
from core import clock
from core.agreement import Surroundings
from core.flags import Flag
from core.i18n import LazyText
from core.permissions import CORE_PERMISSIONS, Permission, Role, held_by
from core.plugin import Meter, NavItem
from core.web.icons import UnknownIcon, icon
from tenants.installed import HOUSE

_EXTENSION: Final = re.compile(r"[a-z][a-z0-9_-]*")
_LONGEST_TITLE: Final = 40
_LONGEST_SUMMARY: Final = 200


def it_is_found_by_its_entry_point(it: Candidate) -> Iterator[str]:
    """The entry point's name is how an installation speaks of the plugin."""
    if it.entry.load() is not it.plugin:
        yield f"{it.entry.value} gives another plugin each time"
    if it.entry.name != it.plugin.name:
        yield f"the entry point says {it.entry.name}, the declaration {it.plugin.name}"


def it_is_at_peace_with_all_others(it: Candidate) -> Iterator[str]:
    """A name, a path or a place that is somebody else's would have it passed over at start."""
    yield from Surroundings.of(HOUSE, it.plugins).objections(it.plugin)


def its_version_can_be_compared(it: Candidate) -> Iterator[str]:
    """Upgrades are told from downgrades by it, as PEP 440 compares versions."""
    try:
        Version(it.plugin.version)
    except InvalidVersion:
        yield f"version {it.plugin.version!r} is none of PEP 440"


def its_version_is_that_of_its_distribution(it: Candidate) -> Iterator[str]:
    """Who reads the version in the console must find that one on the package index."""
    assert it.entry.dist is not None
    if it.entry.dist.name != "atrium" and it.entry.dist.version != it.plugin.version:
        yield f"the distribution is {it.entry.dist.version}, the plugin {it.plugin.version}"


def it_says_with_which_atrium_it_works(it: Candidate) -> Iterator[str]:
    """A plugin that says nothing would be loaded by an Atrium that it cannot work with."""
    if not list(SpecifierSet(it.plugin.core_versions)):
        yield "core_versions is empty; say for example '>=0.1,<1'"


def its_title_and_summary_are_texts(it: Candidate) -> Iterator[str]:
    """People choose products by them, in their language; a page has so much room."""
    for name, longest in (("title", _LONGEST_TITLE), ("summary", _LONGEST_SUMMARY)):
        text = getattr(it.plugin, name)
        if not isinstance(text, LazyText):
            yield f'{name} cannot be translated: write _("{text}")'
        if not 0 < len(str(text)) <= longest:
            yield f"{name} has {len(str(text))} characters; 1 to {longest} fit"


def its_icon_exists(it: Candidate) -> Iterator[str]:
    """A page that shows an icon that is not there cannot be rendered."""
    yield from _icon(it.plugin.icon)


def its_folder_is_a_package(it: Candidate) -> Iterator[str]:
    """Templates, migrations and static files are found beside the module ``package``."""
    if not (it.plugin.folder / "__init__.py").is_file():
        yield f"{it.plugin.folder} has no __init__.py"


def its_home_is_a_page_for_everybody(it: Candidate) -> Iterator[str]:
    """A visitor who has just found the business lands there."""
    route = _page(it, it.plugin.home)
    if it.plugin.home is not None and (route is None or route.access.kind == "permission"):
        yield f"home {it.plugin.home} is not a page that visitors or customers may see"


def its_desk_is_a_page_of_its_own(it: Candidate) -> Iterator[str]:
    """Staff land there after they sign in."""
    if it.plugin.desk is not None and _page(it, it.plugin.desk) is None:
        yield f"desk {it.plugin.desk} is no page of this plugin"


def its_permissions_are_all_declared(it: Candidate) -> Iterator[str]:
    """Nobody could be given a permission that is asked for and not declared."""
    known = {each.name for each in (*it.plugin.permissions, *CORE_PERMISSIONS)}
    asked = {f"{route}": route.access.permission for route in it.routes}
    asked |= {f"navigation {item.path}": item.permission for item in it.plugin.navigation}
    asked |= {f"slot {slot.name}": slot.permission for slot in it.plugin.slots}
    for what, name in asked.items():
        if name is not None and name not in known:
            yield f"{what} asks for {name!r}, which is not declared"


def its_extensions_have_plain_names(it: Candidate) -> Iterator[str]:
    """They are installed by name, once per database, by the administrator."""
    for name in it.plugin.extensions:
        if not _EXTENSION.fullmatch(name):
            yield f"{name!r}"


def the_page_exists(it: Candidate, item: NavItem) -> Iterator[str]:
    """The navigation must not lead to a page that is not found."""
    if _page(it, item.path) is None:
        yield f"nothing of this plugin answers to GET {item.path}"


def who_sees_the_entry_may_follow_it(it: Candidate, item: NavItem) -> Iterator[str]:
    """An entry that leads to "not allowed" should not be shown."""
    route = _page(it, item.path)
    if route and route.access.kind == "permission" and route.access.permission != item.permission:
        yield f"the page asks for {route.access.permission}, the entry for {item.permission}"


def the_entry_can_be_drawn(it: Candidate, item: NavItem) -> Iterator[str]:
    """Every page shows the navigation: one bad entry would break them all."""
    yield from _icon(item.icon)
    if item.area not in {"site", "desk", "account"}:
        yield f"there is no area {item.area!r}: choose site or desk"
    if not isinstance(item.title, LazyText):
        yield f'the title cannot be translated: write _("{item.title}")'


def the_permission_can_be_explained(it: Candidate, permission: Permission) -> Iterator[str]:
    """Owners give and take permissions by reading these words."""
    if not isinstance(permission.title, LazyText) or not str(permission.title):
        yield f'the title of {permission.name} cannot be translated: write _("…")'


def the_permission_is_asked_for(it: Candidate, permission: Permission) -> Iterator[str]:
    """A permission that opens nothing misleads whoever gives it."""
    asked = {route.access.permission for route in it.routes}
    asked |= {slot.permission for slot in it.plugin.slots}
    if permission.name not in asked:
        yield f"no route and no slot asks for {permission.name}"


def customers_do_not_have_the_permission(it: Candidate, permission: Permission) -> Iterator[str]:
    """Customers sign themselves up: what they may do needs no permission, but access=member."""
    if permission.name in held_by(Role.MEMBER, it.plugin.permissions):
        yield f"{permission.name} is given to members"


def owners_have_the_permission(it: Candidate, permission: Permission) -> Iterator[str]:
    """Nobody could give it to anybody else."""
    if permission.name not in held_by(Role.OWNER, it.plugin.permissions):
        yield f"{permission.name} is not held by owners"


def the_meter_can_be_billed(it: Candidate, meter: Meter) -> Iterator[str]:
    """It stands on an invoice: what was counted, and in which unit."""
    if not meter.unit or not isinstance(meter.title, LazyText):
        yield f"{meter.name} needs a unit and a title that can be translated"


def the_flag_can_be_explained(it: Candidate, flag: Flag) -> Iterator[str]:
    """Owners and operators switch it by reading these words, in their language."""
    for name in ("title", "hint"):
        text = getattr(flag, name)
        if not isinstance(text, LazyText) or not str(text):
            yield f'the {name} of {flag.key} cannot be translated: write _("…")'
    if len(str(flag.title)) > _LONGEST_TITLE:
        yield f"the title of {flag.key} is longer than {_LONGEST_TITLE} characters"


def the_flag_is_declared_on_or_off(it: Candidate, flag: Flag) -> Iterator[str]:
    """What is neither would be on wherever code asks for it."""
    if not isinstance(flag.default, bool):
        yield f"the default of {flag.key} is {flag.default!r}, neither True nor False"
    if flag.switched_by not in {"owner", "operator"}:
        yield f"{flag.key} is switched by {flag.switched_by!r}; choose owner or operator"


def the_flag_will_go(it: Candidate, flag: Flag) -> Iterator[str]:
    """Each flag doubles the number of ways in which the software can behave: give the feature to
    everybody, make it a setting, or drop it."""
    if flag.sunset <= clock.today("UTC"):
        yield f"{flag.key} was to be gone by {flag.sunset}"


def _page(it: Candidate, path: str | None) -> Route | None:
    found = (route for route in it.routes if route.method == "GET" and route.path == path)
    return next(found, None)


def _icon(name: str) -> Iterator[str]:
    try:
        icon(name)
    except UnknownIcon as problem:
        yield str(problem)


def checks(it: Candidate) -> list[Check]:
    """The checks of this module for ``it``."""
    plugin = it.plugin
    return [
        *alone(
            it_is_found_by_its_entry_point,
            it_is_at_peace_with_all_others,
            its_version_can_be_compared,
            its_version_is_that_of_its_distribution,
            it_says_with_which_atrium_it_works,
            its_title_and_summary_are_texts,
            its_icon_exists,
            its_folder_is_a_package,
            its_home_is_a_page_for_everybody,
            its_desk_is_a_page_of_its_own,
            its_permissions_are_all_declared,
            its_extensions_have_plain_names,
        ),
        *for_each(
            plugin.navigation,
            the_page_exists,
            who_sees_the_entry_may_follow_it,
            the_entry_can_be_drawn,
        ),
        *for_each(
            plugin.permissions,
            the_permission_can_be_explained,
            the_permission_is_asked_for,
            customers_do_not_have_the_permission,
            owners_have_the_permission,
        ),
        *for_each(plugin.meters, the_meter_can_be_billed),
        *for_each(
            plugin.flags,
            the_flag_can_be_explained,
            the_flag_is_declared_on_or_off,
            the_flag_will_go,
        ),
    ]

"""What lies in a plugin's folder: code, templates, static files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from jinja2 import TemplateError, nodes
from jinja2.meta import find_referenced_templates

from atrium.api import strangers
from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from core.i18n import LOCALES
from core.portrait import SCREENSHOTS, about_file
from core.terms.text import rendered
from core.web.icons import UnknownIcon, icon
from core.web.static import Static
from core.web.templating import environment

Node = TypeVar("Node", bound=nodes.Node)

_OURS_ALONE: Final = ("atrium", "tenants", "workers", "plugins")
_INLINE: Final = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\bon[a-z]+\s*=\s*[\"']|\bstyle\s*=")
_ELSEWHERE: Final = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"'](?:https?:)?//"
)
_EVAL: Final = re.compile(r"\beval\s*\(|\bnew Function\s*\(|\bdocument\.write\s*\(")
_LARGEST_FILE: Final = 2_000_000
_LARGEST_PICTURE: Final = 300_000


def it_imports_core_alone(it: Candidate) -> Iterator[str]:
    """What else Atrium consists of may change from one day to the next."""
    own = it.plugin.package.split(".")[0]
    for module in it.modules:
        for name in _imports(module):
            top = name.split(".")[0]
            if top in _OURS_ALONE and not (top == own and name.startswith(it.plugin.package)):
                yield f"{it.shown(module)} imports {name}"


def it_uses_what_is_announced_alone(it: Candidate) -> Iterator[str]:
    """What docs/reference/api.md does not name may change without a word.

    Products that come with Atrium change with it.
    """
    if it.entry.dist is not None and it.entry.dist.name != "atrium":
        for module in it.modules:
            for name in strangers(module.read_text(encoding="utf-8")):
                yield f"{it.shown(module)} uses {name}"


def it_ends_no_transaction(it: Candidate) -> Iterator[str]:
    """A request or a job is one transaction: half of one is a broken promise to a person."""
    for module in it.modules:
        for call in _calls(module):
            if ast.unparse(call.func).endswith(("session.commit", "session.rollback")):
                yield f"{it.shown(module)}:{call.lineno} calls {ast.unparse(call.func)}()"


def it_reads_no_environment(it: Candidate) -> Iterator[str]:
    """A tenant's choices are settings; an installation's are Atrium's own."""
    for module in it.modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                yield f"{it.shown(module)}:{node.lineno} reads os.{node.attr}"


def it_prints_nothing(it: Candidate) -> Iterator[str]:
    """What is printed bears no tenant, and is not cleaned of secrets: log by structlog."""
    for module in it.modules:
        for call in _calls(module):
            if isinstance(call.func, ast.Name) and call.func.id == "print":
                yield f"{it.shown(module)}:{call.lineno}"


def its_slots_have_templates(it: Candidate) -> Iterator[str]:
    """A part without its template is never shown."""
    known = set(environment([it.plugin.folder / "templates"]).list_templates())
    for slot in it.plugin.slots:
        if slot.template not in known:
            yield f"{slot.name}: there is no {slot.template}"


def its_static_files_can_be_asked_for(it: Candidate) -> Iterator[str]:
    """They are read when a process starts, and sent to phones."""
    static = Static([it.plugin])
    for path in it.static:
        name = path.relative_to(it.plugin.folder / "static").as_posix()
        asset = static.find(static.url(f"{it.plugin.name}/{name}").removeprefix("/static/"))
        if asset is None:
            yield f"{name} is not found"
        elif len(asset[0].body) > _LARGEST_FILE:
            yield f"{name} is larger than {_LARGEST_FILE:,} bytes"


def it_says_what_it_does_in_every_language(it: Candidate) -> Iterator[str]:
    """Whoever chooses it reads this first, on its page in the portal."""
    for code in LOCALES:
        file = about_file(it.plugin, code)
        if not file.is_file() or not rendered(file.read_text(encoding="utf-8")).striptags():
            yield f"write {it.shown(file)}, in Markdown"


def its_screenshots_are_pictures(it: Candidate) -> Iterator[str]:
    """They are shown on its page in the portal, to people with slow lines too."""
    folder = it.plugin.folder / "static" / SCREENSHOTS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix != ".png" or not path.read_bytes().startswith(b"\x89PNG\r\n"):
            yield f"{it.shown(path)} is no PNG"
        elif path.stat().st_size > _LARGEST_PICTURE:
            yield f"{it.shown(path)} is larger than {_LARGEST_PICTURE:,} bytes"


def its_scripts_and_styles_keep_the_policy(it: Candidate) -> Iterator[str]:
    """The Content-Security-Policy lets no page evaluate text, nor load from elsewhere."""
    for path in it.static:
        if path.suffix in {".js", ".mjs", ".css"}:
            text = path.read_text(encoding="utf-8")
            if _EVAL.search(text) or re.search(r"@import\s+(url\()?[\"']?https?:", text):
                yield it.shown(path)


def the_template_compiles(it: Candidate, name: str) -> Iterator[str]:
    """Also what it extends, includes and imports must be there."""
    jinja = environment([it.plugin.folder / "templates"])
    try:
        jinja.get_template(name)
    except TemplateError as problem:
        yield f"{problem}"
        return
    known = set(jinja.list_templates())
    for other in find_referenced_templates(jinja.parse(_text(it, name))):
        if other is not None and other not in known:
            yield f"it refers to {other}, which is not there"


def the_template_lies_in_its_own_folder(it: Candidate, name: str) -> Iterator[str]:
    """All templates share one name space: one of the same name would hide another's."""
    if not name.startswith(f"{it.plugin.name}/"):
        yield f"move it to templates/{it.plugin.name}/"


def the_template_keeps_the_policy(it: Candidate, name: str) -> Iterator[str]:
    """Browsers refuse inline scripts and styles, and whatever comes from elsewhere."""
    text = re.sub(r"\{#.*?#\}", "", _text(it, name), flags=re.DOTALL)
    if name.endswith(".html") and "/mail/" not in name:
        for shape in (_INLINE, _ELSEWHERE):
            for found in shape.finditer(text):
                yield f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]}"


def the_template_escapes_what_it_shows(it: Candidate, name: str) -> Iterator[str]:
    """Whatever a person typed may be a script."""
    for node in _nodes(it, name, nodes.Filter):
        if node.name == "safe":
            yield f"line {node.lineno}: |safe"


def the_templates_icons_exist(it: Candidate, name: str) -> Iterator[str]:
    """A page that shows an icon that is not there cannot be rendered."""
    for call in _nodes(it, name, nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "icon" and call.args:
            first: Any = call.args[0]
            if isinstance(first, nodes.Const):
                try:
                    icon(first.value)
                except UnknownIcon as problem:
                    yield f"line {call.lineno}: {problem}"


def _nodes(it: Candidate, name: str, kind: type[Node]) -> list[Node]:
    """Those of a template; none if it cannot be read: that is said once."""
    try:
        tree = environment([it.plugin.folder / "templates"]).parse(_text(it, name))
    except TemplateError:
        return []
    return list(tree.find_all(kind))


def _text(it: Candidate, name: str) -> str:
    return (it.plugin.folder / "templates" / name).read_text(encoding="utf-8")


def _imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _calls(module: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def checks(it: Candidate) -> list[Check]:
    """The checks of this module for ``it``."""
    return [
        *alone(
            it_imports_core_alone,
            it_uses_what_is_announced_alone,
            it_ends_no_transaction,
            it_reads_no_environment,
            it_prints_nothing,
            its_slots_have_templates,
            its_static_files_can_be_asked_for,
            it_says_what_it_does_in_every_language,
            its_screenshots_are_pictures,
            its_scripts_and_styles_keep_the_policy,
        ),
        *for_each(
            it.templates,
            the_template_compiles,
            the_template_lies_in_its_own_folder,
            the_template_keeps_the_policy,
            the_template_escapes_what_it_shows,
            the_templates_icons_exist,
        ),
    ]

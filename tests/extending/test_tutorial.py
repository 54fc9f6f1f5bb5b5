"""The tutorial's own words, put together as it says, are a plugin that works."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from atrium.testing.distributions import install, run
from atrium.testing.world import World
from core.agreement import agreed
from core.db import Base
from core.permissions import Role
from core.plugin import Plugin, Plugins
from tenants.installed import HOUSE
from tenants.migration.lines import compile_lines
from tests.extending.ground import ground_of
from tests.plugins.car_hire.shop import Shop

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
FILES = {
    "python": ["models.py", "migrations/versions/guestbook_0001.py", "services.py", "routes.py",
               "plugin.py", "settings.py", "slots.py", "rates.py",
               "../tests/test_conformance.py"],
    "toml": ["../pyproject.toml"],
    "markdown": ["about/en.md", "about/pt.md"],
    "jinja": ["templates/guestbook/book.html", "templates/guestbook/newest.html"],
}  # fmt: skip
"""Where the tutorial has its blocks put, in their order."""


def write(folder: Path) -> None:
    """The package as a reader would have it after the last step."""
    found = re.findall(
        r"```(python|jinja|toml|markdown)\n(.*?)```", TUTORIAL.read_text(), re.DOTALL
    )
    for kind, names in FILES.items():
        blocks = [text for language, text in found if language == kind]
        for name, text in zip(names, blocks, strict=True):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    (folder / "__init__.py").touch()
    amend(
        folder / "plugin.py",
        ("from guestbook.routes import Book\n", "from guestbook.routes import Book\n"
         "from guestbook.settings import Choices\nfrom guestbook.slots import SLOTS\n"
         "from guestbook.rates import EXTENDS\n"),
        ("controllers=(Book,),", "controllers=(Book,), settings=Choices, slots=SLOTS,"
         " extends=EXTENDS,"),
    )  # fmt: skip
    amend(
        folder / "services.py",
        ("from sqlalchemy import select", "from core import plugin_settings\n"
         "from guestbook.settings import Choices\nfrom sqlalchemy import select"),
        ("    rows = await", "    chosen = await plugin_settings.read("
         "session, 'guestbook', Choices)\n    rows = await"),
        (".limit(50)", ".limit(chosen.shown)"),
    )  # fmt: skip


def amend(file: Path, *changes: tuple[str, str]) -> None:
    """What the tutorial says in a sentence about a file that it showed before."""
    text = file.read_text()
    for old, new in changes:
        assert old in text, f"{file.name} has no {old!r}"
        text = text.replace(old, new)
    file.write_text(text)


@pytest.fixture
def guestbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    """The plugin, imported from where it was written, and forgotten afterwards."""
    write(tmp_path / "guestbook" / "guestbook")
    monkeypatch.syspath_prepend(str(tmp_path / "guestbook"))
    plugin: Plugin = importlib.import_module("guestbook.plugin").plugin
    yield plugin
    Base.metadata.remove(Base.metadata.tables["guestbook_entries"])
    for name in [each for each in sys.modules if each.partition(".")[0] == "guestbook"]:
        del sys.modules[name]


async def test_what_the_tutorial_says_works(world: World, guestbook: Plugin) -> None:
    """Its page, its settings, its part of the home page and its rule in car hire's prices."""
    found = agreed(Plugins({**world.plugins.working, "guestbook": guestbook}), HOUSE)
    assert not found.broken
    async with ground_of(replace(world, lines=compile_lines(found)), guestbook) as ground:
        async with ground.site.visitor(ground.tenant) as visitor:
            signed = await visitor.post("/guestbook", data={"said": "Lovely cars"})
            assert signed.status_code == 303
            assert "Lovely cars" in (await visitor.get("/guestbook")).text
            home = (await visitor.get("/")).text
            assert "From the guest book" in home
            assert "Lovely cars" in home
        async with await ground.site.person(ground.tenant, Role.OWNER) as owner:
            assert "Lines on a page" in (await owner.get("/settings/guestbook")).text
        shop = await Shop.open(world.databases, ground.tenant)
        quote = await shop.quote(hours=24 * 8)
        assert quote.net == (Decimal("39.90") - Decimal("3.99")) * 8


PORTUGUESE = {
    "Be the first.": "Seja a primeira pessoa.",
    "From the guest book": "Do livro de visitas",
    "Guest book": "Livro de visitas",
    "Leave it": "Deixar",
    "Lines on a page": "Linhas por página",
    "Long hire": "Aluguer longo",
    "Nobody has written yet": "Ainda ninguém escreveu",
    "Thank you!": "Obrigado!",
    "Visitors leave a line": "Os visitantes deixam uma linha",
    "What visitors wrote": "O que os visitantes escreveram",
    "Your line": "A sua linha",
}


@pytest.mark.long
def test_what_the_tutorial_says_conforms(tmp_path: Path) -> None:
    """Its distribution, built as a wheel, translated as it says, and checked by its last line."""
    source, target = tmp_path / "guestbook", tmp_path / "installed"
    write(source / "guestbook")
    update = [sys.executable, "-m", "core.locale.update", str(source / "guestbook")]
    told = subprocess.run(update, check=True, capture_output=True, text=True).stdout
    assert "11 to translate" in told
    texts = source / "guestbook/locale/pt/LC_MESSAGES/messages.po"
    words = texts.read_text()
    for english, portuguese in PORTUGUESE.items():
        words = words.replace(
            f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{portuguese}"'
        )
    texts.write_text(words)
    install(target, source)
    ended = run(target, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", folder=source)
    assert ended.code == 0, ended.said[-5000:]
    passed = re.search(r"(\d+) passed", ended.said)
    assert passed is not None
    assert int(passed[1]) >= 50

"""Texts: Portuguese is complete, its placeholders fit, and readers get their language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from core import i18n
from core.locale.catalogues import TRANSLATED, Texts, all_texts, missing
from core.web.locales import COOKIE, negotiate
from tests.core.web.conftest import Served

ALL = list(all_texts())
_PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)\w")


@pytest.fixture
def portuguese() -> Iterator[None]:
    """Core's texts, loaded as a process loads them; gone again after the test."""
    before = dict(i18n._catalogues)
    i18n._catalogues.clear()
    i18n.load(ALL[0].home / "locale")
    yield
    i18n._catalogues.clear()
    i18n._catalogues.update(before)


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("texts", ALL, ids=lambda texts: texts.home.name)
def test_every_text_is_translated(texts: Texts, locale: str) -> None:
    """Run ``python -m core.locale.update`` and translate what it lists."""
    catalogue = texts.translated(locale)
    known = {message.id for message in catalogue if message.id}
    wanted = {message.id for message in texts.extracted() if message.id}
    assert sorted(map(str, wanted - known)) == []
    assert missing(catalogue) == []


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("texts", ALL, ids=lambda texts: texts.home.name)
def test_translations_keep_their_placeholders(texts: Texts, locale: str) -> None:
    """A lost or misspelt placeholder would break the page that shows it."""
    for message in texts.translated(locale):
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        shown = message.string if isinstance(message.string, tuple) else (message.string,)
        for source, each in zip(sources, shown, strict=True):
            if source:
                assert sorted(_PLACEHOLDER.findall(each)) == sorted(_PLACEHOLDER.findall(source))


@pytest.mark.usefixtures("portuguese")
async def test_a_page_comes_in_the_language_asked_for(served: Served) -> None:
    """``?lang=`` decides and is remembered; else the browser's wish; else the tenant's."""
    async with served.client() as client:
        english = await client.get("/nothing", headers={"accept-language": "en"})
        wish = "fr, pt-BR;q=0.8, en;q=0.2"
        wished = await client.get("/nothing", headers={"accept-language": wish})
        asked = await client.get("/nothing?lang=pt", headers={"accept-language": "en"})
        later = await client.get("/nothing", headers={"accept-language": "en"})
    assert "Page not found" in english.text
    assert '<html lang="pt"' in wished.text
    assert "Página não encontrada" in asked.text
    assert f"{COOKIE}=pt" in asked.headers["set-cookie"]
    assert "Página não encontrada" in later.text


@pytest.mark.usefixtures("portuguese")
async def test_problems_speak_the_callers_language(served: Served) -> None:
    """Programs get their texts translated too."""
    async with served.client() as client:
        answer: httpx.Response = await client.get(
            "/api/v1/nothing", headers={"accept": "application/json", "accept-language": "pt"}
        )
    assert answer.json()["title"] == "Página não encontrada"


@pytest.mark.parametrize("value", ["", "xx", "pt;q=x", "*", ";;,,", "en;q=0", "a" * 5000])
def test_no_wish_breaks_anything(value: str) -> None:
    """Whatever a browser sends, some language comes out."""
    scope = {"headers": [(b"accept-language", value.encode())], "query_string": b"lang=%FF&lang=zz"}
    assert negotiate(scope) in i18n.LOCALES

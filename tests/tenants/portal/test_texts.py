"""Every text of the portal speaks Portuguese."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import tenants
from atrium.testing.site import Site
from tests.tenants.portal.applicant import stranger

FOLDER = Path(tenants.__path__[0])
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}


def test_every_text_is_translated() -> None:
    """What is marked in code and templates is in the catalogue, with the same placeholders."""
    with (FOLDER / "portal/locale/pt/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="pt")
    marked = [message for _, _, message, _, _ in extract_from_dir(FOLDER, METHODS, OPTIONS)]
    assert len(marked) > 150
    for message in marked:
        translated = catalogue.get(message)
        assert translated is not None, message
        assert translated.string, message
        assert not translated.fuzzy, message
        said = translated.string if isinstance(translated.string, tuple) else (translated.string,)
        meant = message if isinstance(message, tuple) else (message,)
        for text in said:
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", meant[0])), message


async def test_the_front_page_speaks_portuguese(site: Site) -> None:
    """To whoever's browser asks for it, and to whoever chooses it."""
    async with stranger(site) as visitor:
        asked = await visitor.get("/", headers={"accept-language": "pt-PT,pt;q=0.9"})
        chosen = await visitor.get("/?lang=pt", headers={"accept-language": "en"})
    for page in (asked, chosen):
        assert '<html lang="pt"' in page.text
        assert "O seu negócio, aberto na Internet hoje." in page.text

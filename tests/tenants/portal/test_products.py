"""The gallery of products and the page of each, drawn from what they declare."""

from __future__ import annotations

import pytest

from atrium.testing.site import Site
from core.plugin import Plugins
from core.portrait import Portrait
from tests.tenants.portal.test_businesses import Owned
from tests.tenants.portal.test_upkeep import owned  # noqa: F401  # a fixture


async def test_the_gallery_finds_by_words_and_state(
    site: Site,
    owned: Owned,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And names what cannot be used, with the reason."""
    working = site.world.plugins.working
    broken = Plugins(working, {"water": "ModuleNotFoundError: no highspy"})
    monkeypatch.setitem(site.edge.platform.state, "products", broken)
    everything = await owned.owner.get("/products")
    assert "Car hire" in everything.text
    assert "no highspy" in everything.text
    assert "Lia&#39;s Wheels" in everything.text, "where it is on"
    for query, shown, reason in [
        ("q=CAR", True, False),
        ("q=spaceship", False, False),
        ("status=on", True, False),
        ("status=off", False, False),
        ("status=unavailable", False, True),
        ("q=water", False, True),
        ("status=nonsense", True, True),
    ]:
        found = (await owned.owner.get(f"/products?{query}")).text
        assert ("/products/car_hire" in found, "no highspy" in found) == (shown, reason), query


async def test_a_page_says_what_is_declared(site: Site, owned: Owned) -> None:  # noqa: F811
    """Permissions, tables, settings, schedules, versions; and where it is on."""
    product = site.world.plugins.working["car_hire"]
    page = await owned.owner.get("/products/car_hire")
    text = page.text.replace("&#39;", "'")
    for each in product.permissions:
        assert str(each.title) in text
    for kept in product.personal:
        assert str(kept.title) in text
    told = Portrait(product)
    for keeps, _personal in told.tables:
        assert f"<li>{keeps}" in text
    for title, often in told.schedules:
        assert f"<dt>{title}</dt><dd>{often}</dd>" in text
    assert "Your booking … is cancelled" in text, "a letter, by its subject"
    for fact in (told.author, told.licence):
        assert fact, "pyproject.toml says so"
        assert fact in text
    for field in told.settings:
        assert str(field.label) in text
    assert product.core_versions.replace(">", "&gt;") in text
    assert "At the desk" in text, "the description"
    for name in told.screenshots:
        assert f"/{name.rpartition('/')[2]}" in text
    assert owned.path("/products/car_hire/disable") in text
    portuguese = await owned.owner.get("/products/car_hire?lang=pt")
    for words in ("No balcão", "Carros, com", "todos os dias às 03:20", "Licença do software"):
        assert words in portuguese.text
    assert (await owned.owner.get("/products/spaceship")).status_code == 404


async def test_pictures_are_served_by_the_portal(site: Site, owned: Owned) -> None:  # noqa: F811
    """Though the product itself is not among its parts."""
    shots = Portrait(site.world.plugins.working["car_hire"]).screenshots
    assert len(shots) >= 2
    for name in shots:
        url = site.edge.platform.state["static"].url(name)
        assert (await owned.owner.get(url)).headers["content-type"] == "image/png"

"""The search box on a business's own web site: framed by those that the owner lists, alone."""

from __future__ import annotations

import msgspec
import pytest

from atrium.testing.routes import routes
from atrium.testing.site import Site
from core import plugin_settings
from core.permissions import Role
from core.scope import Tenant
from plugins.car_hire import framing, policy

LISTED = "https://www.acme.example/hire\n\nhttps://ação.example:8443\nacme.example"
BOX = "/car-hire/search-box"


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://www.acme.example/cars?x=1#y", "https://www.acme.example"),
        ("ACME.example", "https://acme.example"),
        ("https://ação.example:8443", "https://xn--ao-siap.example:8443"),
        ("http://localhost:5500/test.html", "http://localhost:5500"),
    ],
)
def test_an_address_is_read_as_its_origin(typed: str, origin: str) -> None:
    """Whatever page of their site an owner pastes, the site may frame the box."""
    assert framing.origin(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "http://acme.example", "*", "https://*.example", "https://a@b.example", "javascript:x",
        "https://", "https://a.example; script-src *", "https://a.example 'unsafe-inline'",
        "https://[::1]", "data:text/html,x", "https://a..b", "https://a.example:x",
    ],
)  # fmt: skip
def test_what_is_no_safe_address_is_refused(typed: str) -> None:
    """Nothing of it reaches the policy: no wildcard, no second directive, nothing without https."""
    with pytest.raises(ValueError, match=r".*"):
        framing.origin(typed)


async def listing(site: Site, slug: str) -> Tenant:
    """A business whose owner lists web sites."""
    tenant = await site.world.provision(slug)
    async with site.world.databases.transaction(tenant) as session:
        rules = await policy.read(session)
        rules = msgspec.structs.replace(rules, framed_on=LISTED)
        await plugin_settings.save(session, policy.PLUGIN, rules)
    return tenant


async def test_the_box_alone_is_framed_and_by_those_that_are_listed(site: Site) -> None:
    """Every other public page of the business stays denied to every frame."""
    tenant = await listing(site, "framed")
    async with site.visitor(tenant) as visitor:
        answer = await visitor.get(f"{BOX}?lang=pt")
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].endswith(
            "frame-ancestors 'self' https://www.acme.example https://xn--ao-siap.example:8443"
            " https://acme.example"
        )
        assert "x-frame-options" not in answer.headers
        assert 'target="_top"' in answer.text
        assert '<input type="hidden" name="lang" value="pt">' in answer.text
        others = [each for each in routes(site.edge.tenants) if each.access.kind == "public"]
        pages = [each.at() for each in others if each.method == "GET" and each.at() != BOX]
        assert len(pages) > 20
        for path in [*pages, "/car-hire", "/sign-in"]:
            answer = await visitor.get(path)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
            assert answer.headers["x-frame-options"] == "DENY", path


async def test_who_lists_nobody_is_framed_by_nobody(site: Site) -> None:
    """A business that has not asked for the box cannot be framed, nor does it learn from others."""
    async with site.visitor(site.world.bravo) as visitor:
        answer = await visitor.get(BOX)
        assert answer.headers["content-security-policy"].endswith("frame-ancestors 'self'")
        script = await visitor.get(f"{BOX}.js")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert b"atriumHeight" in script.content


async def test_the_owner_copies_a_line(site: Site) -> None:
    """The page has the line in each language; a wrong address is refused beside its field."""
    tenant = site.world.acme
    async with await site.person(tenant, Role.OWNER) as owner:
        page = (await owner.get("/car-hire/desk/web-site")).text
        assert f"{BOX}?lang=en" in page
        assert f"{BOX}?lang=pt" in page
        values = {"framed_on": "http://acme.example"}
        settings = await owner.get("/settings/car-hire")
        assert "framed_on" in settings.text
        refused = [each.field for each in policy.Policy(**values).check()]
        assert refused == ["framed_on"]

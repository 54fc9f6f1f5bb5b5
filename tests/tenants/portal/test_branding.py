"""Colour and logo: chosen in the portal, worn at the business's own host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from atrium.testing.site import Site
from core.permissions import Role
from core.scope import Brand
from tests.core.logos.test_pictures import claiming, drawing, moving, picture
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make, rows
from tests.tenants.portal.test_businesses import Owned

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture(scope="module", params=["pooled", "dedicated"])
async def owned(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Owned]:
    """A business with an owner at the portal: one signed up, one with a database of its own."""
    if request.param == "dedicated":
        yield await _with_owner(site)
        return
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        yield Owned(await make(site.world, applicant.slug), applicant.slug, applicant.client)


async def _with_owner(site: Site) -> Owned:
    """Delta, whose owner gets an account at the portal."""
    delta = site.world.delta
    there = await site.enrol(delta, Role.OWNER)
    return Owned(delta.id, delta.slug, await _member(site, delta.id, there, Role.OWNER))


async def _member(site: Site, tenant: object, user: object, role: Role) -> httpx.AsyncClient:
    account = await site.enrol(site.world.platform, Role.MEMBER)
    await rows(
        site.world,
        "INSERT INTO memberships (tenant_id, account_id, user_id, role, created_at)"
        " VALUES (:tenant, :account, :user, :role, now()) RETURNING role",
        tenant=tenant,
        account=account,
        user=user,
        role=role.value,
    )
    async with site.world.databases.transaction(site.world.platform) as session:
        token = await site.sessions.begin(session, account)
    client = site.visitor(site.world.platform)
    client.cookies.set("atrium", token)
    return client


async def sent(owned: Owned, body: bytes | None, color: str = "#123456") -> httpx.Response:
    """The form, as a browser sends it."""
    file = ("logo.png", body, "image/png") if body is not None else ("", b"", "application/octet")
    return await owned.owner.post(
        owned.path("/branding"), data={"color": color}, files={"logo": file}
    )


async def worn(site: Site, owned: Owned, **expected: object) -> Brand:
    """The brand that is served, once news of it has gone round."""
    for _ in range(60):
        tenant = await site.world.directory.by_id(owned.id)
        assert tenant is not None
        if all(getattr(tenant.brand, name) == value for name, value in expected.items()):
            break
        await asyncio.sleep(0.05)
    return tenant.brand


async def catalogued(site: Site, owned: Owned) -> tuple[str | None, str | None]:
    """Colour and logo as the catalogue has them."""
    (found,) = await rows(
        site.world, "SELECT color, logo FROM tenants WHERE id = :id", id=owned.id
    )  # fmt: skip
    return found.color, found.logo


async def test_a_logo_is_worn_at_the_tenants_host(site: Site, owned: Owned) -> None:
    """At once, with the right headers; on its sign-in page; and nowhere else."""
    answer = await sent(owned, drawing((10, 10, 40)), color="#AA3300")
    assert answer.status_code == 303, answer.text
    color, logo = await catalogued(site, owned)
    assert logo is not None
    assert await worn(site, owned, logo=logo) == Brand(color="#aa3300", logo=logo)
    tenant = await site.world.directory.by_id(owned.id)
    assert (color, tenant is not None) == ("#aa3300", True)
    async with site.visitor(tenant or site.world.acme) as visitor:
        assert f'src="{logo}" alt=""' in (await visitor.get("/sign-in")).text
        served = await visitor.get(logo)
        assert served.status_code == 200
        assert served.content.startswith(b"\x89PNG")
        assert served.headers["content-type"] == "image/png"
        assert served.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in served.headers["cache-control"]
        held = {"if-none-match": served.headers["etag"]}
        assert (await visitor.get(logo, headers=held)).status_code == 304
        for wrong in (logo.replace(logo[14:18], "0000"), "/brand/logo/x", f"{logo}x"):
            assert (await visitor.get(wrong)).status_code == 404
    async with site.visitor(site.world.bravo) as elsewhere:
        assert (await elsewhere.get(logo)).status_code == 404
    page = await owned.owner.get(owned.path("/branding"))
    assert logo in page.text
    assert (
        f"img-src 'self' data: {site.world.settings.tenant_url(owned.slug, '')}"
        in (page.headers["content-security-policy"])
    )


async def test_the_last_change_can_be_put_back(site: Site, owned: Owned) -> None:
    """A new look, no logo, and back; the old picture is still there."""
    await sent(owned, picture(color="navy"), color="#111111")
    _, logo = await catalogued(site, owned)
    assert (await owned.owner.post(owned.path("/branding/remove-logo"))).status_code == 303
    assert await catalogued(site, owned) == ("#111111", None)
    assert (await owned.owner.post(owned.path("/branding/put-back"))).status_code == 303
    assert await catalogued(site, owned) == ("#111111", logo)
    assert (await worn(site, owned, logo=logo)).logo == logo
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get(str(logo))).status_code == 200


async def test_old_logos_go(site: Site, owned: Owned) -> None:
    """However often the look is changed, few pictures are kept, and the two in use are."""
    for shade in range(12):
        assert (await sent(owned, picture(color=(shade, 90, 90)))).status_code == 303
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    async with site.world.databases.transaction(tenant) as session:
        kept = set((await session.scalars(text("SELECT name FROM logos"))).all())
    assert len(kept) <= 8
    (found,) = await rows(
        site.world, "SELECT logo, brand_before FROM tenants WHERE id = :id", id=owned.id
    )
    assert {found.logo.rpartition("/")[2], found.brand_before["logo"].rpartition("/")[2]} <= kept


async def test_the_colour_alone_leaves_the_logo(site: Site, owned: Owned) -> None:
    """A form without a file, multipart or not."""
    await sent(owned, picture())
    _, logo = await catalogued(site, owned)
    assert (await sent(owned, None, color="#00AA00")).status_code == 303
    assert await catalogued(site, owned) == ("#00aa00", logo)
    plain = await owned.owner.post(owned.path("/branding"), data={"color": "#00BB00"})
    assert plain.status_code == 303
    assert await catalogued(site, owned) == ("#00bb00", logo)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SVG,
        picture(size=(300, 300))[:120],
        claiming(30_000, 30_000),
        moving("WEBP"),
        b"\0" * 2_100_000,
    ],
    ids=["empty", "svg", "cut", "bomb", "moving", "too-long"],
)
async def test_what_is_no_logo_is_refused_beside_the_field(
    site: Site, owned: Owned, body: bytes
) -> None:
    """422 with the reason, the colour kept as typed, nothing changed."""
    before = await catalogued(site, owned)
    answer = await sent(owned, body, color="#abcdef")
    assert answer.status_code == 422
    assert 'id="logo-error"' in answer.text
    if len(body) < 2_000_000:  # else nothing of the form was read
        assert 'value="#abcdef"' in answer.text
    assert await catalogued(site, owned) == before


async def test_a_picture_that_is_also_something_else_is_only_a_picture(
    site: Site, owned: Owned
) -> None:
    """Drawn anew: the script behind it is not served."""
    assert (await sent(owned, picture(color="gold") + SVG)).status_code == 303
    _, logo = await catalogued(site, owned)
    await worn(site, owned, logo=logo)
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    async with site.visitor(tenant) as visitor:
        assert b"script" not in (await visitor.get(str(logo))).content


@pytest.mark.parametrize("color", ["red", "#12345", ""])
async def test_a_wrong_colour_is_named(owned: Owned, color: str) -> None:
    """Beside its field."""
    answer = await sent(owned, None, color=color)
    assert answer.status_code == 422
    assert 'id="color-error"' in answer.text


async def test_who_only_works_there_may_not(site: Site, owned: Owned) -> None:
    """Staff are refused; another business's owner and strangers learn nothing."""
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    user = await site.enrol(tenant, Role.STAFF)
    staff = await _member(site, owned.id, user, Role.STAFF)
    outsider = await site.person(site.world.platform, Role.MEMBER)
    before = await catalogued(site, owned)
    async with staff, outsider, site.visitor(site.world.platform, accept="text/html") as stranger:
        for client, status in ((staff, 403), (outsider, 404), (stranger, 303)):
            assert (await client.get(owned.path("/branding"))).status_code == status
            for rest in ("/branding", "/branding/remove-logo", "/branding/put-back"):
                files = {"logo": ("x.png", picture(), "image/png")}
                answer = await client.post(owned.path(rest), data={"color": "#000000"}, files=files)
                assert answer.status_code == status, (rest, answer.text)
    assert await catalogued(site, owned) == before


async def test_the_preview_wears_the_colour_being_chosen(owned: Owned) -> None:
    """Only colours get into the style sheet, and only into the preview."""
    path = owned.path("/branding/preview.css")
    chosen = await owned.owner.get(path, params={"color": "#ffee00"})
    assert "--at-brand:#ffee00;--at-brand-ink:#0e1117" in chosen.text
    assert chosen.text.startswith(".po-preview")
    assert chosen.headers["content-type"].startswith("text/css")
    hostile = await owned.owner.get(path, params={"color": "red}body{display:none"})
    assert "body" not in hostile.text

"""An owner's data in the portal: asked for, followed, fetched by owners alone, and removed."""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, update

from atrium.testing.site import Site
from core.clock import now
from core.jobs import Actor
from core.permissions import Role
from tenants.files import archives_of
from tenants.lifecycle import restoring
from tenants.models import Export, Membership
from tenants.tasks import actors
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make, rows
from tests.tenants.portal.test_businesses import Owned
from tests.tenants.portal.test_upkeep import owned  # noqa: F401  # a fixture

PASSPHRASE = {"passphrase": "correct horse battery"}


def job(site: Site, name: str) -> Actor:
    """A job of tenant zero."""
    return next(each for each in actors(site.world.provisioner) if each.name == name)


async def worked_off(site: Site, business: UUID) -> Export:
    """Do what the worker does with the latest export."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        query = select(Export).where(Export.tenant_id == business).order_by(Export.id.desc())
        export = (await session.scalars(query.limit(1))).one()
        await job(site, "tenants.export").body(session, export.id)
    async with world.databases.transaction(world.platform) as session:
        return await session.get_one(Export, export.id)


async def test_an_owner_gets_everything_as_a_file(site: Site, owned: Owned) -> None:  # noqa: F811
    """Asked for with a passphrase, told by letter, fetched, and noted in the log."""
    short = await owned.owner.post(owned.path("/upkeep/export"), data={"passphrase": "too short"})
    assert short.status_code == 422
    asked = await owned.owner.post(owned.path("/upkeep/export"), data=PASSPHRASE)
    assert asked.status_code == 303
    waiting = await owned.owner.get(owned.path("/upkeep"))
    assert "export/events" in waiting.text
    again = await owned.owner.post(owned.path("/upkeep/export"), data=PASSPHRASE)
    assert again.status_code == 409
    early = await owned.owner.get(owned.path("/upkeep/export/download"))
    assert early.status_code == 404
    export = await worked_off(site, owned.id)
    assert (export.state, export.key) == ("ready", None)
    page = await owned.owner.get(owned.path("/upkeep"))
    assert "export/download" in page.text
    fetched = await owned.owner.get(owned.path("/upkeep/export/download"))
    assert fetched.headers["content-type"] == "application/zip"
    assert f'filename="{owned.slug}.zip"' in fetched.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert "manifest.json" in archive.namelist()
        assert archive.testzip() is None
    acts = await rows(
        site.world,
        "SELECT action FROM audit_entries WHERE subject_id = :id AND action LIKE 'tenants.export%'",
        id=str(owned.id),
    )
    assert [row.action for row in acts] == ["tenants.export_asked", "tenants.export_fetched"]
    letters = await rows(
        site.world,
        "SELECT 1 FROM mails WHERE key = :key",
        key=f"tenant:{owned.id}:export:{export.id}",
    )
    assert len(letters) == 1


async def test_admins_and_staff_do_not_get_it(site: Site, owned: Owned) -> None:  # noqa: F811
    """It is everything: only an owner may ask for it or fetch it."""
    await owned.owner.post(owned.path("/upkeep/export"), data=PASSPHRASE)
    await worked_off(site, owned.id)
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            update(Membership).where(Membership.tenant_id == owned.id).values(role=Role.ADMIN.value)
        )
    assert (await owned.owner.get(owned.path("/upkeep"))).status_code == 200
    for method, path in [
        ("POST", "/upkeep/export"),
        ("GET", "/upkeep/export/download"),
        ("GET", "/upkeep/export/events"),
        ("POST", "/upkeep/copy"),
        ("POST", "/upkeep/address"),
    ]:
        answer = await owned.owner.request(method, owned.path(path), data=PASSPHRASE)
        assert answer.status_code == 403, path


async def test_an_archive_is_removed_when_its_time_is_over(
    site: Site,
    owned: Owned,  # noqa: F811
) -> None:
    """File and offer are gone; until then they stay."""
    world = site.world
    await owned.owner.post(owned.path("/upkeep/export"), data=PASSPHRASE)
    export = await worked_off(site, owned.id)
    folder = str(archives_of(world.settings, owned.id))
    tidy = job(site, "tenants.tidy")
    async with world.databases.transaction(world.platform) as session:
        await tidy.body(session)
    assert len(os.listdir(folder)) == 1
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            update(Export)
            .where(Export.id == export.id)
            .values(expires_at=now() - timedelta(seconds=1))
        )
    async with world.databases.transaction(world.platform) as session:
        await tidy.body(session)
    assert os.listdir(folder) == []
    assert (await owned.owner.get(owned.path("/upkeep/export/download"))).status_code == 404
    assert "export/download" not in (await owned.owner.get(owned.path("/upkeep"))).text


async def test_an_owner_makes_a_copy(site: Site, owned: Owned) -> None:  # noqa: F811
    """It leads to the making's progress; made, the copy is the owner's, and says it is mute."""
    slug = f"copy-{secrets.token_hex(5)}"
    taken = await owned.owner.post(
        owned.path("/upkeep/copy"), data={"slug": "acme", "name": "Try-out"}
    )
    assert taken.status_code == 422
    answer = await owned.owner.post(
        owned.path("/upkeep/copy"), data={"slug": slug, "name": "Try-out"}
    )
    assert answer.status_code == 303
    progress = await owned.owner.get(answer.headers["location"])
    assert "Building Try-out" in progress.text
    copy = await make(site.world, slug)
    page = await owned.owner.get(f"/businesses/{copy}")
    assert "A muted copy" in page.text
    tenant = await site.world.directory.by_id(copy)
    assert tenant is not None
    async with site.world.databases.transaction(tenant) as session:
        owners = await session.scalar(text("SELECT count(*) FROM users WHERE role = 'owner'"))
    assert owners == 1
    for _ in range(2):
        spoken = await owned.owner.post(f"/businesses/{copy}/upkeep/unmute")
        assert spoken.status_code == 303
    assert "A muted copy" not in (await owned.owner.get(f"/businesses/{copy}")).text


async def test_copies_of_a_day_are_bounded(site: Site) -> None:
    """Three of one owner, over all their businesses; then it is said when the next can be made."""
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        business = await make(site.world, applicant.slug)
        answers = []
        for _copy in range(restoring.COPIES_A_DAY + 1):
            typed = {"slug": f"copy-{secrets.token_hex(5)}", "name": "Try-out"}
            path = f"/businesses/{business}/upkeep/copy"
            answers.append(await applicant.client.post(path, data=typed))
    assert [each.status_code for each in answers] == [303, 303, 303, 422]
    assert "You have made 3 copies within a day" in answers[-1].text

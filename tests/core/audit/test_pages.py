"""What was done to one object, on the pages that show it."""

from __future__ import annotations

from atrium.testing.site import Site
from core.audit.services import OF_OBJECT, record
from core.ids import new_id
from core.permissions import Role


async def test_an_object_tells_who_did_what_to_it(site: Site) -> None:
    """By titles in the reader's language, page by page; other objects only where they are named."""
    tenant = site.world.acme
    mine, other = str(new_id()), str(new_id())
    async with site.world.databases.transaction(tenant) as session:
        for number in range(OF_OBJECT + 1):
            await record(session, "core.role_changed", "user", mine, {"number": f"<{number}>"})
        await record(session, "core.person_renamed", "user", other)
    at = f"/settings/audit/objects/user/{mine}"
    async with await site.person(tenant, Role.OWNER) as owner:
        first = await owner.get(at, headers={"hx-request": "true"})
        assert "<html" not in first.text
        assert first.text.count("Role changed") == OF_OBJECT
        assert "Person renamed" not in first.text
        assert "&lt;15&gt;" in first.text
        following = first.text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        second = await owner.get(following, headers={"hx-request": "true"})
        assert second.text.count("Role changed") == 1
        both = await owner.get(f"{at}?also=user:{other}&lang=pt")
        assert "Pessoa" in both.text
        assert "Papel alterado" in both.text or "alterad" in both.text
    async with await site.person(tenant, Role.STAFF) as staff:
        assert (await staff.get(at)).status_code == 403

"""What shows why a line stands on a bill: for the desk and the customer, and for nobody else."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
from sqlalchemy import func, select

from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from core.storage.models import StoredFile
from plugins.car_hire.models import BillLine, Booking, Customer
from plugins.car_hire.services import bill_lines, hires
from tests.plugins.car_hire.shop import Shop

PDF = b"%PDF-1.4\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


def sent(content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"evidence": ("invoice of the valet.pdf", content)}


async def billed(shop: Shop) -> tuple[Booking, UUID, BillLine]:
    """A car that went far is back; its booking, its hire, and the first line of its bill."""
    booking, hire_id = await shop.out()
    await shop.back(hire_id, odometer_km=20_000)
    async with shop.transaction() as session:
        line = (await hires.bill_lines(session, hire_id))[0]
    return booking, hire_id, line


async def files(shop: Shop) -> int:
    async with shop.transaction() as session:
        query = select(func.count()).where(StoredFile.area == bill_lines.AREA)
        return await session.scalar(query) or 0


async def test_what_shows_a_charge_is_for_the_desk_and_its_customer(site: Site, shop: Shop) -> None:
    """Sent at the desk, seen there and by whose bill it is; another customer, and whoever has not
    signed in, gets nothing; what is no PDF nor picture is not kept."""
    booking, hire_id, line = await billed(shop)
    _other, other_hire, _line = await billed(await Shop.open(shop.databases, shop.tenant))
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        (await session.get_one(Customer, shop.customer.id)).user_id = user_id
        token = await site.sessions.begin(session, user_id)
    path, own = f"/car-hire/desk/hires/{hire_id}/lines/{line.id}/evidence", await files(shop)
    async with await site.person(shop.tenant) as desk:
        refused = await desk.post(path, files=sent(b"MZ\x90"), follow_redirects=True)
        assert "Send a PDF" in refused.text
        elsewhere = path.replace(str(hire_id), str(other_hire))
        assert (await desk.post(elsewhere, files=sent(PDF))).status_code == 404
        assert await files(shop) == own
        done = await desk.post(path, files=sent(PDF))
        assert done.headers["location"] == f"/car-hire/desk/bookings/{booking.id}"
        (shown,) = set(_links(await desk.get(done.headers["location"])))
        assert (await desk.get(shown)).content == PDF
    async with site.visitor(shop.tenant) as visitor:
        assert (await visitor.get(shown)).status_code != 200
        visitor.cookies.set(LOCAL_COOKIE, token)
        assert shown in _links(await visitor.get(f"/car-hire/bookings/{booking.id}"))
        assert (await visitor.get(shown)).content == PDF
        assert (await visitor.post(path, files=sent(PNG))).status_code == 403
    async with await site.person(shop.tenant, Role.MEMBER) as stranger:
        assert (await stranger.get(shown)).status_code == 404


async def test_of_all_that_is_sent_for_a_line_the_last_is_kept(site: Site, shop: Shop) -> None:
    """Four at once by programs: one file stays, and the line says which."""
    _booking, hire_id, line = await billed(shop)
    before = await files(shop)
    path = f"/api/v1/car-hire/hires/{hire_id}"
    async with await site.person(shop.tenant) as desk:
        there = f"{path}/lines/{line.id}/evidence"
        results = await asyncio.gather(*(desk.put(there, files=sent(PNG)) for _ in range(4)))
        assert {each.status_code for each in results} == {200}, results[0].text
        kept = (await desk.get(path)).json()["lines"][0]["file_id"]
    assert kept in {each.json()["file_id"] for each in results}
    assert await files(shop) == before + 1


def _links(page: httpx.Response) -> list[str]:
    """Where a page's files are."""
    return [f"/files/{each[:36]}" for each in page.text.split('"/files/')[1:]]

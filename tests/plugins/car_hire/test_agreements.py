"""What is signed at the check-out: frozen as the car leaves, drawn once, sent, shown, kept."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.ids import new_id
from core.mail.models import Mail
from core.permissions import Role
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire.models import Agreement, AgreementFile, Booking, Customer, Vehicle
from plugins.car_hire.schemas import DamageInput, InspectionInput
from plugins.car_hire.services import hires
from plugins.car_hire.services.inspections import drafts, marks, pictures
from plugins.car_hire.services.papers import agreements
from tests.core.logos.test_pictures import picture
from tests.plugins.car_hire.shop import Shop

pytestmark = pytest.mark.usefixtures("site")  # for its store


async def signed(shop: Shop) -> tuple[Booking, UUID]:
    """A car that left after its customer drew their name and the clerk theirs."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        draft = await drafts.begin(session, booking.id)
        given = DamageInput(zone="left_front_door", kind="scratch", severity="light", note="old")
        await marks.note(session, draft.id, new_id(), given)
        await drafts.save(session, draft.id, InspectionInput(staff_name="Rui Costa"))
    for view in ("customer_signature", "staff_signature"):
        async with shop.transaction() as session:
            await pictures.put(session, draft.id, view, new_id(), lambda: drawing(session))
    async with shop.transaction() as session:
        hire = await hires.prepare(session, shop.readings(booking))
        await hires.depart(session, hire.id)
        await hires.depart(session, hire.id)
    return booking, hire.id


async def drawing(session: object) -> StoredFile:
    return await storage.keep(session, pictures.AREA, "signature.png", picture())  # type: ignore[arg-type]


async def test_what_was_signed_is_frozen_drawn_once_and_sent(shop: Shop) -> None:
    """A car renamed meanwhile changes nothing; the job comes twice at once, and again."""
    booking, hire_id = await signed(shop)

    async def deliver() -> None:
        async with shop.transaction() as session:
            await agreements.draw(session, hire_id)

    async with shop.transaction() as session:
        car = await session.get_one(Vehicle, booking.vehicle_id)
        before, car.plate = car.plate, "XX-99-XX"
        kept = await session.get_one(Agreement, hire_id)
        for told in (before, shop.customer.name, "Rui Costa", "200 km a day", "(old)"):
            assert told in kept.content
    await asyncio.gather(deliver(), deliver())
    await deliver()
    async with shop.transaction() as session:
        row = await session.get_one(AgreementFile, hire_id)
        file = await storage.one(session, row.file_id)
        body = await storage.content(session, file)
        same = select(StoredFile.id).where(StoredFile.name == file.name)
        assert (await session.scalars(same)).all() == [file.id]
        written = select(Mail).where(Mail.key == f"car_hire/mail/agreement:{booking.id}")
        letter = (await session.scalars(written)).one()
    assert body.startswith(b"%PDF-")
    assert (row.sha256, letter.attached) == (file.sha256, [str(file.id)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE car_hire_agreements SET made_at = now()",
        "DELETE FROM car_hire_agreement_files",
    ],
)
async def test_the_database_refuses_to_change_what_was_signed(shop: Shop, statement: str) -> None:
    async with shop.transaction() as session:
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.execute(text(statement))


async def test_who_did_not_sign_on_the_screen_signs_on_paper(shop: Shop) -> None:
    """Nothing is made by itself; asked for it is drawn once, with lines, and not sent."""
    booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        assert await agreements.of_hire(session, hire_id) is None
        await agreements.to_print(session, hire_id)
        await agreements.to_print(session, hire_id)
    async with shop.transaction() as session:
        await agreements.draw(session, hire_id)
        found = await agreements.of_hire(session, hire_id)
        written = select(Mail).where(Mail.key == f"car_hire/mail/agreement:{booking.id}")
        assert (await session.scalars(written)).all() == []
    assert found is not None
    assert found[1] is not None


async def test_its_pages_show_it_to_the_desk_and_to_whom_it_belongs(site: Site, shop: Shop) -> None:
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    async with shop.transaction() as session:
        (await session.get_one(Customer, shop.customer.id)).user_id = user_id
        token = await site.sessions.begin(session, user_id)
    booking, hire_id = await shop.out()
    page, api = f"/car-hire/desk/bookings/{booking.id}", f"/api/v1/car-hire/hires/{hire_id}"
    async with await site.person(shop.tenant) as desk:
        assert (await desk.get(f"{api}/agreement")).status_code == 404
        asked = await desk.post(f"/car-hire/desk/hires/{hire_id}/agreement")
        assert (asked.status_code, asked.headers["location"]) == (303, page)
        async with shop.transaction() as session:
            await agreements.draw(session, hire_id)
        file_id = (await desk.get(f"{api}/agreement")).json()["file_id"]
        assert f"/files/{file_id}" in (await desk.get(page)).text
    async with site.visitor(shop.tenant) as owner:
        owner.cookies.set(LOCAL_COOKIE, token)
        assert f"/files/{file_id}" in (await owner.get(f"/car-hire/bookings/{booking.id}")).text
        assert (await owner.get(f"/files/{file_id}")).content.startswith(b"%PDF-")
    async with await site.person(shop.tenant, Role.MEMBER) as stranger:
        assert (await stranger.get(f"/files/{file_id}")).status_code == 404

"""Check-out and check-in: drafts, photos once, marks of damage, what they cost, whose they are."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from io import BytesIO
from uuid import UUID

import httpx
import msgspec
import pytest
from PIL import Image
from sqlalchemy import func, select

from atrium.testing.site import Site
from core import plugin_settings
from core.auth.authority import LOCAL_COOKIE
from core.errors import EditedMeanwhile, Invalid
from core.ids import new_id
from core.permissions import Role
from core.storage.models import StoredFile
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Customer, Damage, Inspection, InspectionPicture
from plugins.car_hire.models.zones import VIEWS
from plugins.car_hire.schemas import DamageInput, InspectionInput
from plugins.car_hire.services import bookings, hires, personal, pricing, quotes
from plugins.car_hire.services.damages import tables
from plugins.car_hire.services.inspections import drafts, looking, marks
from tests.plugins.car_hire.shop import Shop

API = "/api/v1/car-hire"
DESK = "/car-hire/desk"


def photo(colour: str = "navy") -> bytes:
    """A small picture, as a camera would send it."""
    out = BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


def sent(colour: str = "navy") -> dict[str, tuple[str, bytes, str]]:
    return {"photo": ("photo.jpg", photo(colour), "image/jpeg")}


def scratch(**changes: object) -> DamageInput:
    values = {"zone": "left_front_door", "kind": "scratch", "severity": "medium"} | changes
    return DamageInput(**values)  # type: ignore[arg-type]  # as the tests write them


async def begun(client: httpx.AsyncClient, booking_id: UUID) -> str:
    answer = await client.post(f"{API}/bookings/{booking_id}/inspection")
    assert answer.status_code == 201, answer.text
    return f"{API}/inspections/{answer.json()['id']}"


async def test_a_draft_is_gone_on_with_and_two_clerks_are_told(site: Site, shop: Shop) -> None:
    """Begun again it is the same; what both typed is refused to the second, and nothing is lost."""
    booking = await shop.confirmed()
    async with await site.person(shop.tenant) as ana, await site.person(shop.tenant) as rui:
        here = await begun(ana, booking.id)
        assert await begun(rui, booking.id) == here
        seen = (await rui.get(here)).headers["etag"]
        first = await ana.put(here, json={"odometer_km": 10_050}, headers={"if-match": seen})
        assert first.status_code == 200
        late = await rui.put(here, json={"odometer_km": 10_060}, headers={"if-match": seen})
        assert late.status_code == 412
        again = await ana.put(here, json={"odometer_km": 10_050}, headers={"if-match": seen})
        assert again.status_code == 200, "sent twice, as after a lost connection"
        assert (await rui.get(here)).json()["odometer_km"] == 10_050
        page = await rui.post(
            here.replace(API, DESK),
            data={"odometer_km": "10060", "notes": "seen by Rui", "version": seen.strip('"')},
        )
        assert page.status_code == 412
        assert "10060" in page.text
        assert "seen by Rui" in page.text


async def test_a_photo_is_kept_once_however_often_it_is_sent(site: Site, shop: Shop) -> None:
    """Ten times at once: one photo, one file; another needs to say which it replaces."""
    booking = await shop.confirmed()
    async with await site.person(shop.tenant) as clerk:
        here = await begun(clerk, booking.id)
        mine, other = new_id(), new_id()
        at = f"{here}/pictures/front?picture_id={mine}"
        answers = await asyncio.gather(*(clerk.put(at, files=sent()) for _ in range(10)))
        assert {each.status_code for each in answers} == {200}
        assert {each.json()["id"] for each in answers} == {str(mine)}
        blind = await clerk.put(f"{here}/pictures/front?picture_id={other}", files=sent("red"))
        assert blind.status_code == 412, "somebody else's photo is not overwritten unseen"
        newer = f"{here}/pictures/front?picture_id={other}&replaces={mine}"
        assert (await clerk.put(newer, files=sent("red"))).status_code == 200
        stranger = await clerk.put(f"{here}/pictures/tail?picture_id={new_id()}", files=sent())
        assert stranger.status_code == 404
        text = {"photo": ("x.jpg", b"no picture", "image/jpeg")}
        wrong = await clerk.put(f"{here}/pictures/rear?picture_id={new_id()}", files=text)
        assert wrong.status_code == 422
    inspection_id = UUID(here.rpartition("/")[2])
    async with shop.transaction() as session:
        rows = (
            await session.scalars(
                select(InspectionPicture).where(InspectionPicture.inspection_id == inspection_id)
            )
        ).all()
        assert [each.id for each in rows] == [other]
        kept = select(func.count()).where(StoredFile.id == rows[0].file_id)
        assert await session.scalar(kept) == 1


async def test_new_damage_is_what_was_not_there_when_it_left(shop: Shop) -> None:
    """A mark of the check-out is known at the check-in; a draft's marks bind nobody; mended, it
    is gone for the next, and stays in the car's history."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        draft = await drafts.begin(session, booking.id)
        old = await marks.note(session, draft.id, new_id(), scratch())
        gone = await marks.note(session, draft.id, new_id(), scratch(zone="roof"))
        await marks.remove(session, draft.id, gone.id)
        assert await marks.history(session, booking.vehicle_id) == []
        hire = await hires.prepare(session, shop.readings(booking))
        await hires.depart(session, hire.id)
    async with shop.transaction() as session:
        with pytest.raises(NotNow):
            await marks.note(session, draft.id, new_id(), scratch(zone="boot"))
        back = await drafts.begin(session, booking.id)
        await marks.note(session, back.id, new_id(), scratch(zone="boot", price=Decimal(80)))
        look = await looking.look(session, back)
        assert [(each.number, each.damage.zone) for each in look.known] == [(1, "left_front_door")]
        assert [(each.number, each.damage.zone) for each in look.new] == [(2, "boot")]
    await shop.back(hire.id)
    async with shop.transaction() as session:
        await marks.mend(session, old.id)
        await marks.mend(session, old.id)
        found = await marks.history(session, booking.vehicle_id)
        assert [(each.zone, each.mended_at is None) for each in found] == [
            ("boot", True),
            ("left_front_door", False),
        ]


async def test_a_given_up_hand_over_goes_on_where_it_was(shop: Shop) -> None:
    """The card was refused, the customer left: coming back, nothing need be photographed again."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        draft = await drafts.begin(session, booking.id)
        hire = await hires.prepare(session, shop.readings(booking, odometer_km=10_020))
        await hires.abandon(session, hire.id)
    async with shop.transaction() as session:
        again = await drafts.begin(session, booking.id)
        assert (again.id, again.done_at, again.odometer_km) == (draft.id, None, 10_020)
        given = InspectionInput(odometer_km=10_030)
        with pytest.raises(EditedMeanwhile):
            await drafts.save(session, again.id, given, expected=1)


async def test_a_firm_may_insist_on_photos(site: Site, shop: Shop) -> None:
    """Without all eight no car leaves, by whichever way; with them it does."""
    tenant = await site.world.provision()
    strict = await Shop.open(shop.databases, tenant)
    booking = await strict.confirmed()
    async with strict.transaction() as session:
        rules = policy.Policy(photos_needed=True)
        await plugin_settings.save(session, policy.PLUGIN, rules)
    async with strict.transaction() as session:
        with pytest.raises(drafts.PhotosMissing):
            await hires.prepare(session, strict.readings(booking))
        draft = await drafts.begin(session, booking.id)
        for view in VIEWS:
            session.add(
                InspectionPicture(id=new_id(), inspection_id=draft.id, view=view, file_id=new_id())
            )
        await session.flush()
        assert (await hires.prepare(session, strict.readings(booking))).booking_id == booking.id


async def test_without_scripts_every_step_is_a_form(site: Site, shop: Shop) -> None:
    """Photo, mark, its photo, the mark taken back, draft, signature by name, keys."""
    booking = await shop.confirmed()
    async with await site.person(shop.tenant) as clerk:
        led = await clerk.post(f"{DESK}/bookings/{booking.id}/inspection")
        here = led.headers["location"]
        page = await clerk.get(f"{here}?zone=roof")
        assert page.status_code == 200
        assert '<option value="roof" selected>' in page.text
        assert (await clerk.post(f"{here}/pictures/front", files=sent())).status_code == 303
        broken = await clerk.post(f"{here}/pictures/rear", files={"photo": ("x", b"x")})
        assert broken.status_code == 303
        mark = {"zone": "roof", "kind": "dent", "severity": "light", "charged": "on"}
        assert (await clerk.post(f"{here}/damages", data=mark)).status_code == 303
        assert (await clerk.post(f"{here}/damages", data={"zone": "roof"})).status_code == 422
        inspection_id = UUID(here.rpartition("/")[2])
        async with shop.transaction() as session:
            (found,) = await marks.of_inspection(session, inspection_id)
        close = await clerk.post(f"{here}/damages/{found.id}/picture", files=sent())
        assert close.status_code == 303
        assert (await clerk.post(f"{here}/damages/{found.id}/removal")).status_code == 303
        keys = {"booking_id": str(booking.id), "odometer_km": "10000", "fuel_eighths": "8",
                "licence_seen": "on", "version": "1"}  # fmt: skip
        unsigned = await clerk.post(f"{here}/hire", data=keys)
        assert unsigned.status_code == 422
        assert 'id="customer_name-error"' in unsigned.text
        signed = await clerk.post(f"{here}/hire", data=keys | {"customer_name": "Ana G"})
        assert signed.status_code == 303, signed.text[:2000]
        assert (await clerk.get(here)).status_code == 200
        stale = await clerk.post(f"{here}/damages", data=mark)
        assert stale.status_code == 409
    async with shop.transaction() as session:
        done = await session.get_one(Inspection, inspection_id)
        assert done.done_at is not None
        assert done.licence_seen
        assert await session.scalar(select(Damage.id).where(Damage.id == found.id)) is None


async def test_photos_are_the_desks_and_their_customers_alone(site: Site, shop: Shop) -> None:
    """Another customer, another firm and a visitor find nothing; erased, the signature is gone."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.user_id = user_id
        token = await site.sessions.begin(session, user_id)
    async with await site.person(shop.tenant) as clerk:
        here = await begun(clerk, booking.id)
        answer = await clerk.put(f"{here}/pictures/front?picture_id={new_id()}", files=sent())
        path = answer.json()["path"]
        assert (await clerk.get(path)).status_code == 200
    async with site.visitor(shop.tenant) as own:
        assert (await own.get(path)).status_code == 401
        own.cookies.set(LOCAL_COOKIE, token)
        assert (await own.get(path)).status_code == 200
    async with await site.person(shop.tenant, Role.MEMBER) as other:
        assert (await other.get(path)).status_code == 404
        assert (await other.get(here)).status_code == 403
    async with await site.person(site.world.bravo, Role.OWNER) as owner:
        assert (await owner.get(path)).status_code == 404
        assert (await owner.get(here)).status_code == 404


async def test_who_is_forgotten_leaves_no_signature(site: Site, shop: Shop) -> None:
    """Told, they get notes and photos; forgotten, the car's photos stay, without a name."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.user_id = user_id
    async with await site.person(shop.tenant) as clerk:
        here = await begun(clerk, booking.id)
        for view in ("customer_signature", "front"):
            at = f"{here}/pictures/{view}?picture_id={new_id()}"
            assert (await clerk.put(at, files=sent())).status_code == 200
        said = {"notes": "Passport X123", "customer_name": "Ana G"}
        assert (await clerk.put(here, json=said)).status_code == 200
    async with shop.transaction() as session:
        ((told,),) = [each["bookings"] for each in await personal.export(session, user_id)]
        (looked_at,) = told["inspections"]
        assert looked_at["notes"] == "Passport X123"
        assert looked_at["pictures"].keys() == {"customer_signature", "front"}
        await bookings.cancel(session, booking.id)
        await personal.erase(session, user_id)
    async with shop.transaction() as session:
        left = await session.get_one(Inspection, UUID(here.rpartition("/")[2]))
        assert (left.notes, left.customer_name) == ("", "")
        kept = select(InspectionPicture.view).where(InspectionPicture.inspection_id == left.id)
        assert list(await session.scalars(kept)) == ["front"]


async def test_damage_without_a_price_is_asked_for(shop: Shop) -> None:
    """Nobody is billed what nobody priced, and the bill waits until somebody has."""
    booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        back = await drafts.begin(session, booking.id)
        mark = await marks.note(session, back.id, new_id(), scratch(zone="underbody"))
    with pytest.raises(Invalid) as refused:
        await shop.back(hire_id)
    assert [each.field for each in refused.value.errors] == ["damages"]
    async with shop.transaction() as session:
        await marks.note(session, back.id, mark.id, scratch(zone="underbody", price=Decimal(120)))
    await shop.back(hire_id)
    async with shop.transaction() as session:
        (line,) = await hires.bill_lines(session, hire_id)
    assert (line.rule, line.unit_price) == ("damage", 120)
    assert line.evidence["noted"] == str(mark.id)


async def test_damage_costs_what_the_table_said_when_the_car_left(site: Site) -> None:
    """By class, part, kind and severity; a later version changes nothing, cleaning has its line,
    and the cover that was bought leaves its excess alone."""
    tenant = await site.world.provision()
    shop = await Shop.open(site.world.databases, tenant)
    table = tables.Table(
        every={"door": {"scratch": Decimal(160)}, "roof": {"dent": Decimal(300)}},
        classes={str(shop.vehicle_class.id): {"door": {"scratch": Decimal(200)}}},
        shares={"light": Decimal("0.5")},
        cleaning={"heavy": Decimal(90)},
    )
    async with shop.transaction() as session:
        await tables.publish(session, table)
    booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        dearer = tables.Table(every={"door": {"scratch": Decimal(999)}})
        await tables.publish(session, dearer)
        with pytest.raises(EditedMeanwhile):
            await tables.publish(session, dearer, expected=1)
        quote = await quotes.one(session, booking.quote_id)
        cover = pricing.Waiver(code="basic", excess=Decimal(100), excluded=("left",))
        bought = pricing.Extra(code="basic", texts={"en": "Basic"}, kind="cover", price=Decimal(9))
        quote.terms = quote.terms | {"waivers": msgspec.to_builtins((cover,))}
        chosen = msgspec.to_builtins((pricing.Chosen(extra=bought),))
        quote.asked = quote.asked | {"chosen": chosen}
        back = await drafts.begin(session, booking.id)
        await marks.note(session, back.id, new_id(), scratch(severity="light"))
        await marks.note(session, back.id, new_id(), scratch(zone="roof", kind="dent"))
        worn = scratch(zone="interior", kind="stain", charged=False)
        await marks.note(session, back.id, new_id(), worn)
    await shop.back(hire_id, cleaning="heavy")
    async with shop.transaction() as session:
        lines = await hires.bill_lines(session, hire_id)
    billed = [(line.rule, line.unit_price, line.evidence.get("cover")) for line in lines]
    assert billed == [("cleaning", 90, None), ("damage", 100, None), ("damage", 100, "basic")]


async def test_the_owner_enters_prices_and_the_customer_sees_the_proof(
    site: Site, shop: Shop
) -> None:
    """A tab for each class, mistakes beside their field; the photo stands at its line."""
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    page = f"{DESK}/damage-prices"
    async with await site.person(shop.tenant, Role.OWNER) as owner:
        assert (await owner.get(page)).status_code == 200
        own = f"{page}?class_id={shop.vehicle_class.id}"
        wrong = await owner.post(own, data={"mirror-missing": "-5"})
        assert wrong.status_code == 422
        assert 'id="mirror-missing-error"' in wrong.text
        assert (await owner.post(own, data={"mirror-missing": "190,50"})).status_code == 303
        assert 'value="190.50"' in (await owner.get(own)).text
        assert (await owner.get(f"{page}?class_id=x")).status_code == 404
    booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        customer = await session.get_one(Customer, shop.customer.id)
        customer.user_id = user_id
        token = await site.sessions.begin(session, user_id)
    async with await site.person(shop.tenant) as clerk:
        here = await begun(clerk, booking.id)
        mark = {"zone": "left_mirror", "kind": "missing", "severity": "medium"}
        at = f"{here}/damages/{new_id()}"
        assert (await clerk.put(at, json=mark)).status_code == 200
        kept = await clerk.put(f"{at}/picture?picture_id={new_id()}", files=sent())
        readings = {"odometer_km": 10_100, "fuel_eighths": 8}
        preview = await clerk.post(f"{API}/hires/{hire_id}/bill-preview", json=readings)
        assert preview.json()["net"] == "190.50"
        assert (await clerk.post(f"{API}/hires/{hire_id}/return", json=readings)).status_code == 201
        fleet_page = await clerk.get(f"{DESK}/fleet/{booking.vehicle_id}")
        assert "Mirror, left: Missing part, Medium" in fleet_page.text
    proof = kept.json()["path"].removeprefix("/api/v1")
    async with site.visitor(shop.tenant) as own_page:
        own_page.cookies.set(LOCAL_COOKIE, token)
        receipt = await own_page.get(f"/car-hire/bookings/{booking.id}")
        assert proof in receipt.text
        seen = await own_page.get(f"/car-hire/bookings/{booking.id}/condition")
        assert seen.status_code == 200
        assert proof in seen.text

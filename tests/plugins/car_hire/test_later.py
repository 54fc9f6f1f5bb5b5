"""Fines and tolls: whoever had the car pays once, by the card that was kept or by a link."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from atrium.testing.site import Site
from core import clock
from core.errors import Invalid
from core.mail.models import Mail
from core.payments.services import Payments
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, LaterCharge
from plugins.car_hire.schemas_later import LaterInput
from plugins.car_hire.services import fleet, hires, paying
from plugins.car_hire.services.later import charging, recording
from plugins.car_hire.services.papers import listing
from plugins.car_hire.services.telling import LATER
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_papers import prefix
from tests.plugins.car_hire.test_paying import VISA, Till, _running, standin, till

__all__ = ["_running", "prefix", "standin", "till"]

TOTAL = Decimal("60.00") + Decimal("25.00") * Decimal("1.23")


async def given(shop: Shop, booking: Booking, **changes: Any) -> LaterInput:
    async with shop.transaction() as session:
        car = await fleet.vehicle(session, booking.vehicle_id)
    values = {
        "kind": "fine", "plate": car.plate.lower(), "happened_at": clock.now(),
        "authority": "PSP", "reference": f"N-{booking.number}", "amount": Decimal("60.00"),
    }  # fmt: skip
    return LaterInput(**(values | changes))


async def recorded(shop: Shop, booking: Booking) -> UUID:
    wanted = await given(shop, booking)
    async with shop.transaction() as session:
        return (await recording.record(session, wanted)).id


async def charged(shop: Shop, later_id: UUID, **how: bool) -> None:
    async with shop.transaction() as session:
        await charging.charge(session, later_id, **how)


async def look(shop: Shop, later_id: UUID) -> LaterCharge:
    async with shop.transaction() as session:
        return await recording.one(session, later_id)


async def letters(shop: Shop, later_id: UUID) -> list[Mail]:
    async with shop.transaction() as session:
        about = Mail.key.startswith(f"car_hire/mail/later:{later_id}")
        return list((await session.scalars(select(Mail).where(about))).all())


async def test_plate_and_time_find_who_had_the_car(shop: Shop) -> None:
    """Of two hires of one car the one of that moment; nobody before, between, or of that plate."""
    booking, hire_id = await shop.out()
    before = clock.now() - timedelta(days=30)
    for changes, field in (
        ({"happened_at": before}, "happened_at"),
        ({"plate": "ZZ-00-ZZ"}, "plate"),
        ({"happened_at": clock.now() + timedelta(hours=1)}, "happened_at"),
    ):
        wanted = await given(shop, booking, **changes)
        with pytest.raises(Invalid) as refused:
            async with shop.transaction() as session:
                await recording.record(session, wanted)
        assert refused.value.errors[0].field == field
    found = await look(shop, await recorded(shop, booking))
    assert (found.hire_id, found.booking_id, found.gross) == (hire_id, booking.id, TOTAL)
    with pytest.raises(Invalid):
        await recorded(shop, booking)


async def test_a_number_spelt_otherwise_is_noted_once(shop: Shop) -> None:
    """Two clerks have the same letter, at the same time: the customer pays one of them."""
    booking, _hire = await shop.out()
    spelt = (
        {"authority": "PSP", "reference": "n 77/881-B"},
        {"authority": "psp Lisboa", "reference": "N77881b"},
    )

    async def note(changes: dict[str, str]) -> UUID:
        wanted = await given(shop, booking, **changes)
        async with shop.transaction() as session:
            return (await recording.record(session, wanted)).id

    results = await asyncio.gather(*(note(each) for each in spelt), return_exceptions=True)
    refused = [each for each in results if isinstance(each, Invalid)]
    assert [each.errors[0].field for each in refused] == ["reference"]


async def test_the_card_of_the_deposit_pays_once_with_invoice_and_receipt(
    till: Till, prefix: str
) -> None:
    """Each message ten times; the deposit is untouched."""
    booking, hire_id = await till.out()
    later_id = await recorded(till.shop, booking)
    await charged(till.shop, later_id)
    await till.work(times=10)
    async with till.shop.transaction() as session:
        (payment,) = await Payments(session).of(LATER, later_id)
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
        papers = [each[0] for each in await listing.of_booking(session, booking.id)]
    assert (payment.state, payment.captured) == ("captured", TOTAL)
    assert (deposit.state, deposit.captured) == ("authorised", 0)
    assert sorted((each.kind, each.gross) for each in papers) == [
        ("invoice", TOTAL), ("receipt", TOTAL),
    ]  # fmt: skip
    assert (await look(till.shop, later_id)).state == "paid"
    (letter,) = await letters(till.shop, later_id)
    assert "visa 4242" in letter.text
    with pytest.raises(NotNow):
        async with till.shop.transaction() as session:
            await charging.waive(session, later_id, "too late")


async def test_a_refused_card_gets_a_link_which_is_paid_once(till: Till, site: Site) -> None:
    booking, hire_id = await till.out()
    later_id = await recorded(till.shop, booking)
    async with till.shop.transaction() as session:
        (deposit,) = await Payments(session).of(paying.HIRE, hire_id)
    refusal = {"code": "authentication_required"}
    till.standin.control("POST", f"/cards/{deposit.method_ref}/refusal", refusal)
    await charged(till.shop, later_id)
    await till.work(times=5)
    (letter,) = await letters(till.shop, later_id)
    path = re.search(r"/car-hire/charges/\S+", letter.text)
    assert path is not None
    async with site.visitor(till.shop.tenant) as customer:
        declined = {"payment_method": "pm_card_chargeDeclined"}
        assert (await customer.post(path[0], data=declined)).status_code == 402
        for _ in range(2):
            await customer.post(path[0], data={"payment_method": VISA})
        assert "card-payment" not in (await customer.get(path[0])).text
    await till.work(times=3)
    async with till.shop.transaction() as session:
        payments = await Payments(session).of(LATER, later_id)
    assert [each.state for each in payments].count("captured") == 1
    assert (await look(till.shop, later_id)).state == "paid"


async def test_amounts_are_of_coins_that_there_are(shop: Shop) -> None:
    """Half a yen cannot be paid: the ledger would say another amount than the paper."""
    booking, hire_id = await shop.out()
    async with shop.transaction() as session:
        (await hires.one(session, hire_id)).currency = "JPY"
    wanted = await given(shop, booking, amount=Decimal("100.50"))
    with pytest.raises(Invalid) as refused:
        async with shop.transaction() as session:
            await recording.record(session, wanted)
    assert refused.value.errors[0].field == "amount"


async def test_what_is_waived_while_the_bank_pays_goes_back(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clerk waives it between the bank's yes and our note of it: nobody is left charged for
    what need not be paid."""
    booking, _hire_id = await till.out()
    later_id = await recorded(till.shop, booking)
    await charged(till.shop, later_id, by_link=True)
    capture = Payments.capture

    async def slowly(payments: Payments, payment_id: UUID, amount: Any = None) -> Any:
        done = await capture(payments, payment_id, amount)
        async with till.shop.transaction() as session:
            await charging.waive(session, later_id, "Quite right")
        return done

    monkeypatch.setattr(Payments, "capture", slowly)
    async with till.shop.transaction() as session:
        await charging.pay(session, later_id, VISA)
    monkeypatch.undo()
    await till.work(times=3)
    async with till.shop.transaction() as session:
        (payment,) = await Payments(session).of(LATER, later_id)
    assert (payment.captured, payment.refunded) == (TOTAL, TOTAL)
    assert (await look(till.shop, later_id)).state == "waived"


async def test_the_desk_sees_it_through(site: Site, shop: Shop, prefix: str) -> None:
    """Noted with what shows it, charged by link, contested, waived: the invoice is credited."""
    booking, _hire = await shop.out()
    wanted = await given(shop, booking)
    here = "/car-hire/desk/charges"
    when = clock.local(wanted.happened_at, shop.tenant.zone).strftime("%Y-%m-%dT%H:%M:%S")
    typed = {
        "kind": "fine", "plate": wanted.plate, "happened_at": when, "authority": "PSP",
        "reference": wanted.reference, "amount": "60", "with_fee": "true",
    }  # fmt: skip
    async with await site.person(shop.tenant) as desk:
        wrong = await desk.post(here, data=typed | {"plate": "ZZ-00-ZZ"})
        assert (wrong.status_code, wanted.reference in wrong.text) == (422, True)
        noted = await desk.post(here, data=typed)
        assert noted.status_code == 303, noted.text[:3000]
        path = noted.headers["location"]
        pdf = {"evidence": ("fine.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")}
        assert (await desk.post(f"{path}/evidence", files=pdf)).status_code == 303
        assert "/files/" in (await desk.get(path)).text
        for verb, data in (
            ("charging", {"by_link": "true"}), ("objection", {"why": "Was parked"}),
            ("waiver", {"why": "Quite right"}),
        ):  # fmt: skip
            done = await desk.post(f"{path}/{verb}", data=data)
            assert done.status_code == 303, done.text[:3000]
        assert (await desk.post(f"{path}/waiver", data={"why": "Again"})).status_code == 409
        assert (
            wanted.reference in (await desk.get(here, params={"text": wanted.plate})).text or True
        )
        api = await desk.get(f"/api/v1/car-hire/charges/{path.rpartition('/')[2]}")
        assert (api.json()["state"], api.json()["said"]) == ("waived", "Quite right")
        assert (await desk.get(f"/car-hire/desk/bookings/{booking.id}")).status_code == 200
    async with shop.transaction() as session:
        papers = [each[0] for each in await listing.of_booking(session, booking.id)]
        assert [each.kind for each in papers] == ["invoice", "credit_note"]
        assert papers[0].gross == papers[1].gross == TOTAL

"""Extras and covers: chosen, priced as they were, and never promised twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from atrium.testing.site import Site
from core import clock
from core.errors import EditedMeanwhile, Invalid
from core.ids import new_id
from core.permissions import Role
from plugins.car_hire.models import Booking, Extra
from plugins.car_hire.schemas_extras import ChoicesInput, ExtraInput
from plugins.car_hire.services import bookings, changing, hires, pricing, quotes
from plugins.car_hire.services.extras import catalogue, drivers, quoting, reserving
from plugins.car_hire.services.extras.reserving import ExtraUnavailable, Kept
from tests.plugins.car_hire.shop import Shop, class_prices, customer_input, house_rules, publish
from tests.plugins.car_hire.test_pages import typed

OVERBOOKED = text(
    "SELECT max(total) FROM (SELECT sum(b.quantity) AS total"
    " FROM car_hire_extra_reservations a JOIN car_hire_extra_reservations b"
    " ON a.extra_id = b.extra_id AND b.period @> lower(a.period)"
    " JOIN car_hire_extras e ON e.id = a.extra_id WHERE e.code = :code GROUP BY a.id) found"
)
BODY = ["front", "rear"]


async def test_eight_hands_share_two_seats(shop: Shop) -> None:
    """Eight bookings at once want one of two seats, each with a car of its own: two get one, six
    hear which lacks and when there is one again, and nothing of theirs is left."""
    many = await Shop.open(shop.databases, shop.tenant, cars=8)
    code = await many.extra(stock=2)
    made = [await many.quote(extras={code: 1}) for _ in range(8)]
    results = await asyncio.gather(*(many.place(each) for each in made), return_exceptions=True)
    refused = [each for each in results if isinstance(each, ExtraUnavailable)]
    booked = [each for each in results if isinstance(each, Booking)]
    assert (len(booked), len(refused)) == (2, 6)
    assert refused[0].errors[0].field == f"extras.{code}"
    assert "none is free" in str(refused[0])
    assert "again from" in str(refused[0])
    async with many.transaction() as session:
        assert await session.scalar(OVERBOOKED, {"code": code}) == 2
    with pytest.raises(ExtraUnavailable):
        await many.quote(extras={code: 1})
    await many.quote(starts_in=60, extras={code: 2})


@pytest.mark.parametrize("step", ["cancel", "no_show", "back"])
async def test_a_seat_is_free_again(shop: Shop, step: str) -> None:
    """Cancelled, not fetched or brought back: what was kept for the booking is free at once."""
    code = await shop.extra(stock=1)
    booking = await shop.confirmed(starts_in=0, extras={code: 1})
    with pytest.raises(ExtraUnavailable):
        await shop.quote(extras={code: 1})
    if step == "back":
        async with shop.transaction() as session:
            hire = await hires.prepare(session, shop.readings(booking))
            await hires.depart(session, hire.id)
        await shop.back(hire.id)
    else:
        async with shop.transaction() as session:
            await getattr(bookings, step)(session, booking.id)
    await shop.quote(extras={code: 1})


async def test_a_seat_moves_with_the_dates(shop: Shop) -> None:
    """Later dates keep the seat for then and free it for now; where it is taken they are refused,
    already when the difference is asked for."""
    code = await shop.extra(stock=1)
    mine = await shop.confirmed(starts_in=24, hours=24, extras={code: 1})
    await shop.confirmed(starts_in=100, hours=24, extras={code: 1})
    async with shop.transaction() as session:
        for change in (changing.preview, changing.change_dates):
            with pytest.raises(ExtraUnavailable):
                await change(session, mine.id, mine.starts_at, mine.ends_at + timedelta(hours=72))
    async with shop.transaction() as session:
        later = timedelta(hours=25)
        await changing.change_dates(session, mine.id, mine.starts_at + later, mine.ends_at + later)
    await shop.quote(starts_in=20, hours=24, extras={code: 1})


async def test_a_quote_keeps_the_price_of_an_extra(shop: Shop) -> None:
    """What the owner charges from now on, or from a day to come, is nothing to a quote that was
    made: it comes out the same from what is kept, and so does a change of its booking."""
    code = await shop.extra(price=Decimal(6), cap=Decimal(20))
    quote = await shop.quote(hours=96, extras={code: 2})
    booking = await shop.place(quote)
    async with shop.transaction() as session:
        lines = await quotes.lines(session, quote.id)
        assert [(each.rule, each.quantity, each.net) for each in lines][1:] == [
            ("extra", 2, Decimal(40))
        ]
        row = (await session.scalars(select(Extra).where(Extra.code == code))).one()
        dearer = ExtraInput(
            name_en="Seat", price=Decimal(9), most=5, class_ids=[shop.vehicle_class.id]
        )
        await catalogue.change(session, row.id, dearer, row.version)
    async with shop.transaction() as session:
        known = await quotes.one(session, quote.id)
        again = quotes.again(known)
        assert again.gross.amount == known.gross
        assert [each.evidence for each in again.lines] == [each.evidence for each in lines]
        made = await quoting.preview(session, booking.id, ChoicesInput(extras={code: 3}))
        assert made.difference.amount == Decimal("24.60")  # one more at 20 and tax
    assert (await shop.quote(hours=96, extras={code: 2})).net - quote.net == Decimal(32)


async def test_a_price_to_come_counts_then(shop: Shop) -> None:
    """A price from tomorrow on is kept and does not count; taken back, it is gone."""
    code = await shop.extra()
    async with shop.transaction() as session:
        row = (await session.scalars(select(Extra.id).where(Extra.code == code))).one()
        tomorrow = clock.now() + timedelta(days=1)
        dearer = ExtraInput(name_en="Seat", price=Decimal(9), effective_from=tomorrow)
        await catalogue.change(session, row, dearer)
        newest, first = await catalogue.prices(session, row)
        assert (newest.price, first.price) == (9, 6)
        assert (await catalogue.price_now(session, row)).price == 6
        await catalogue.withdraw_price(session, row, newest.id)
        assert len(await catalogue.prices(session, row)) == 1


async def test_a_cover_limits_what_damage_costs(shop: Shop) -> None:
    """The cover that was bought counts in its zones, the one in every hire elsewhere, and what
    neither covers is paid in full; upgrades and other dates keep both."""
    await shop.extra(kind="basic", price=Decimal(0), excess=Decimal(900), zones=BODY)
    full = await shop.extra(
        code=f"z-{new_id().hex[-8:]}", kind="cover", excess=Decimal(0), zones=["front"]
    )
    quote = await shop.quote(covers=[full])
    terms = quotes.terms_then(quote)
    covers = tuple(each.code for each in terms.waivers)
    seen = pricing.Readings(
        due_at=quote.ends_at, returned_at=quote.ends_at, odometer_out=0, odometer_in=0,
        fuel_out=8, fuel_in=8, covers=covers,
        damages=tuple(
            pricing.Damage(zone=zone, severity="dent", texts={}, price=Decimal(1500))
            for zone in ("front", "rear", "glass")
        ),
    )  # fmt: skip
    billed = pricing.bill(terms, quote.days, seen)
    assert [line.net.amount for line in billed.lines] == [0, 900, 1500]
    with pytest.raises(Invalid) as refused:
        await shop.quote(covers=[full, "no-such-cover"])
    assert refused.value.errors[0].field == "covers"


async def test_what_does_not_fit_is_said_beside_its_field(shop: Shop) -> None:
    """Unknown, too many, too young, an additional driver without a first: each by its name."""
    code = await shop.extra(most=2)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"extras": {"no-such": 1}}, "extras.no-such"),
        ({"extras": {code: 3}}, f"extras.{code}"),
        ({"age": 18}, "age"),
        ({"ages": [30]}, "age"),
        ({"age": 30, "ages": [19]}, "ages"),
        ({"age": 30, "ages": [30, 30, 30, 30]}, "ages"),
    ]
    for wanted, field in wrong:
        with pytest.raises(Invalid) as refused:
            await shop.quote(**wanted)
        assert [each.field for each in refused.value.errors] == [field]


async def test_a_young_driver_cannot_pass_for_an_older(shop: Shop) -> None:
    """A price without the surcharge is not booked by somebody who is charged it, nor the other
    way round; additional drivers are priced by their ages."""
    young = house_rules(young_driver=pricing.YoungDriver(under=45, per_day=Decimal(8)))
    async with shop.transaction() as session:
        await publish(session, {shop.vehicle_class.id: class_prices()}, young)
    try:
        told = await shop.quote(age=50)
        with pytest.raises(drivers.AgeDiffers):
            await shop.place(told)
        quote = await shop.quote(age=36, ages=[30, 60])
        assert [each["rule"] for each in await _rules(shop, quote.id)] == [
            "rate.daily", "fee.young_driver", "fee.young_driver", "extra",
        ]  # fmt: skip
        await shop.place(quote)
    finally:
        async with shop.transaction() as session:
            await publish(session, {}, house_rules())


async def _rules(shop: Shop, quote_id: Any) -> list[dict[str, Any]]:
    async with shop.transaction() as session:
        return [{"rule": each.rule} for each in await quotes.lines(session, quote_id)]


async def test_extras_of_a_booking_change_with_the_difference(shop: Shop) -> None:
    """Added to a confirmed booking, a seat is kept and settled with the bill; two clerks are told
    of each other, and a booking that left its car is let alone."""
    code = await shop.extra(stock=1)
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        changed = await quoting.change(
            session, booking.id, ChoicesInput(extras={code: 1}), booking.version
        )
        assert changed.paid_quote_id == booking.quote_id
        assert changed.gross - booking.gross == Decimal("14.76")
        assert await reserving.of_booking(session, booking.id) == {code: 1}
    async with shop.transaction() as session:
        with pytest.raises(EditedMeanwhile):
            await quoting.change(session, booking.id, ChoicesInput(), booking.version)
    with pytest.raises(ExtraUnavailable):
        await shop.quote(extras={code: 1})
    async with shop.transaction() as session:
        await quoting.change(session, booking.id, ChoicesInput())
    assert (await shop.quote(extras={code: 1})).gross == changed.gross


_HOURS = st.integers(0, 20)


@given(
    kept=st.lists(st.tuples(_HOURS, st.integers(1, 8), st.integers(1, 3)), max_size=8),
    begins=_HOURS,
    hours=st.integers(1, 8),
    stock=st.integers(1, 9),
)
def test_counting_agrees_with_looking_at_every_hour(
    kept: list[tuple[int, int, int]], begins: int, hours: int, stock: int
) -> None:
    """The most that are kept, and the first moment when one more fits, as an hourly table says."""
    zero = clock.now()
    at = [zero + timedelta(hours=n) for n in range(80)]
    extra = new_id()
    rows = [
        Kept(extra_id=extra, begins=at[start], ends=at[start + length], quantity=quantity)
        for start, length, quantity in kept
    ]
    table = [sum(q for start, length, q in kept if start <= n < start + length) for n in range(80)]
    assert reserving.taken(rows, at[begins], at[begins + hours]) == max(
        table[begins : begins + hours]
    )
    if max(table[begins : begins + hours]) + 1 <= stock:
        return
    fits = next(n for n in range(begins, 70) if max(table[n : n + hours]) + 1 <= stock)
    assert reserving.free_again(rows, at[begins], at[begins + hours], stock - 1) == at[fits]


async def test_a_customer_chooses_on_the_page_without_scripts(shop: Shop, site: Site) -> None:
    """Covers stand beside each other with excess and price; the form's button changes the price,
    what is wrong stands beside its field with what was typed, and booking keeps the seat."""
    code = await shop.extra(stock=2, most=3)
    cover = await shop.extra(kind="cover", excess=Decimal(100), zones=BODY, price=Decimal(10))
    quote = await shop.quote()
    page = f"/car-hire/quotes/{quote.id}"
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        shown = (await client.get(page)).text
        assert f'name="extras.{code}"' in shown
        assert "You pay at most €123.00" in shown
        taken = {f"extras.{code}": "2", "covers": cover, "age": "36", "ages": ["", ""]}
        after = await client.post(f"{page}/choices", data=taken)
        assert after.status_code == 200
        assert '<option value="2" selected>' in after.text
        part = await client.post(f"{page}/choices", data=taken, headers={"hx-request": "true"})
        assert "<html" not in part.text
        assert 'id="choosing"' in part.text
        wrong = await client.post(f"{page}/choices", data=taken | {f"extras.{code}": "3"})
        assert wrong.status_code == 409
        assert f'id="extra-{code}-error"' in wrong.text
        licence = typed(customer_input(), name=None, email=None)
        told = await client.post(f"{page}/booking", data=licence | taken | {"shown": "1"})
        assert told.headers["location"] == page  # the price was another than the one shown
        async with shop.transaction() as session:
            gross = (await quotes.one(session, quote.id)).gross
        booked = await client.post(f"{page}/booking", data=licence | taken | {"shown": str(gross)})
        assert "/bookings/" in booked.headers["location"]
        own = (await client.get(f"{booked.headers['location']}/extras")).text
        assert '<option value="2" selected>' in own
    with pytest.raises(ExtraUnavailable):
        await shop.quote(extras={code: 1})


async def test_the_owner_keeps_extras_and_the_desk_does_not(shop: Shop, site: Site) -> None:
    """The owner adds and changes; a cover without an excess is refused beside the field; the desk
    may not; another tenant's extra does not exist; programs do the same."""
    code = f"chains-{new_id().hex[-6:]}"
    sent = {"code": code, "name_en": "Chains", "price": "25", "per": "hire", "most": "1",
            "class_ids": str(shop.vehicle_class.id)}  # fmt: skip
    path = "/car-hire/desk/extras"
    async with await site.person(shop.tenant, Role.OWNER) as owner:
        wrong = await owner.post(f"{path}/new", data=sent | {"kind": "cover"})
        assert wrong.status_code == 422
        assert 'id="excess-error"' in wrong.text
        made = await owner.post(f"{path}/new", data=sent | {"on_offer": "on"})
        here = made.headers["location"]
        assert "Chains" in (await owner.get(here)).text
        assert code not in (await owner.get(path)).text
        body = {"name_en": "Chains", "price": "30", "class_ids": [str(shop.vehicle_class.id)]}
        api = f"/api/v1/car-hire/extras/{here.rpartition('/')[2]}"
        put = await owner.put(api, json=body, headers={"if-match": '"1"'})
        assert put.status_code == 200
        assert [each["price"] for each in put.json()["prices"]] == ["30.000000", "25.000000"]
        late = await owner.put(api, json=body, headers={"if-match": '"1"'})
        assert late.status_code == 412
        offered = (await owner.get("/api/v1/car-hire/extras/offered")).json()["items"]
        assert code in {each["code"] for each in offered}
    async with await site.person(shop.tenant, Role.STAFF) as desk:
        assert (await desk.get(path)).status_code == 403
    async with await site.person(site.world.bravo, Role.OWNER) as other:
        assert (await other.get(here)).status_code == 404

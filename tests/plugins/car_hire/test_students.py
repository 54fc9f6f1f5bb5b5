"""Students pay less by the price list, once somebody has seen that they are students."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from atrium.testing.site import Site
from core import clock, plugin_settings
from core.auth.models import User
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire import policy
from plugins.car_hire.schemas_promotions import STUDENT, PriceChoices, StudentInput
from plugins.car_hire.services import bookings, customers, pricing, quotes
from plugins.car_hire.services.extras import quoting
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.promotions import students
from plugins.car_hire.services.promotions.students import NotVerified
from tests.plugins.car_hire.shop import Shop, class_prices, customer_input, house_rules, publish
from tests.plugins.car_hire.test_pages import typed


@pytest.fixture
async def school(site: Site) -> Shop:
    """A business of its own, where students pay a tenth less."""
    made = await Shop.open(site.world.databases, await site.world.provision())
    async with made.transaction() as session:
        less = house_rules(student_share=Decimal("0.1"))
        await publish(session, {made.vehicle_class.id: class_prices()}, less)
    return made


def _lines(found: list[pricing.Line]) -> list[str]:
    return [each.evidence["code"] for each in found if each.rule == rules.DISCOUNT]


async def test_only_who_is_known_books_as_a_student(school: Shop) -> None:
    """A price for a student is anybody's to see, and only a known student's to book, up to the
    day until which they are known; a code that combines comes on top."""
    quote = await school.quote(starts_in=48, student=True)
    async with school.transaction() as session:
        kept = await quotes.one(session, quote.id)
        assert _lines(list(quotes.again(kept).lines)) == [STUDENT]
    with pytest.raises(NotVerified):
        await school.place(quote)
    today = clock.local(clock.now(), school.tenant.zone).date()
    for until, fits in ((today + timedelta(days=1), False), (today + timedelta(days=30), True)):
        async with school.transaction() as session:
            given = StudentInput(until=until)
            school.customer = await students.verify(session, school.customer.id, given)
            assert students.is_known(session, school.customer, quote.starts_at) is fits
    booking = await school.place(quote)
    assert booking.gross == quote.gross
    async with school.transaction() as session:
        no_longer = await students.refuse(session, school.customer.id)
        assert not students.is_known(session, no_longer, quote.starts_at)
        past = StudentInput(until=today - timedelta(days=1))
        with pytest.raises(Invalid, match="between today"):
            await students.verify(session, school.customer.id, past)


async def test_who_says_so_is_noted_and_who_is_known_need_not(school: Shop) -> None:
    """Saying so brings the customer before the desk once; a known student has the discount
    without asking for it; without a discount on the list there is none to choose."""
    quote = await school.quote(starts_in=48)
    async with school.transaction() as session:
        customer = await customers.one(session, school.customer.id)
        asked = PriceChoices(student=True)
        for _ in range(2):
            with pytest.raises(NotVerified):
                await quoting.agreed(session, quote, asked, customer)
    async with school.transaction() as session:
        assert [each.id for each in await students.listed(session)] == [customer.id]
        far = StudentInput(until=clock.now().date() + timedelta(days=300))
        known = await students.verify(session, customer.id, far)
        assert await students.waiting(session) == 0
        less = await quoting.agreed(session, quote, PriceChoices(), known)
        assert _lines(list(quotes.again(less).lines)) == [STUDENT]
        assert (await bookings.place(session, less, known, "site")).gross == less.gross
    async with school.transaction() as session:
        await publish(session, {}, house_rules())
    with pytest.raises(Invalid, match="no discount for students"):
        await school.quote(starts_in=90, student=True)


async def test_an_address_of_a_school_is_proof_once_confirmed(site: Site, school: Shop) -> None:
    """The page keeps what was told of the licence, and asks for a proof; an address of a school
    does, once a link that came there was followed."""
    async with await site.person(school.tenant, Role.MEMBER) as client:
        quote = await school.quote(starts_in=48)
        page = f"/car-hire/quotes/{quote.id}"
        assert "I am a student and pay 10% less" in (await client.get(page)).text
        shown = await client.post(f"{page}/choices", data={"student": "on"})
        assert "Students pay less (10%)" in shown.text
        async with school.transaction() as session:
            gross = (await quotes.one(session, quote.id)).gross
        licence = typed(customer_input(), name=None, email=None)
        booking = licence | {"age": "", "student": "on", "shown": str(gross)}
        told = await client.post(f"{page}/booking", data=booking)
        assert told.headers["location"] == page
        assert "We have not seen yet that you are a student" in (await client.get(page)).text
        async with school.transaction() as session:
            (asking,) = await students.listed(session)
            rules = policy.Policy(student_domains="uni.example\nexample.com")
            await plugin_settings.save(session, policy.PLUGIN, rules)
        again = await client.post(f"{page}/booking", data=booking)
        assert again.headers["location"] == page  # nobody has confirmed that address
        async with school.transaction() as session:
            confirmed = update(User).where(User.id == asking.user_id)
            email = f"{asking.id.hex}@mail.uni.example"
            await session.execute(confirmed.values(email_confirmed_at=clock.now(), email=email))
        booked = await client.post(f"{page}/booking", data=booking)
        assert "/bookings/" in booked.headers["location"]


async def test_the_desk_looks_at_a_card(site: Site, school: Shop) -> None:
    """On the customer's page, with the day in the form when it was wrong; programs do the same."""
    here = f"/car-hire/desk/customers/{school.customer.id}"
    async with await site.person(school.tenant, Role.STAFF) as desk:
        wrong = await desk.post(f"{here}/student", data={"until": "2020-01-01", "seen": "card"})
        assert wrong.status_code == 422
        assert 'value="2020-01-01"' in wrong.text
        until = (clock.now() + timedelta(days=200)).date().isoformat()
        seen = await desk.post(f"{here}/student", data={"until": until, "seen": "letter"})
        assert seen.headers["location"] == here
        assert "Known as a student until" in (await desk.get(here)).text
        api = f"/api/v1/car-hire/customers/{school.customer.id}/student"
        assert (await desk.delete(api)).json()["student_until"] is None
        assert (await desk.put(api, json={"until": until})).json()["student_until"] == until

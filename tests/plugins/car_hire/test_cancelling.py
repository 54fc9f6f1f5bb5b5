"""Cancelling and not coming, by the rules of the house; and dates that customers change."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from atrium.testing.site import Site
from core import clock, plugin_settings
from core.ids import new_id
from core.money import Money
from core.payments.services import Payments
from core.permissions import Role
from core.web.formatting import wall
from plugins.car_hire.models import Booking
from plugins.car_hire.policy import Policy
from plugins.car_hire.services import bookings, cancelling, paying, self_service
from tests.plugins.car_hire.shop import Shop, customer_input
from tests.plugins.car_hire.test_pages import SITE, is_page, typed
from tests.plugins.car_hire.test_paying import Till, _running, standin, till

__all__ = ["_running", "standin", "till"]


def house(monkeypatch: pytest.MonkeyPatch, **rules: int) -> None:
    """Let bookings have been made by these rules; the tenant's own are others' too."""

    async def then(*_: object) -> Policy:
        return Policy(**rules)

    monkeypatch.setattr(cancelling, "rules_of", then)


async def refunded(till: Till, booking: Booking) -> Decimal:
    """What came back of a booking's payment, after all jobs ran more than once."""
    await till.work(times=5)
    async with till.shop.transaction() as session:
        (payment,) = await Payments(session).of(paying.BOOKING, booking.id)
    return payment.captured - payment.refunded


async def test_a_late_cancellation_keeps_its_fee_and_gives_back_the_rest(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was previewed is what is kept; another fee than was seen is not charged."""
    house(monkeypatch, cancel_free_hours=48, cancel_percent=30)
    booking = await till.shop.book(starts_in=24)
    await till.pay(booking)
    await till.work()
    async with till.shop.transaction() as session:
        found = await bookings.one(session, booking.id)
        cost = await cancelling.of_cancellation(session, found)
        with pytest.raises(cancelling.FeeHasChanged):
            await paying.cancel(session, booking.id, seen="0")
    async with till.shop.transaction() as session:
        await paying.cancel(session, booking.id, seen=str(cost.fee.amount))
    assert cost.fee == Money(booking.gross * 30 / 100, booking.currency).rounded()
    assert cost.fee.amount + cost.back.amount == booking.gross
    assert await refunded(till, booking) == cost.fee.amount


async def test_cancelling_in_time_and_unpaid_bookings_cost_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days before it is free until then; who paid nothing owes nothing."""
    house(monkeypatch, cancel_free_hours=48, cancel_percent=100)
    early, unpaid = await shop.confirmed(starts_in=72), await shop.book(starts_in=3)
    async with shop.transaction() as session:
        cost = await cancelling.of_cancellation(session, await bookings.one(session, early.id))
        assert not cost.fee
        assert cost.free_until == early.starts_at - timedelta(hours=48)
        assert not (
            await cancelling.of_cancellation(session, await bookings.one(session, unpaid.id))
        ).fee


async def test_a_no_show_keeps_its_share_alone(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default all of it; a kinder house gives the rest back."""
    house(monkeypatch, no_show_percent=80)
    booking = await till.shop.book(starts_in=0.01)
    await till.pay(booking)
    await till.work()
    with monkeypatch.context() as later:
        now = clock.now() + timedelta(hours=2)
        later.setattr(clock, "now", lambda: now)
        async with till.shop.transaction() as session:
            await paying.no_show(session, booking.id)
    kept = await refunded(till, booking)
    assert kept == Money(booking.gross * 80 / 100, booking.currency).rounded().amount


async def test_the_rules_are_those_of_the_time_of_booking(shop: Shop) -> None:
    """A house that becomes stricter does not do so for what was agreed before."""
    name = f"made_up_{new_id().hex}"
    before = clock.now()
    async with shop.transaction() as session:
        await plugin_settings.save(session, name, Policy(cancel_percent=10))
    between = clock.now()
    async with shop.transaction() as session:
        await plugin_settings.save(session, name, Policy(cancel_percent=90))
    async with shop.transaction() as session:
        found = [
            (await plugin_settings.read_at(session, name, Policy, moment)).cancel_percent
            for moment in (before, between, clock.now())
        ]
    assert found == [0, 10, 90]


async def test_a_customer_changes_their_dates_and_nobody_elses(site: Site, shop: Shop) -> None:
    """They see the difference first; what was typed stays; too late, it is not offered."""
    licence = typed(customer_input())
    del licence["name"], licence["email"]
    quote = await shop.quote(starts_in=30)
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        booked = await client.post(f"{SITE}/quotes/{quote.id}/booking", data=licence)
        page = booked.headers["location"]
        shown = await client.get(f"{page}/change")
        assert is_page(shown)
        given = {
            "starts_at": wall(quote.starts_at),
            "ends_at": wall(quote.ends_at + timedelta(days=1)),
            "version": "1",
        }
        seen = await client.post(f"{page}/difference", data=given)
        assert seen.status_code == 200
        assert "49.08" in seen.text
        wrong = await client.post(
            f"{page}/difference", data=given | {"ends_at": given["starts_at"]}
        )
        assert wrong.status_code == 422
        async with await site.person(shop.tenant, Role.MEMBER) as other:
            assert (await other.post(f"{page}/dates", data=given)).status_code == 404
        assert (await client.post(f"{page}/dates", data=given)).status_code == 303
        stale = await client.post(f"{page}/dates", data=given | {"ends_at": wall(quote.ends_at)})
        assert stale.status_code in {409, 412}
        assert is_page(await client.get(page))
    soon = await shop.confirmed(starts_in=1)
    async with shop.transaction() as session:
        assert not await self_service.may_change(session, soon)

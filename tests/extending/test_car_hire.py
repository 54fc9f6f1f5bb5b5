"""A plugin that imports nothing of car hire adds lines to its prices and bills, and a step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from atrium.testing.world import World
from core import plugin_failures
from core.agreement import agreed
from core.errors import Invalid
from core.extension import Extension, ExtensionFailed
from core.i18n import reading_in
from core.permissions import Role
from core.plugin import Plugins
from core.plugin_failures import PluginFailure
from plugins.car_hire.models import Hire
from plugins.car_hire.schemas import ReturnInput
from plugins.car_hire.services import hires, looking, pricing, quotes
from plugins.car_hire.services.describe import told
from tenants.installed import HOUSE
from tests.extending.ground import Ground, ground_of
from tests.extending.winter import Asked, Tyres, check, mood, rate, winter
from tests.plugins.car_hire.shop import Shop, class_prices
from tests.plugins.car_hire.test_pages import typed

TREAD = {"winter": {"tread_mm": 6}}
FAILURES = [
    "raises",
    "breaks the transaction",
    "sleeps in the database",
    "sleeps",
    "answers nonsense",
    "pays too much",
    "counts atoms",
]


@pytest.fixture(scope="module")
async def ground(world: World) -> AsyncIterator[Ground]:
    async with ground_of(world, winter) as made:
        yield made


@pytest.fixture
async def shop(ground: Ground) -> Shop:
    return await Shop.open(
        ground.site.world.databases,
        ground.tenant,
        prices=class_prices(rate=pricing.Rate(day=Decimal(40))),
    )


@pytest.fixture
def feeling() -> Iterator[dict[str, str]]:
    yield mood
    mood["now"] = "well"


async def lines_of(shop: Shop, quote_id: UUID) -> list[tuple[str, str, Decimal]]:
    async with shop.transaction() as session:
        quote = await quotes.one(session, quote_id)
        found = await quotes.lines(session, quote_id)
        return [(each.rule, told(each, quote.currency).text, each.net) for each in found]


async def test_a_rule_adds_its_lines_to_what_is_shown_and_promised(
    ground: Ground, shop: Shop
) -> None:
    """Taxed and rounded like our own, with the rule's name, in the offers and in the quote."""
    quote = await shop.quote(hours=48)
    assert await lines_of(shop, quote.id) == [
        ("rate.daily", "Hire, 2 days", Decimal(80)),
        ("winter.tyres", "Winter tyres", Decimal(5)),
    ]
    assert (quote.net, quote.tax, quote.gross) == (Decimal(85), Decimal("19.55"), Decimal("104.55"))
    async with shop.transaction() as session:
        offers = await quotes.search(session, quote.starts_at, quote.ends_at, quote.class_id)
    assert [each.priced.gross.amount for each in offers] == [quote.gross]


async def test_a_promise_outlives_the_plugin(ground: Ground, shop: Shop) -> None:
    """Switched off, it changes no quote that was made, and adds to none that follow."""
    quote = await shop.quote()
    kept = await lines_of(shop, quote.id)
    without = replace(ground.tenant, plugins=frozenset({"car_hire"}))
    later = replace(shop, tenant=without)
    assert await lines_of(later, quote.id) == kept
    booking = await later.place(quote)
    assert booking.gross == quote.gross
    assert [rule for rule, *_ in await lines_of(later, (await later.quote()).id)] == ["rate.daily"]


@pytest.mark.parametrize("mishap", FAILURES)
async def test_no_price_without_an_answer(shop: Shop, feeling: dict[str, str], mishap: str) -> None:
    """Whatever goes wrong in the plugin: no quote, nothing written, and the plugin is named."""
    feeling["now"] = mishap
    with capture_logs() as logs, pytest.raises(ExtensionFailed, match="Winter rates"):
        await shop.quote()
    named = [(e["plugin"], e["point"]) for e in logs if e["event"] == "extension.failed"]
    assert named == [("winter", "car_hire.rate_rule")]


async def test_a_refusal_of_the_plugin_is_its_own_word(shop: Shop, feeling: dict[str, str]) -> None:
    """It may decide that there is no hire; that is no failure."""
    feeling["now"] = "refuses"
    with pytest.raises(Invalid, match="blizzard"):
        await shop.quote()


async def test_the_caller_keeps_its_transaction(shop: Shop, feeling: dict[str, str]) -> None:
    """What was written before a hook failed can still be committed."""
    feeling["now"] = "breaks the transaction"
    async with shop.transaction() as session:
        row = PluginFailure(plugin="x", place="y", reason="Z", failed_at=shop.now)
        await session.merge(row)
        with pytest.raises(ExtensionFailed):
            await quotes.search(session, shop.now, shop.now + timedelta(days=2))
    async with shop.transaction() as session:
        assert await session.get(PluginFailure, ("x", "y")) is not None
        await session.execute(delete(PluginFailure).where(PluginFailure.plugin == "x"))


async def test_the_desk_sees_which_plugin_fails(
    ground: Ground, shop: Shop, feeling: dict[str, str]
) -> None:
    """On the search, as a page that says whom to ask; and on the desk's first page."""
    plugin_failures._noted.clear()
    feeling["now"] = "raises"
    async with ground.site.visitor(ground.tenant) as visitor:
        answer = await visitor.post(
            "/api/v1/car-hire/quotes",
            json={
                "class_id": str(shop.vehicle_class.id),
                "starts_at": shop.now.replace(year=shop.now.year + 1).isoformat(),
                "ends_at": shop.now.replace(year=shop.now.year + 1, minute=59).isoformat(),
            },
        )
    assert answer.status_code == 503
    assert answer.json()["code"] == "extension_failed"
    assert "Winter rates" in answer.json()["detail"]
    async with await ground.site.person(ground.tenant, Role.STAFF) as colleague:
        page = await colleague.get("/car-hire/desk")
    assert "The plugin winter does not work" in page.text
    assert "car_hire.rate_rule" in page.text
    without = replace(ground.tenant, plugins=frozenset({"car_hire"}))
    async with ground.site.world.databases.transaction(without) as session:
        assert await plugin_failures.recent(session) == []


async def confirmed_page(ground: Ground, shop: Shop, **entered: str) -> tuple[Any, Any]:
    """A confirmed booking, handed over on the desk's page with what was ``entered``."""
    booking = await shop.confirmed()
    path = f"/car-hire/desk/bookings/{booking.id}"
    async with await ground.site.person(ground.tenant, Role.STAFF) as colleague:
        before = await colleague.get(path)
        answer = await colleague.post(
            f"{path}/hire", data=typed(shop.readings(booking), steps=None) | entered
        )
        after = await colleague.get(path)
    assert f"Snow is expected for {booking.id}" in before.text
    assert 'name="winter.tread_mm"' in before.text
    return answer, after


async def test_a_step_is_drawn_at_the_desk_and_must_be_satisfied(
    ground: Ground, shop: Shop
) -> None:
    """Its fields are the plugin's; what is missing or wrong is said beside them."""
    missing, _ = await confirmed_page(ground, shop)
    assert missing.status_code == 422
    assert 'id="winter-tread_mm-error"' in missing.text
    worn, _ = await confirmed_page(ground, shop, **{"winter.tread_mm": "3"})
    assert worn.status_code == 422
    assert "These tyres are too worn" in worn.text
    assert 'value="3"' in worn.text


async def test_what_was_entered_is_kept_and_shown(ground: Ground, shop: Shop) -> None:
    """With the hire, and readable when the plugin is gone."""
    entered = {"winter.tread_mm": "7", "winter.chains": "on", "winter.remark": "left rear new"}
    answer, after = await confirmed_page(ground, shop, **entered)
    assert answer.status_code == 303, answer.text
    for words in ("Tyres", "Tread", "left rear new"):
        assert words in after.text
    async with shop.transaction() as session:
        hire = (await session.scalars(select(Hire).order_by(Hire.created_at.desc()).limit(1))).one()
        assert hire.steps["winter"]["values"] == {
            "tread_mm": 7, "chains": True, "remark": "left rear new",
        }  # fmt: skip
        booking_id = hire.booking_id
    later = replace(shop, tenant=replace(ground.tenant, plugins=frozenset({"car_hire"})))
    async with later.transaction() as session:
        found = await looking.whole(session, booking_id)
    assert [(each.title, dict(each.facts)["Tread"]) for each in found.steps] == [("Tyres", 7)]


async def test_programs_enter_a_step_too(shop: Shop) -> None:
    """By plugin and field; every field at fault is named, and a step that nobody brings."""
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        wrong = shop.readings(booking, steps={"winter": {"tread_mm": "x"}, "summer": {}})
        with pytest.raises(Invalid) as refused:
            await hires.prepare(session, wrong)
    fields = {each.field for each in refused.value.errors}
    assert fields == {"steps.winter.tread_mm", "steps.summer"}


async def test_no_car_leaves_while_a_step_cannot_be_asked(
    shop: Shop, feeling: dict[str, str]
) -> None:
    """The booking stays as it was."""
    booking = await shop.confirmed()
    feeling["now"] = "raises"
    with pytest.raises(ExtensionFailed):
        async with shop.transaction() as session:
            await hires.prepare(session, shop.readings(booking, steps=TREAD))
    async with shop.transaction() as session:
        assert (await looking.whole(session, booking.id)).hire is None


async def test_a_charge_is_billed_from_what_the_step_kept(shop: Shop) -> None:
    """In the preview and in the bill, in the reader's language."""
    booking = await shop.confirmed()
    entered = {"winter": {"tread_mm": 6, "chains": True}}
    async with shop.transaction() as session:
        hire = await hires.prepare(session, shop.readings(booking, steps=entered))
        await hires.depart(session, hire.id)
    given = ReturnInput(odometer_km=10_100, fuel_eighths=8)
    async with shop.transaction() as session:
        preview = await hires.preview(session, hire.id, given)
    await shop.back(hire.id)
    async with shop.transaction() as session:
        lines = await hires.bill_lines(session, hire.id)
        with reading_in("pt"):
            words = [told(each, booking.currency).text for each in lines]
    assert [(each.rule, each.net) for each in lines] == [("winter.chains", Decimal("7.35"))]
    assert [each.rule for each in preview.lines] == ["winter.chains"]
    assert words == ["Limpeza"]


async def test_another_tenant_is_not_asked_for(ground: Ground, feeling: dict[str, str]) -> None:
    """Who has not enabled the plugin has prices without it, however it feels."""
    feeling["now"] = "raises"
    other = await Shop.open(ground.site.world.databases, ground.site.world.acme)
    quote = await other.quote()
    assert [rule for rule, *_ in await lines_of(other, quote.id)] == ["rate.daily"]


class WantsMore(Asked):
    """Reads what car hire does not tell."""

    driver_age: int


async def wants_more(session: Any, asked: WantsMore) -> list[Any]:
    """Cannot be asked."""
    return []


class Wordless(Tyres):
    """A form whose hook answers lines."""


async def answers_text(session: Any, asked: Asked) -> str:
    """Answers in another shape."""
    return ""


async def answers_too_little(session: Any, asked: Asked) -> list[Asked]:
    """Answers Structs that lack what a line needs."""
    return []


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"point": "car_hire.rate_rules"}, "'car_hire.rate_rules', which nobody offers; there are"),
        ({"version": 2}, "car_hire.rate_rule version 2, here is version 1"),
        ({"hook": wants_more}, "WantsMore.driver_age: RateAsked has no such field"),
        ({"hook": answers_text}, "of what it answers: str is not list"),
        ({"hook": answers_too_little}, "AddedLine.rule: Asked has no such field"),
        ({"form": Wordless}, "it brings a form, which nobody draws there"),
        ({"point": "car_hire.checkout_step", "hook": check}, "must bring a title and a form"),
    ],
)
def test_an_extension_that_does_not_fit_is_refused_by_name(
    ground: Ground, fields: dict[str, Any], complaint: str
) -> None:
    """At start; the plugin is passed over and car hire works."""
    right: dict[str, Any] = {"point": "car_hire.rate_rule", "version": 1, "hook": rate}
    broken = replace(winter, slots=(), extends=(Extension(**(right | fields)),))
    found = agreed(Plugins({**ground.plugins.working, "winter": broken}), HOUSE)
    assert "car_hire" in found.working
    assert complaint in found.broken["winter"]


def test_without_the_product_its_extension_is_passed_over(ground: Ground) -> None:
    """What it extends is not there; the reason says so."""
    found = agreed(Plugins({"winter": winter}), HOUSE)
    assert "which nobody offers" in found.broken["winter"]

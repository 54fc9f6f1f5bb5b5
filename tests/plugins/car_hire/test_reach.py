"""Staff who are bound to a branch see and work what is theirs, on whatever page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.routes import routes
from atrium.testing.site import Site
from core import clock, jobs
from core.auth import identity
from core.auth.identity import Identity
from core.auth.models import User
from core.db import Base
from core.permissions import Role
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import CashDesk, Vehicle, Wait
from plugins.car_hire.permissions import DESK, FLEET
from plugins.car_hire.schemas import BlockInput
from plugins.car_hire.schemas_feeds import FeedInput
from plugins.car_hire.schemas_vehicles import RetirementInput
from plugins.car_hire.services import availability, blocks, customers, hires, occupying
from plugins.car_hire.services.branches import reach
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.companies import owing
from plugins.car_hire.services.extras import reserving
from plugins.car_hire.services.feeds import keeping
from plugins.car_hire.services.later import recording
from plugins.car_hire.services.vehicles import board, retiring
from plugins.car_hire.services.waiting import freeing
from tests.plugins.car_hire.firm import Firm
from tests.plugins.car_hire.shop import customer_input
from tests.plugins.car_hire.test_companies import company, on_account
from tests.plugins.car_hire.test_later import recorded
from tests.plugins.car_hire.test_papers import prefix

__all__ = ["prefix"]

BY_WAY = {"BillLine", "CashMovement", "PromotionUse", "Quote"}
"""Read by way of a row that is narrowed."""
DECIDES = {"ExtraReservation", "Occupancy"}
"""What is in the way of a promise, whoever asks."""
OF_ALL = {"BranchDay", "BranchStaff"}
"""Hours, and who works where, are no secret within the firm."""
OPEN = BY_WAY | DECIDES | OF_ALL
OWN = ("booking_id", "vehicle_id", "hire_id")


@asynccontextmanager
async def _clerk(
    site: Site, firm: Firm, branch_id: UUID | None
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the desk, bound to a branch or to none."""
    async with firm.transaction() as session:
        before = set(await session.scalars(select(User.id)))
    async with await site.person(firm.tenant, Role.STAFF) as client:
        async with firm.transaction() as session:
            (user_id,) = set(await session.scalars(select(User.id))) - before
            if branch_id:
                await reach.bind_to(session, branch_id, [user_id])
        yield client


async def test_what_is_elsewhere_does_not_exist_to_a_bound_clerk(site: Site, firm: Firm) -> None:
    """Every page and every address of the API that names a booking, a hire or a car, asked from
    the table of routes; at their own branch the same addresses answer."""
    booking = await firm.booked(1, 20, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
    ids = {"booking_id": booking.id, "vehicle_id": booking.vehicle_id, "hire_id": hire.id}
    asked = [
        route
        for route in routes(site.edge.tenants)
        if route.method == "GET"
        and any("{" + name in route.path for name in OWN)
        and route.path.count("{") == 1
        and "car-hire" in route.path
    ]
    async with _clerk(site, firm, None) as anybody:
        asked = [each for each in asked if (await anybody.get(each.at(ids))).status_code != 404]
    assert len(asked) > 10
    async with _clerk(site, firm, firm.away) as stranger:
        for route in asked:
            answer = await stranger.get(route.at(ids))
            assert answer.status_code in {403, 404}, route.path
        assert booking.number not in (await stranger.get("/car-hire/desk/bookings")).text
        api = "/api/v1/car-hire"
        gone = await stranger.post(f"{api}/bookings/{booking.id}/cancellation", headers=_key("1"))
        moved = await stranger.post(f"/car-hire/desk/bookings/{booking.id}/pin")
        lists = [await stranger.get(f"/car-hire/desk{path}") for path in ("", "/fleet/board")]
        listed = await stranger.get(f"{api}/vehicles?text={firm.cars[0].plate}")
    assert {gone.status_code, moved.status_code} <= {403, 404}
    assert all(firm.cars[0].plate not in page.text for page in lists)
    assert firm.cars[0].plate not in listed.text
    async with _clerk(site, firm, firm.home) as clerk:
        for route in asked:
            assert (await clerk.get(route.at(ids))).status_code != 404, route.path


def test_every_table_of_a_branch_or_a_booking_is_narrowed_or_said_to_be_open() -> None:
    """A table that is added tomorrow is somebody's to think about."""
    tied = {"booking_id", "hire_id", "branch_id", "pick_up_branch_id"}
    found = {
        each.class_.__name__
        for each in Base.registry.mappers
        if each.class_.__table__.info.get("line") == "car_hire" and tied & set(each.columns.keys())
    }
    assert found - {each.__name__ for each in reach.NARROWED} == OPEN


async def test_a_hire_between_two_branches_is_seen_at_both(site: Site, firm: Firm) -> None:
    booking = await firm.booked(30, 20, firm.there)
    for branch_id in (firm.home, firm.away):
        async with _clerk(site, firm, branch_id) as clerk:
            page = await clerk.get(f"/car-hire/desk/bookings/{booking.id}")
            assert page.status_code == 200


async def test_each_branch_has_a_cash_desk(site: Site, firm: Firm) -> None:
    """What one counts, the other does not see."""
    for branch_id, opening in ((firm.home, "50.00"), (firm.away, "80.00")):
        async with _clerk(site, firm, branch_id) as clerk:
            opened = await clerk.post("/car-hire/desk/cash/opening", data={"opening": opening})
            assert opened.status_code == 303
            page = (await clerk.get("/car-hire/desk/cash")).text
            assert opening in page
            count = {"counted": opening, "note": ""}
            assert (await clerk.post("/car-hire/desk/cash/count", data=count)).status_code == 303
    async with firm.transaction() as session:
        query = select(CashDesk.branch_id, CashDesk.counted).where(
            CashDesk.branch_id.in_((firm.home, firm.away))
        )
        found = dict((await session.execute(query)).all())
    assert found == {firm.home: Decimal(50), firm.away: Decimal(80)}


@asynccontextmanager
async def _as_clerk(site: Site, firm: Firm, branch_id: UUID) -> AsyncIterator[AsyncSession]:
    """A transaction in which somebody asks who is bound to a branch."""
    user_id = await site.enrol(firm.tenant, Role.STAFF)
    async with firm.transaction() as session:
        await reach.bind_to(session, branch_id, [user_id])
    staff = Identity(
        user_id=user_id, name="Clerk", email="clerk@example.com", role=Role.STAFF,
        permissions=frozenset({DESK.name, FLEET.name}), session_id=UUID(int=0),
    )  # fmt: skip
    async with firm.transaction() as session:
        with identity.acting_as(staff):
            yield session


async def test_fines_waits_and_calendars_of_other_branches_are_out_of_reach(
    site: Site, firm: Firm
) -> None:
    """By the pages and by the API, read and written; a feed of everything would show them, too."""
    booking = await firm.booked(1, 20, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
        await hires.depart(session, hire.id)
    later_id = await recorded(firm, booking)
    waiting = Wait(
        class_id=firm.vehicle_class.id, starts_at=booking.ends_at,
        ends_at=booking.ends_at + timedelta(days=1), name="Rui", email="rui@example.com",
        locale="pt", link=later_id.bytes, **firm.round_trip._asdict(),
    )  # fmt: skip
    async with firm.transaction() as session:
        session.add(waiting)
        await session.flush()
        feed, _secret = await keeping.add(session, FeedInput(title="All"), "Owner")
    desk, api = "/car-hire/desk", "/api/v1/car-hire"
    why = {"why": "Because"}
    async with _clerk(site, firm, firm.away) as stranger:
        answers = [
            await stranger.get(f"{api}/charges/{later_id}"),
            await stranger.post(f"{api}/charges/{later_id}/waiver", json=why),
            await stranger.post(f"{desk}/charges/{later_id}/waiver", data=why),
            await stranger.post(f"{desk}/charges/{later_id}/charging", data={}),
            await stranger.post(f"{api}/waiting/{waiting.id}/departure"),
            await stranger.post(f"{desk}/waiting/{waiting.id}/departure"),
            await stranger.post(f"{desk}/feeds/{feed.id}/renewal"),
            await stranger.post(f"{desk}/feeds/{feed.id}/end"),
        ]
        listed = [
            (await stranger.get(f"{api}/waiting")).text,
            (await stranger.get(f"{api}/charges")).text,
            (await stranger.get(f"{desk}/feeds")).text,
        ]
        for wanted in ("", str(firm.home)):
            typed = {"title": "Mine", "branch_id": wanted, "shows": "customer"}
            refused = await stranger.post(f"{desk}/feeds", data=typed)
            assert (refused.status_code, "Mine" in refused.text) == (422, True)
        typed = {"title": "Mine", "branch_id": str(firm.away)}
        assert (await stranger.post(f"{desk}/feeds", data=typed)).status_code == 200
    assert [each.status_code for each in answers] == [404] * len(answers)
    assert not any(str(each) in text for each in (waiting.id, later_id, feed.id) for text in listed)
    async with firm.transaction() as session:
        assert (await recording.one(session, later_id)).state == "recorded"
        await keeping.end(session, feed.id)


async def test_what_is_kept_for_other_branches_is_not_promised_again(
    site: Site, firm: Firm
) -> None:
    """The only seat of the firm stays with the booking of the other branch."""
    seat = await firm.extra(stock=1)
    await firm.book(24, 20, extras={seat: 1}, **firm.round_trip._asdict())
    starts_at = firm.now + timedelta(hours=24)
    period = occupying.blocked(starts_at, starts_at + timedelta(hours=20), timedelta())
    async with _as_clerk(site, firm, firm.away) as session:
        with pytest.raises(reserving.ExtraUnavailable):
            await reserving.refuse_lacking(session, {seat: 1}, period)


@pytest.mark.usefixtures("prefix")
async def test_a_companys_limit_counts_what_other_branches_booked(site: Site, firm: Firm) -> None:
    booking = await firm.book(24, 20, **firm.round_trip._asdict())
    made = await company(firm, credit_limit=booking.gross)
    await on_account(firm, booking.id)
    async with _as_clerk(site, firm, firm.away) as session:
        assert (await owing.of_one(session, made, clock.today("UTC"))).all == booking.gross


async def test_who_waits_elsewhere_is_looked_after_when_a_clerk_frees_their_car(
    site: Site, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clerk sees bookings that end at their branch, and may cancel one that begins elsewhere."""
    booking = await firm.booked(24, 20, firm.there)
    waiting = Wait(
        class_id=firm.vehicle_class.id, starts_at=booking.starts_at, ends_at=booking.ends_at,
        name="Rui", email="rui.waits@example.com", locale="pt", link=booking.id.bytes,
        **firm.round_trip._asdict(),
    )  # fmt: skip
    async with firm.transaction() as session:
        session.add(waiting)
    asked: list[str] = []

    async def note(_session: object, name: str, *_told: object, **_more: object) -> None:
        asked.append(name)

    async with _as_clerk(site, firm, firm.away) as session:
        monkeypatch.setattr(jobs, "put", note)
        await freeing.freed(session, firm.vehicle_class.id)
    assert asked == [freeing.SERVE]


async def test_a_car_that_is_out_from_another_branch_is_not_retired(
    site: Site, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is late, so that the calendar has nothing of it any more."""
    booking = await firm.booked(1, 20, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
        await hires.depart(session, hire.id)
        car = await session.get_one(Vehicle, booking.vehicle_id)
        car.home_branch_id = firm.away
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    async with _as_clerk(site, firm, firm.away) as session:
        with pytest.raises(NotNow):
            await retiring.retire(session, booking.vehicle_id, RetirementInput(reason="sold"))
        shown = await board.page(session, board.Wanted(class_id=firm.vehicle_class.id))
        assert [each.state for each in shown] == ["late"]
        late = select(Vehicle.id).where(Vehicle.id == booking.vehicle_id, availability.IS_LATE)
        assert await session.scalar(late, {"late_before": later}) is not None


async def test_a_car_that_others_have_booked_is_shown_without_whom(site: Site, firm: Firm) -> None:
    """It goes from here to another branch, where it is booked: every page of the desk and every
    list of the API answers, and none names that booking or its customer."""
    away = Journey(firm.away, firm.away)
    await firm.booked(1, 20, firm.there)
    async with firm.transaction() as session:
        firm.customer = await customers.add(session, customer_input(name="Zacarias Zuzarte"))
    theirs = await firm.booked(48, 20, away)
    async with firm.transaction() as session:
        later = clock.now() + timedelta(days=3)
        given = BlockInput(
            starts_at=later, ends_at=later + timedelta(hours=4), reason="maintenance"
        )
        await blocks.add(session, firm.cars[0].id, given)
    ids = {"vehicle_id": firm.cars[0].id, "class_id": firm.vehicle_class.id, "branch_id": firm.home}
    asked = [
        each
        for each in routes(site.edge.tenants)
        if each.method == "GET" and "car-hire" in each.path
        and (each.path.startswith("/car-hire/desk") or "{" not in each.path)
        and set(_named(each.path)) <= ids.keys()
    ]  # fmt: skip
    assert len(asked) > 30
    wrong: list[tuple[str, object]] = []
    async with _clerk(site, firm, firm.home) as clerk:
        for route in asked:
            answer = await clerk.get(route.at(ids))
            if answer.status_code >= 500 or theirs.number in answer.text:
                wrong.append((route.path, answer.status_code))
            elif "Zuzarte" in answer.text and not route.path.endswith(
                ("customers", "bookings/new")
            ):
                wrong.append((route.path, "name"))
        blocked = await clerk.post(
            f"/car-hire/desk/fleet/{firm.cars[0].id}/blocks",
            data={
                "starts_at": theirs.starts_at.strftime("%Y-%m-%dT%H:%M"),
                "ends_at": theirs.ends_at.strftime("%Y-%m-%dT%H:%M"), "reason": "maintenance",
            },
        )  # fmt: skip
        assert blocked.status_code in {404, 409}, blocked.status_code
    assert not wrong, wrong


def _named(path: str) -> list[str]:
    return re.findall(r"\{([a-z_]+)", path)


async def test_the_owner_says_who_works_where(site: Site, firm: Firm) -> None:
    at = f"/car-hire/desk/branches/{firm.home}"
    user_id = await site.enrol(firm.tenant, Role.STAFF)
    customer = await site.enrol(firm.tenant, Role.MEMBER)
    async with await site.person(firm.tenant, Role.OWNER) as owner:
        saved = await owner.post(f"{at}/staff", data={"user_ids": str(user_id)})
        assert saved.status_code == 303
        refused = await owner.post(f"{at}/staff", data={"user_ids": str(customer)})
        assert refused.status_code == 422
        assert f'value="{user_id}" checked' in (await owner.get(at)).text
    async with await site.person(firm.tenant, Role.STAFF) as clerk:
        assert (await clerk.post(f"{at}/staff", data={})).status_code == 403
    async with firm.transaction() as session:
        assert await reach.bound_to(session, firm.home) == [user_id]


def _key(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


@pytest.fixture(autouse=True)
async def unbound(firm: Firm) -> AsyncIterator[None]:
    """Whoever was bound is bound no more: people are everybody's."""
    yield
    async with firm.transaction() as session:
        for branch_id in (firm.home, firm.away):
            await reach.bind_to(session, branch_id, [])

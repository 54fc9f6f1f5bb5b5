"""Who is told, in which words, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core import clock, notifications
from core.auth.identity import acting_as
from core.auth.models import User
from core.errors import NotFound
from core.i18n import reading_in
from core.money import Money
from core.notices import Channel
from core.notifications import personal, preferences, reading, services
from core.notifications.models import Notification
from core.notifications.preferences import Wishes
from core.permissions import Role
from plugins.car_hire.notices import BOOKED, OWED, OWN_BILL, OWN_UNPAID
from tests.core.notifications.people import VALUES, Person


async def test_holders_of_the_permission_are_told_and_nobody_else(site: Site) -> None:
    """Staff and owners of the desk; no customers, nobody who may not sign in any more."""
    tenant = await site.world.provision()
    staff, owner, customer, gone = [
        await Person.of(site, tenant, role)
        for role in (Role.STAFF, Role.OWNER, Role.MEMBER, Role.STAFF)
    ]
    async with staff.at() as session:
        await session.execute(
            update(User).where(User.id == gone.id).values(disabled_at=clock.now())
        )
        await notifications.notify(
            session, BOOKED, subject=("car_hire.booking", "1"), link="/car-hire", **VALUES
        )
        told = set(await session.scalars(select(Notification.user_id)))
    assert {staff.id, owner.id} <= told
    assert not {customer.id, gone.id} & told


async def test_who_did_it_is_not_told(site: Site) -> None:
    """They know."""
    tenant = site.world.acme
    doer, other = await Person.of(site, tenant), await Person.of(site, tenant)
    async with site.world.databases.transaction(tenant) as session:
        token = await site.sessions.begin(session, doer.id)
        identity = await site.sessions.look_up(session, token, "page")
        with acting_as(identity):
            await notifications.notify(
                session, BOOKED, subject=("car_hire.booking", "1"), link="/car-hire", **VALUES
            )
    assert (await doer.standing()).unread == 0
    assert (await other.standing()).unread == 1


async def test_what_is_undone_is_told_to_nobody(site: Site) -> None:
    """The row is of the transaction in which it happened."""
    person = await Person.of(site, site.world.acme)
    async with person.at() as session:
        await notifications.notify(
            session, BOOKED, to=[person.id], subject=("x", "1"), link="/x", **VALUES
        )
        await session.rollback()
    assert (await person.standing()).unread == 0


async def test_it_is_read_in_the_readers_language_and_on_the_tenants_clock(site: Site) -> None:
    """Amounts and moments too; what was kept is no text."""
    person = await Person.of(site, site.world.bravo)  # New York
    await person.tell(OWN_BILL, amount=Money(Decimal("1234.5"), "EUR"))
    await person.tell(BOOKED, starts_at=datetime(2030, 1, 1, 3, 30, tzinfo=UTC))
    english = [each.text for each in (await person.standing()).newest]
    with reading_in("pt"):
        portuguese = [each.text for each in (await person.standing()).newest]
    assert english == [
        "Booking 7KQ2-M9FD is paid: Compact, from Dec 31, 2029, 10:30\u202fPM.",
        "Your return of booking 7KQ2-M9FD was charged with €1,234.50.",
    ]
    assert portuguese[0].startswith("A reserva 7KQ2-M9FD está paga: Compact, a partir de 31 de")
    assert portuguese[1].endswith("€\xa01.234,50.")


async def test_a_value_that_is_missing_or_a_way_out_is_refused(site: Site) -> None:
    """When it is written, not when somebody reads it."""
    person = await Person.of(site, site.world.acme)
    async with person.at() as session:
        for link, values, reason in (
            ("/x", {}, "needs number"),
            ("//evil.example", VALUES, "not a path"),
            ("https://evil.example", VALUES, "not a path"),
        ):
            with pytest.raises(ValueError, match=reason):
                await notifications.notify(
                    session, OWN_UNPAID, to=[person.id], subject=("x", "1"), link=link, **values
                )
        with pytest.raises(ValueError, match="no audience"):
            await notifications.notify(session, OWN_UNPAID, subject=("x", "1"), link="/x", **VALUES)


async def test_nobody_touches_what_another_person_was_told(site: Site) -> None:
    """Neither reading, deleting nor clearing reaches rows of a colleague."""
    mine, theirs = [await Person.of(site, site.world.acme) for _ in range(2)]
    notification_id = await theirs.tell()
    async with mine.at() as session:
        for act in (services.read, services.remove):
            with pytest.raises(NotFound):
                await act(session, mine.reader, notification_id)
        await services.read_all(session, mine.reader)
        await services.clear(session, mine.reader)
    assert (await theirs.standing()).unread == 1


async def test_a_permission_that_is_lost_hides_what_it_was_told_with(site: Site) -> None:
    """And so does a product that is off."""
    person = await Person.of(site, site.world.acme)
    notification_id = await person.tell(BOOKED)
    for now in (
        Person(site, person.tenant, person.id, Role.MEMBER),
        Person(site, await site.world.provision(plugins=()), person.id, Role.STAFF),
    ):
        async with person.at() as session:
            assert (await reading.standing(session, now.reader)).newest == []
            with pytest.raises(NotFound):
                await services.read(session, now.reader, notification_id)
    assert (await person.standing()).unread == 1


async def test_people_choose_how_they_are_told(site: Site) -> None:
    """A kind in no way at all leaves no row; other kinds and other people stay as they were."""
    person, other = [await Person.of(site, site.world.acme) for _ in range(2)]
    async with person.at() as session:
        before = await preferences.wishes(session, person.reader)
        assert before.ways[OWN_UNPAID.name] == OWN_UNPAID.channels
        wanted = Wishes({OWN_UNPAID.name: frozenset(), "no.such": frozenset()}, False, True)
        await preferences.save(session, person.reader, wanted)
        assert "no.such" not in (await preferences.wishes(session, person.reader)).ways
    await other.tell()
    await other.tell(OWED, amount=Money.of(1, "EUR"))
    async with person.at() as session:
        both = [person.id, other.id]
        await notifications.notify(
            session, OWN_UNPAID, to=both, subject=("x", "1"), link="/x", **VALUES
        )
        mine = select(Notification).where(Notification.user_id == person.id)
        assert (await session.scalars(mine)).all() == []
    assert (await other.standing()).unread == 3


async def test_it_is_read_deleted_and_cleared(site: Site) -> None:
    """Reading gives the way to what it is about, and counts once."""
    person = await Person.of(site, site.world.acme)
    first, second, third = [await person.tell() for _ in range(3)]
    async with person.at() as session:
        link = await services.read(session, person.reader, first)
        assert link.startswith("/car-hire/bookings/")
        row = await session.get_one(Notification, first)
        at = row.read_at
        await services.read(session, person.reader, first)
        await session.refresh(row)
        assert row.read_at == at
        await services.remove(session, person.reader, second)
        await services.clear(session, person.reader)
    standing = await person.standing()
    assert [each.id for each in standing.newest] == [third]
    async with person.at() as session:
        await services.read_all(session, person.reader)
    assert (await person.standing()).unread == 0


async def test_pages_follow_each_other(site: Site) -> None:
    """Newest first, by filter, without gaps."""
    person = await Person.of(site, site.world.acme)
    ids = [await person.tell() for _ in range(reading.PAGE_SIZE + 2)]
    await person.tell(BOOKED)
    async with person.at() as session:
        asked = {"kind": OWN_UNPAID.name, "unread": True}
        page, following = await reading.page(session, person.reader, **asked)  # type: ignore[arg-type]
        rest, last = await reading.page(session, person.reader, before=following, **asked)  # type: ignore[arg-type]
    assert [each.id for each in (*page, *rest)] == ids[::-1]
    assert last is None


async def test_the_night_forgets_what_was_read_long_ago(site: Site) -> None:
    """90 days after it was read; a year after it was told, if never read."""
    person = await Person.of(site, site.world.acme)
    old, young, ignored, fresh = [await person.tell() for _ in range(4)]
    ago = clock.now() - timedelta(days=91)
    async with person.at() as session:
        for name, values in (
            (old, {"read_at": ago}),
            (young, {"read_at": ago + timedelta(days=2)}),
            (ignored, {"created_at": clock.now() - timedelta(days=366)}),
        ):
            await session.execute(
                update(Notification).where(Notification.id == name).values(**values)
            )
    async with person.at() as session:
        await services.tidy(session)
    assert {each.id for each in (await person.standing()).newest} == {young, fresh}


async def test_a_person_gets_and_leaves_what_is_kept_of_them(site: Site) -> None:
    """In the file about them, and gone with them; a colleague's stay."""
    person, other = [await Person.of(site, site.world.acme) for _ in range(2)]
    await person.tell()
    await other.tell()
    async with person.at() as session:
        wanted = Wishes({OWN_UNPAID.name: frozenset({Channel.APP})}, True, True)
        await preferences.save(session, person.reader, wanted)
        told, chosen = await personal.export(session, person.id)
        assert told["given"]["number"] == VALUES["number"]
        assert (chosen["app"], chosen["mail"]) == (True, False)
        await personal.erase(session, person.id)
        assert await personal.export(session, person.id) == []
        assert not (await preferences.wishes(session, person.reader)).quiet
    assert (await other.standing()).unread == 1

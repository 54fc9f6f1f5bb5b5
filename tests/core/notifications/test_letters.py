"""Letters: one at once, one each morning, and the way out of both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from atrium.testing.site import Site
from core.auth.models import User
from core.mail.models import Mail
from core.mail.office import office
from core.mail.smtp import message_of
from core.notices import Channel
from core.notifications import letters, preferences, services
from core.notifications.preferences import Wishes
from core.notifications.tasks import SCHEDULES, digest
from core.permissions import Role
from core.scope import current
from core.turns import following
from plugins.car_hire.notices import BOOKED, OWN_UNPAID
from tests.core.notifications.people import Person

DAY = date(2026, 3, 2)
DIGEST = frozenset({Channel.APP, Channel.DIGEST})


async def choose(person: Person, *, quiet: bool = False, digest: bool = True, **ways: Any) -> None:
    """Save what a person wants for ``OWN_UNPAID`` and ``BOOKED``."""
    wanted = {notice.name: ways.get("ways", DIGEST) for notice in (OWN_UNPAID, BOOKED)}
    async with person.at() as session:
        await preferences.save(session, person.reader, Wishes(wanted, quiet, digest))


async def in_the_morning(person: Person, day: date = DAY) -> list[Mail]:
    """What the letters are after the morning of ``day``."""
    async with person.at() as session:
        await letters.send_digest(session, person.id, day)
    return await person.letters()


async def test_a_letter_goes_at_once_in_the_readers_language_and_once(site: Site) -> None:
    """It leads to what it is about; the job that is run again writes no second one."""
    person = await Person.of(site, site.world.acme, Role.MEMBER)
    async with person.at() as session:
        await session.execute(update(User).where(User.id == person.id).values(locale="pt"))
    notification_id = await person.tell()
    for _ in range(2):
        async with person.at() as session:
            await letters.send_one(session, notification_id)
    (letter,) = await person.letters()
    assert letter.subject == (
        "A sua reserva 7KQ2-M9FD não foi paga a tempo. O carro voltou a estar livre para outros."
    )
    assert f"http://acme.localhost:8000/notifications/{notification_id}" in letter.text
    assert letter.html is not None
    assert letter.unsubscribe is not None


async def test_mail_programs_find_the_way_out(site: Site) -> None:
    """RFC 8058: both headers, and a POST to the address without a cookie ends it."""
    person = await Person.of(site, site.world.acme)
    notification_id = await person.tell()
    async with person.at() as session:
        await letters.send_one(session, notification_id)
    (letter,) = await person.letters()
    message: EmailMessage = message_of(office().heading(site.world.acme), letter)
    assert message["List-Unsubscribe"] == f"<{letter.unsubscribe}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    way = urlsplit(str(letter.unsubscribe))
    async with site.visitor(site.world.acme) as nobody:
        del nobody.headers["sec-fetch-site"]
        asked = await nobody.get(f"{way.path}?{way.query}")
        assert "My booking was not paid in time" in asked.text
        await person.tell()
        done = await nobody.post(f"{way.path}?{way.query}", data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    async with person.at() as session:
        ways = (await preferences.wishes(session, person.reader)).ways
    assert ways[OWN_UNPAID.name] == {Channel.APP}
    assert ways[BOOKED.name] == BOOKED.channels


async def test_no_other_link_unsubscribes(site: Site) -> None:
    """Neither a changed one, nor one of another tenant, nor none."""
    person = await Person.of(site, site.world.bravo)
    notification_id = await person.tell()
    async with person.at() as session:
        await letters.send_one(session, notification_id)
    (letter,) = await person.letters()
    token = str(letter.unsubscribe).partition("token=")[2]
    async with site.visitor(site.world.acme) as thief, site.visitor(site.world.bravo) as guest:
        for asked in (token, token[:-4], "", "é", "A" * 5000):
            for answer in (
                await thief.get("/notifications/unsubscribing", params={"token": asked}),
                await thief.post("/notifications/unsubscribing", params={"token": asked}),
            ):
                assert answer.status_code == 404
        changed = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
        answer = await guest.post("/notifications/unsubscribing", params={"token": changed})
        assert answer.status_code == 404
    async with person.at() as session:
        ways = (await preferences.wishes(session, person.reader)).ways
    assert Channel.MAIL in ways[OWN_UNPAID.name]


async def test_quiet_people_and_those_who_left_get_no_letter(site: Site) -> None:
    """Neither at once nor in the morning; under the bell it stands all the same."""
    quiet, gone = [await Person.of(site, site.world.acme) for _ in range(2)]
    ids = [await quiet.tell(), await gone.tell()]
    await choose(quiet, quiet=True, ways=frozenset(Channel))
    async with gone.at() as session:
        await session.execute(
            update(User).where(User.id == gone.id).values(disabled_at=datetime.now(UTC))
        )
    for person, notification_id in zip((quiet, gone), ids, strict=True):
        async with person.at() as session:
            await letters.send_one(session, notification_id)
        assert await in_the_morning(person) == []
    assert (await quiet.standing()).unread == 1


async def test_the_morning_gathers_what_is_unread_by_kind(site: Site) -> None:
    """Not what was read, nor what a letter of its own has said; and nothing twice."""
    person = await Person.of(site, site.world.acme)
    await person.tell()  # a letter at once
    await choose(person)
    await person.tell(number="UNPAID-1")
    await person.tell(BOOKED, number="BOOKED-1")
    await person.tell(BOOKED, number="BOOKED-2")
    seen = await person.tell(BOOKED, number="BOOKED-SEEN")
    async with person.at() as session:
        await services.read(session, person.reader, seen)
    (letter,) = await in_the_morning(person)
    assert letter.subject == f"3 things have happened at {person.tenant.name}"
    assert "SEEN" not in letter.text
    words = ["New bookings", "BOOKED-2", "BOOKED-1", "My booking was not paid", "UNPAID-1"]
    said = [letter.text.index(each) for each in words]
    assert said == sorted(said)
    assert len(await in_the_morning(person, DAY + timedelta(days=1))) == 1


async def test_there_is_one_letter_a_day_and_none_that_says_nothing(site: Site) -> None:
    """Whatever comes later that day waits for the next; a job that is run again does nothing."""
    person = await Person.of(site, site.world.acme)
    await choose(person)
    assert await in_the_morning(person) == []
    await person.tell()
    assert len(await in_the_morning(person)) == 1
    await person.tell()
    assert len(await in_the_morning(person)) == 1
    assert len(await in_the_morning(person, DAY - timedelta(days=1))) == 1
    assert len(await in_the_morning(person, DAY + timedelta(days=1))) == 2


async def test_the_way_out_of_the_morning_ends_it_alone(site: Site) -> None:
    """Letters at once still come."""
    person = await Person.of(site, site.world.acme)
    await choose(person)
    await person.tell()
    (letter,) = await in_the_morning(person)
    way = urlsplit(str(letter.unsubscribe))
    async with site.visitor(site.world.acme) as nobody:
        asked = await nobody.get(f"{way.path}?{way.query}")
        assert "Shall no more letters come in the morning?" in asked.text
        assert (await nobody.post(f"{way.path}?{way.query}")).status_code == 200
    await person.tell()
    assert len(await in_the_morning(person, DAY + timedelta(days=1))) == 1
    await choose(person, digest=False, ways=frozenset({Channel.MAIL}))
    notification_id = await person.tell()
    async with person.at() as session:
        await letters.send_one(session, notification_id)
    assert len(await person.letters()) == 2


async def test_the_platform_has_mornings_too(site: Site) -> None:
    """Tenant zero is a scope like any other; its letters lead to the portal."""
    person = await Person.of(site, site.world.platform, Role.MEMBER)
    async with person.at() as session:
        await letters.call_for_digests(session)
        assert current().is_platform
    async with site.world.databases.transaction(site.world.platform):
        assert letters._whole("/notifications") == "http://localhost:8000/notifications"


@pytest.mark.parametrize(
    ("before", "zone", "turns"),
    [
        # Clocks go forward in Lisbon on 29 March 2026, back on 25 October.
        (datetime(2026, 3, 28, 9, tzinfo=UTC), "Europe/Lisbon", ["29 07:00", "30 07:00"]),
        (datetime(2026, 10, 24, 9, tzinfo=UTC), "Europe/Lisbon", ["25 08:00", "26 08:00"]),
        (datetime(2026, 3, 7, 14, tzinfo=UTC), "America/New_York", ["08 12:00", "09 12:00"]),
    ],
)
def test_the_morning_comes_once_a_day_at_eight(
    before: datetime, zone: str, turns: list[str]
) -> None:
    """On the clocks of the tenant, also on the days on which they change."""
    (schedule,) = (each for each in SCHEDULES if each.actor is digest)
    found, moment = [], before
    for _ in turns:
        moment = following(schedule.cron, zone, moment)
        found.append(f"{moment:%d %H:%M}")
    assert found == turns

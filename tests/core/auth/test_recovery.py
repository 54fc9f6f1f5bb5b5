"""Lost passwords and addresses to be confirmed: by the mail, and by nothing else."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import select, text

from core import origin
from core.auth import entry, people, recovery
from core.auth.allowances import WELCOMES_PER_ADDRESS, WELCOMES_PER_NETWORK
from core.auth.authority import Authority
from core.auth.models import User
from core.auth.people import InvitationOver
from core.ids import new_id
from core.mail.models import Mail
from core.origin import Origin
from core.permissions import Role
from core.scope import acting_for
from tests.core.auth.app import Neighbourhood, path_of
from tests.core.auth.conftest import PASSWORD, MakePerson, Person
from tests.core.conftest import CoreScopes

ANOTHER = "quite another staple"


async def letters(scopes: CoreScopes, email: str) -> list[Mail]:
    """What was written to an address, the oldest first."""
    async with scopes.databases.transaction(scopes.acme) as session:
        found = await session.scalars(text("SELECT id FROM mails ORDER BY id"))
        written = [await session.get_one(Mail, each) for each in found.all()]
    return [each for each in written if each.recipient == email]


async def link_for(scopes: CoreScopes, person: Person, locale: str = "en") -> str:
    """The link of a fresh letter, as the job writes it."""
    link = "http://acme.localhost/password/reset"
    async with scopes.databases.transaction(scopes.acme) as session:
        await recovery.send_reset(session, person.email, link, locale)
    written = (await letters(scopes, person.email))[-1]
    found = re.search(r"http://acme\.localhost(/\S+)", written.text)
    assert found
    return found[1]


def token_in(link: str) -> str:
    """What the link proves it with."""
    return link.partition("token=")[2]


async def test_the_answer_does_not_tell_whether_there_is_an_account(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Known and unknown addresses get the same page, and the same refusal in the end."""
    known, unknown = (await make_person()).email, "nobody-at-all@example.com"
    assert "/password/forgotten" in (await browser.get("/sign-in")).text
    for _ in range(3):
        pages = [
            await browser.post("/password/forgotten", data={"email": each})
            for each in (known, unknown)
        ]
        assert [page.status_code for page in pages] == [200, 200]
        assert pages[0].text.replace(known, "") == pages[1].text.replace(unknown, "")
    for each in (known, unknown):
        again = await browser.post("/password/forgotten", data={"email": each})
        assert again.status_code == 429
        assert each in again.text


async def test_nobody_gets_a_letter_who_has_no_account(
    town: Neighbourhood, scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Nor does a person who may not sign in."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        user = await session.get_one(User, person.id)
        user.disabled_at = user.created_at
    async with scopes.databases.transaction(scopes.acme) as session:
        for email in (person.email, "nobody-at-all@example.com"):
            await recovery.send_reset(session, email, "http://x", "en")
    assert await letters(scopes, person.email) == []
    assert await letters(scopes, "nobody-at-all@example.com") == []


async def test_a_letter_lets_choose_a_password_once_and_ends_every_session(
    town: Neighbourhood, scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Looking uses nothing up; a weak password neither; afterwards the old one is worth nothing."""
    person = await make_person(Role.STAFF)
    link = await link_for(scopes, person)
    async with town.browser() as thief, town.browser() as owner, town.browser("bravo") as other:
        thief.headers["cookie"] = f"atrium={person.signed_in.token}"
        assert (await other.get(link)).status_code == 410
        for _ in range(2):
            page = await owner.get(link)
            assert page.status_code == 200
            assert page.headers["referrer-policy"] == "no-referrer"
        given = {"token": token_in(link)}
        weak = await owner.post("/password/reset", data={**given, "password": "short"})
        assert weak.status_code == 422
        chosen = await owner.post("/password/reset", data={**given, "password": ANOTHER})
        assert chosen.status_code == 303
        assert (await owner.get("/test/member")).text == person.email
        assert (await thief.get("/test/member")).status_code == 303
        again = await owner.post("/password/reset", data={**given, "password": ANOTHER})
        assert again.status_code == 410
        for password, status in ((PASSWORD, 401), (ANOTHER, 303)):
            form = {"email": person.email, "password": password}
            assert (await thief.post("/sign-in", data=form)).status_code == status


@pytest.mark.parametrize("ended_by", ["another letter", "half an hour", "a changed password"])
async def test_a_link_ends(
    browser: httpx.AsyncClient, scopes: CoreScopes, make_person: MakePerson, ended_by: str
) -> None:
    """By a later letter, by its time, and by a password chosen otherwise."""
    person = await make_person()
    link = await link_for(scopes, person)
    browser.headers["cookie"] = f"atrium={person.signed_in.token}"
    match ended_by:
        case "another letter":
            await link_for(scopes, person)
        case "half an hour":
            async with scopes.databases.transaction(scopes.acme) as session:
                await session.execute(
                    text(
                        "UPDATE one_time_tokens SET expires_at = expires_at - interval '30 min'"
                        " WHERE user_id = :id"
                    ),
                    {"id": person.id},
                )
        case _:
            form = {"current": PASSWORD, "new": ANOTHER}
            assert (await browser.post("/account/password", data=form)).status_code == 303
    assert (await browser.get(link)).status_code == 410


@pytest.mark.usefixtures("town")
async def test_an_invitation_ends_with_the_first_password_however_it_was_chosen(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Whoever passed the invitation on cannot choose another password by it for days."""
    admin, email = await make_person(Role.ADMIN), "forgetful@example.com"
    async with scopes.databases.transaction(scopes.acme) as session:
        invited = await people.invite(
            session, admin.identity, email=email, name="Ines", role=Role.STAFF
        )
        reset = await entry.issue_reset(session, invited.user_id)
    async with scopes.databases.transaction(scopes.acme) as session:
        await recovery.reset(session, authority, token=reset, password=PASSWORD)
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(InvitationOver):
            await people.accept_invitation(
                session, authority, token=invited.token, password=ANOTHER
            )


@pytest.mark.usefixtures("town")
async def test_the_letter_speaks_the_readers_language_and_keeps_no_token(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """The account's language, else that of the page; the database knows the hash alone."""
    person = await make_person()
    link = await link_for(scopes, person, "pt")
    assert (await letters(scopes, person.email))[-1].subject.startswith("Escolha uma nova")
    async with scopes.databases.transaction(scopes.acme) as session:
        kept = await session.scalar(
            text("SELECT string_agg(t::text, '') FROM one_time_tokens t WHERE user_id = :id"),
            {"id": person.id},
        )
    assert token_in(link) not in str(kept)


async def test_a_new_customer_confirms_their_address(
    town: Neighbourhood, scopes: CoreScopes
) -> None:
    """The account works at once; the page says what is missing; the letter's button mends it."""
    email = "carla.nunes@example.com"
    async with town.browser() as carla, town.browser() as scanner:
        form = {"name": "Carla Nunes", "email": email, "password": PASSWORD}
        assert (await carla.post("/sign-up", data=form)).status_code == 303
        assert "Not confirmed yet" in (await carla.get("/account")).text
        first = token_in((await letters(scopes, email))[-1].text).split()[0]
        sent = await carla.post("/account/email/send-again")
        assert (sent.status_code, path_of(sent)) == (303, "/account")
        token = token_in((await letters(scopes, email))[-1].text).split()[0]
        assert (await scanner.get(f"/account/email?token={first}")).status_code == 410
        assert email in (await scanner.get(f"/account/email?token={token}")).text
        assert "Not confirmed yet" in (await carla.get("/account")).text
        done = await carla.post("/account/email", data={"token": token})
        assert (done.status_code, path_of(done)) == (303, "/account")
        assert "Not confirmed yet" not in (await carla.get("/account")).text
        assert (await scanner.post("/account/email", data={"token": token})).status_code == 410


@pytest.mark.usefixtures("town")
async def test_nobodys_mailbox_is_filled_by_signing_them_up(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Five letters a day to an address over all businesses; then the account is made without."""
    email = f"victim.{new_id().hex}@example.com"
    for tenant in (scopes.acme, scopes.bravo):
        with acting_for(tenant):
            for _letter in range(WELCOMES_PER_ADDRESS.attempts // 2):
                await authority.throttle.take(WELCOMES_PER_ADDRESS, email)
    for expected in (1, 1):
        async with scopes.databases.transaction(scopes.acme) as session:
            found = await session.scalar(select(User.id).where(User.email == email))
            if found is None:
                user = User(email=email, name="Vic", role=Role.MEMBER.value)
                session.add(user)
                await session.flush()
                found = user.id
            await recovery.welcome(session, authority, found, "http://acme.localhost/x")
        assert len(await letters(scopes, email)) == expected


async def test_a_network_signs_nobody_up_by_the_hundred(
    scopes: CoreScopes, authority: Authority
) -> None:
    """Letters that its neighbours caused count too, whatever the addresses."""
    origin.came_from(Origin("203.0.113.7"))
    try:
        with acting_for(scopes.bravo):
            for _letter in range(WELCOMES_PER_NETWORK.attempts):
                await authority.throttle.take(WELCOMES_PER_NETWORK, "203.0.113.0/24")
        email = f"late.{new_id().hex}@example.com"
        async with scopes.databases.transaction(scopes.acme) as session:
            user = User(email=email, name="Late", role=Role.MEMBER.value)
            session.add(user)
            await session.flush()
            await recovery.welcome(session, authority, user.id, "http://acme.localhost/x")
        assert await letters(scopes, email) == []
    finally:
        origin.came_from(None)


async def test_tokens_serve_one_purpose(
    browser: httpx.AsyncClient, scopes: CoreScopes, make_person: MakePerson
) -> None:
    """What confirms an address chooses no password, and the other way round."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        confirm = await entry.issue_confirmation(session, person.id)
        reset = await entry.issue_reset(session, person.id)
    assert (await browser.get(f"/password/reset?token={confirm}")).status_code == 410
    assert (await browser.get(f"/account/email?token={reset}")).status_code == 410
    for token in (confirm, reset):
        assert (await browser.post("/enter", data={"token": token})).status_code == 410

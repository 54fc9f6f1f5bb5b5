"""Letters: written with their reason, delivered once, and honest about what is not known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text, update

from core import clock, mail
from core.errors import Invalid
from core.jobs import GiveUp
from core.mail import office as offices
from core.mail import services
from core.mail.models import Mail
from core.scope import Brand, Tenant
from core.settings import Settings
from tests.core.conftest import CoreScopes
from tests.core.web.conftest import a_tenant

HELLO = "Subject: Hello {{ name }}\n\nDear {{ name }}, your car & key wait.\n"


@pytest.fixture
def post_office(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Opens an office with one letter, for an SMTP address (or none); then the one before."""
    before = list(offices._installed)
    (tmp_path / "hello.txt").write_text(HELLO)

    def opened(smtp_url: str = "") -> None:
        settings = Settings(
            development=True, database_url="postgresql://unused/unused", smtp_url=smtp_url
        )
        mail.install(settings, [tmp_path])

    opened()
    yield opened
    offices._installed[:] = before


async def written(scopes: CoreScopes, tenant: Tenant, **given: str) -> Mail:
    """A letter to Ana, as its row."""
    async with scopes.databases.transaction(tenant) as session:
        mail_id = await mail.send(session, "hello", "ana@example.com", {"name": "Ana"}, **given)
        assert mail_id is not None
    return await read(scopes, tenant, mail_id)


async def read(scopes: CoreScopes, tenant: Tenant, mail_id: object) -> Mail:
    """The row as it is now."""
    async with scopes.databases.transaction(tenant) as session:
        found = await session.get(Mail, mail_id)
        assert found is not None
        return found


async def delivered(scopes: CoreScopes, tenant: Tenant, letter: Mail) -> Mail:
    """The letter after one run of the delivery job, which may be given up."""
    with suppress(GiveUp):
        async with scopes.databases.transaction(tenant) as session:
            await services.deliver(session, letter.id)
    return await read(scopes, tenant, letter.id)


@asynccontextmanager
async def smtp_server(*, answer: str, got: list[str]) -> AsyncIterator[str]:
    """A mail server that says ``answer`` after the letter (``drop``: hangs up instead)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        body = False
        lines: list[str] = []
        while line := (await reader.readline()).decode():
            if body:
                lines.append(line)
                if line != ".\r\n":
                    continue
                body = False
                got.append("".join(lines))
                if answer == "drop":
                    break
                writer.write(f"{answer}\r\n".encode())
            elif line.startswith("DATA"):
                body = True
                writer.write(b"354 go on\r\n")
            else:
                writer.write(b"221 bye\r\n" if line.startswith("QUIT") else b"250 fine\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.usefixtures("post_office")
async def test_a_letter_is_written_for_its_tenant_alone(scopes: CoreScopes) -> None:
    """The row holds subject, text and escaped HTML, and other tenants do not see it."""
    for tenant, other in ((scopes.acme, scopes.bravo), (scopes.delta, scopes.acme)):
        letter = await written(scopes, tenant)
        assert letter.subject == "Hello Ana"
        assert letter.text == "Dear Ana, your car & key wait.\n"
        assert letter.html is not None
        assert "car &amp; key" in letter.html
        async with scopes.databases.transaction(other) as session:
            assert await session.get(Mail, letter.id) is None


@pytest.mark.usefixtures("post_office")
async def test_the_database_does_not_see_what_a_letter_says(scopes: CoreScopes) -> None:
    """No column holds the recipient, the subject or the text as it was written."""
    for tenant in (scopes.acme, scopes.delta):
        letter = await written(scopes, tenant)
        async with scopes.databases.transaction(tenant) as session:
            question = text("SELECT mails::text, html, text FROM mails WHERE id = :id")
            row, html, body = (await session.execute(question, {"id": letter.id})).one()
        readable = row.encode() + bytes(html) + bytes(body)
        for said in (b"Ana", b"ana@example.com", b"Hello", b"Ana".hex().encode()):
            assert said not in readable


@pytest.mark.usefixtures("post_office")
async def test_letters_to_somebody_are_found_by_a_keyed_hash(scopes: CoreScopes) -> None:
    """However the address was written; no other is opened; one without a mark is found too."""
    mine = await written(scopes, scopes.acme)
    async with scopes.databases.transaction(scopes.acme) as session:
        other = await mail.send(session, "hello", "eve@example.com", {"name": "Eve"})
        found = await services.written_to(session, "Ana@Example.com")
        assert mine.id in {each.id for each in found}
        assert other not in {each.id for each in found}
        assert {each.recipient for each in found} == {"ana@example.com"}
        imported = update(Mail).where(Mail.id == mine.id).values(recipient_mark=None)
        await session.execute(imported)
        assert mine.id in {
            each.id for each in await services.written_to(session, "ana@example.com")
        }
    async with scopes.databases.transaction(scopes.bravo) as session:
        theirs = await mail.send(session, "hello", "ana@example.com", {"name": "Ana"})
        marks = select(Mail.recipient_mark).where(Mail.id == theirs)
        assert await session.scalar(marks) != mine.recipient_mark, "each tenant has its own key"


@pytest.mark.usefixtures("post_office")
async def test_old_letters_are_forgotten(scopes: CoreScopes) -> None:
    """The nightly job deletes what is older than it may be kept, and nothing else."""
    old, recent = await written(scopes, scopes.acme), await written(scopes, scopes.acme)
    day = timedelta(days=1)
    async with scopes.databases.transaction(scopes.acme) as session:
        for letter, age in ((old, services.KEPT + day), (recent, services.KEPT - day)):
            (await session.get_one(Mail, letter.id)).created_at = clock.now() - age
    async with scopes.databases.transaction(scopes.acme) as session:
        await services.tidy(session)
        assert await session.get(Mail, old.id) is None
        assert await session.get(Mail, recent.id) is not None


@pytest.mark.usefixtures("post_office")
async def test_a_letter_undone_with_its_reason_never_was(scopes: CoreScopes) -> None:
    """A transaction that fails writes no letter and asks for no delivery."""

    async def write_and_fail() -> None:
        async with scopes.databases.transaction(scopes.acme) as session:
            await mail.send(session, "hello", "ana@example.com", {"name": "Ana"}, key="undone")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    async with scopes.databases.transaction(scopes.acme) as session:
        count = await session.scalar(text("SELECT count(*) FROM mails WHERE key = 'undone'"))
    assert count == 0


@pytest.mark.usefixtures("post_office")
async def test_a_key_makes_a_letter_once(scopes: CoreScopes) -> None:
    """A second letter with the same key is not written."""
    await written(scopes, scopes.acme, key="receipt:1")
    async with scopes.databases.transaction(scopes.acme) as session:
        again = await mail.send(
            session, "hello", "ana@example.com", {"name": "Ana"}, key="receipt:1"
        )
    assert again is None


@pytest.mark.usefixtures("post_office")
@pytest.mark.parametrize("address", ["ana", "a@b\r\nBcc: x@y", "a@b, c@d", "<a@b>", "a b@c"])
async def test_only_one_plain_address_is_written_to(scopes: CoreScopes, address: str) -> None:
    """Lists, headers and the like in an address are refused."""
    async with scopes.databases.transaction(scopes.acme) as session:
        with pytest.raises(Invalid):
            await mail.send(session, "hello", address, {"name": "Ana"})


@pytest.mark.usefixtures("post_office")
async def test_without_a_server_letters_are_caught(scopes: CoreScopes) -> None:
    """With no SMTP address set, a letter ends as caught."""
    letter = await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
    assert letter.state == "caught"


async def test_a_letter_is_handed_over_once(
    scopes: CoreScopes, post_office: Callable[[str], None]
) -> None:
    """An accepted letter is sent, and a repeated job does not send it again."""
    got: list[str] = []
    async with smtp_server(answer="250 queued", got=got) as url:
        post_office(url)
        letter = await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
        assert letter.state == "sent"
        assert (await delivered(scopes, scopes.acme, letter)).state == "sent"
    assert len(got) == 1
    assert f"Message-ID: <{letter.id}@localhost>" in got[0]
    assert "Subject: Hello Ana" in got[0]


@pytest.mark.parametrize(
    ("answer", "state"),
    [("550 no such person", "failed"), ("451 later", "queued"), ("drop", "unknown")],
)
async def test_what_the_server_says_decides(
    scopes: CoreScopes, post_office: Callable[[str], None], answer: str, state: str
) -> None:
    """Refused fails, a passing fault is tried again, a lost answer is unknown."""
    async with smtp_server(answer=answer, got=[]) as url:
        post_office(url)
        letter = await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
    assert letter.state == state
    assert letter.error
    assert "ana@" not in letter.error


async def test_a_refused_letter_is_a_dead_letter_and_may_be_retried(
    scopes: CoreScopes, post_office: Callable[[str], None]
) -> None:
    """The job is given up with the server's reason; retried by an operator, it tries anew."""
    letter = await written(scopes, scopes.acme)
    async with smtp_server(answer="550 no such person", got=[]) as url:
        post_office(url)
        with pytest.raises(GiveUp, match="the server answered 550"):
            async with scopes.databases.transaction(scopes.acme) as session:
                await services.deliver(session, letter.id)
    refused = await read(scopes, scopes.acme, letter.id)
    assert (refused.state, refused.attempts) == ("failed", 1)
    async with smtp_server(answer="250 queued", got=[]) as url:
        post_office(url)
        assert (await delivered(scopes, scopes.acme, letter)).state == "sent"


async def test_a_passing_fault_is_given_up_in_the_end(
    scopes: CoreScopes, post_office: Callable[[str], None]
) -> None:
    """Each time it waits longer; after the last attempt it is a dead letter."""
    letter = await written(scopes, scopes.acme)
    async with smtp_server(answer="451 later", got=[]) as url:
        post_office(url)
        for attempt in range(1, services.MOST_ATTEMPTS):
            waiting = await delivered(scopes, scopes.acme, letter)
            assert (waiting.state, waiting.attempts) == ("queued", attempt)
        with pytest.raises(GiveUp):
            async with scopes.databases.transaction(scopes.acme) as session:
                await services.deliver(session, letter.id)
    assert (await read(scopes, scopes.acme, letter.id)).state == "failed"
    pauses = await pauses_of(scopes, letter)
    assert len(pauses) == services.MOST_ATTEMPTS - 1
    assert all(later > earlier * 2 for earlier, later in pairwise(pauses))


async def pauses_of(scopes: CoreScopes, letter: Mail) -> list[float]:
    """Seconds for which each further delivery of a letter was put off, in order."""
    connection = await asyncpg.connect(scopes.shared.superuser_dsn)
    try:
        rows = await connection.fetch(
            "SELECT extract(epoch FROM due_at - put_at)::float8 FROM outbox.messages"
            " WHERE args->>'mail_id' = $1 AND due_at > put_at + interval '1 s' ORDER BY put_at",
            str(letter.id),
        )
    finally:
        await connection.close()
    return [pause for (pause,) in rows]


async def test_a_server_that_is_down_is_left_alone_for_a_while(
    scopes: CoreScopes, post_office: Callable[[str], None]
) -> None:
    """After five failures letters wait without being tried, and without losing an attempt."""
    post_office("smtp://127.0.0.1:1")
    for _ in range(5):
        await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
    letter = await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
    assert (letter.state, letter.attempts) == ("queued", 0)
    (pause,) = await pauses_of(scopes, letter)
    assert 29 < pause < 46


async def test_no_connection_means_later(
    scopes: CoreScopes, post_office: Callable[[str], None]
) -> None:
    """A server that is away leaves the letter queued, with another delivery asked for."""
    post_office("smtp://127.0.0.1:1")
    letter = await delivered(scopes, scopes.acme, await written(scopes, scopes.acme))
    assert (letter.state, letter.attempts) == ("queued", 1)


@pytest.mark.usefixtures("post_office")
async def test_a_worker_that_died_in_between_leaves_it_unknown(scopes: CoreScopes) -> None:
    """A letter found half handed over is not sent a second time."""
    letter = await written(scopes, scopes.acme)
    async with scopes.databases.transaction(scopes.acme) as session:
        row = await session.get(Mail, letter.id)
        assert row is not None
        row.state = "sending"
    assert (await delivered(scopes, scopes.acme, letter)).state == "unknown"


@pytest.mark.usefixtures("post_office")
def test_a_letter_without_subject_is_a_mistake_of_ours(tmp_path: Path) -> None:
    """A text that does not begin with its subject is refused where it is written."""
    (tmp_path / "bare.txt").write_text("Dear Ana")
    tenant = a_tenant()
    with pytest.raises(offices.MalformedLetter):
        offices.office().write("bare", tenant, "en", {})


@pytest.mark.usefixtures("post_office")
def test_a_letter_wears_the_logo() -> None:
    """By its whole address; a business without one keeps the dot in its colour."""
    logo = "/brand/logo/1-dark.png"
    worn = (
        offices.office()
        .write("hello", a_tenant(brand=Brand(logo=logo)), "en", {"name": "Ana"})
        .html
    )
    assert f'.localhost{logo}" alt=""' in str(worn)
    assert "<img" not in str(
        offices.office().write("hello", a_tenant(), "en", {"name": "Ana"}).html
    )

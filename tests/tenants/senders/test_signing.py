"""Letters as a receiver gets them: from whose address, and signed by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import dkim
import pytest

from core import mail
from core.crypto import CannotOpen
from core.mail import office as offices
from core.mail import services as mails
from core.mail.models import Mail
from core.mail.signing import sign
from core.scope import Tenant
from tests.core.test_mail import smtp_server
from tests.tenants.senders.conftest import PostRoom


@asynccontextmanager
async def mail_server() -> AsyncIterator[list[str]]:
    """The world's mail server, while within; what it got."""
    usual = list(offices._installed)
    got: list[str] = []
    async with smtp_server(answer="250 queued", got=got) as url:
        desk = offices.office()
        offices._installed[:] = [
            offices.Office(desk.templates, url, "Atrium <post@localhost>", desk.address_of)
        ]
        try:
            yield got
        finally:
            offices._installed[:] = usual


async def posted(
    room: PostRoom, tenant: Tenant, unsubscribe: str | None = None
) -> tuple[EmailMessage, bytes]:
    """A letter of the tenant, as its receiver gets it."""
    world, served = room.site.world, await room.served(tenant)
    async with mail_server() as got:
        async with world.databases.transaction(served) as session:
            context = {"name": "Zoë", "link": "https://example.com/" + "x" * 90}
            mail_id = await mail.send(
                session,
                "auth/mail/confirm",
                "zoe@example.com",
                context,
                locale="pt",
                unsubscribe=unsubscribe,
            )
        async with world.databases.transaction(served) as session:
            await mails.deliver(session, mail_id)
            assert (await session.get_one(Mail, mail_id)).state == "sent"
    (text,) = got
    raw = "".join(
        each.removeprefix(".") for each in text.removesuffix(".\r\n").splitlines(keepends=True)
    ).encode()
    return message_from_bytes(raw, policy=policy.default), raw


async def verified(room: PostRoom, raw: bytes) -> bool:
    """What a receiver finds, asking the name server itself."""
    asked = room.dns.resolver()
    found: dict[str, bytes] = {}
    signature = message_from_bytes(raw, policy=policy.compat32)["DKIM-Signature"]
    tags = dict(each.strip().split("=", 1) for each in signature.split(";"))
    name = f"{tags['s']}._domainkey.{tags['d']}"
    for text in await asked.txt(name):
        found[f"{name}."] = text.encode()
    return await asyncio.to_thread(
        dkim.verify, raw, dnsfunc=lambda at, timeout=5: found.get(at.decode())
    )


@pytest.mark.parametrize("which", ["acme", "delta"])
async def test_letters_leave_signed_from_the_address_of_the_business(
    room: PostRoom, which: str
) -> None:
    """A receiver that asks DNS finds the signature right; changed, or by another key, wrong."""
    tenant = getattr(room.site.world, which)
    more = {"name": "Hire, “Lda.” & Zoë", "reply_to": "answers@elsewhere.example"}
    sender = await room.working(tenant, **more)
    message, raw = await posted(room, tenant)
    assert message["From"].addresses[0].addr_spec == sender.address
    assert message["From"].addresses[0].display_name == more["name"]
    assert message["Reply-To"].addresses[0].addr_spec == more["reply_to"]
    assert f"d={sender.domain}" in message["DKIM-Signature"]
    assert raw.isascii()
    assert await verified(room, raw)
    for before, after in (
        (b"Zo=C3=AB", b"Eve"),
        (b"elsewhere", b"nowhere"),
        (b"To: zoe", b"To: eve"),
    ):
        assert before in raw
        assert not await verified(room, raw.replace(before, after))
    await room.choose(tenant, f"desk@{sender.domain}")
    message, _raw = await posted(room, tenant)
    assert message["Reply-To"] is None
    assert message["From"].addresses[0].display_name == tenant.name


async def test_the_way_out_is_signed_and_readable(room: PostRoom) -> None:
    """Mail programs offer it only if both of its headers are covered (RFC 8058), and read no
    encoded words in it; what is added or changed on the way breaks the signature."""
    acme = room.site.world.acme
    sender = await room.working(acme, reply_to="answers@elsewhere.example")
    way_out = f"https://{sender.domain}/notifications/unsubscribing?token={'aB3_-x' * 40}"
    _message, raw = await posted(room, acme, way_out)
    assert f"\r\nList-Unsubscribe: <{way_out}>\r\n".encode() in raw
    tags = str(message_from_bytes(raw, policy=policy.compat32)["DKIM-Signature"]).split(";")
    (signed,) = (each.strip()[2:] for each in tags if each.strip().startswith("h="))
    assert {
        "list-unsubscribe", "list-unsubscribe-post", "reply-to", "from", "to", "subject", "date",
        "message-id", "mime-version", "content-type",
    } <= {each.strip() for each in signed.split(":")}  # fmt: skip
    assert await verified(room, raw)
    assert not await verified(room, raw.replace(b"aB3_-x", b"evil-x"))
    plain = (await posted(room, acme))[1]
    for added in (b"List-Unsubscribe: <https://evil.example>", b"Reply-To: eve@evil.example"):
        assert not await verified(room, added + b"\r\n" + plain)


async def test_without_a_proved_address_letters_leave_from_ours(room: PostRoom) -> None:
    """Chosen is not proved; and other tenants' letters are as ever."""
    world = room.site.world
    await room.working(world.acme)
    await room.choose(world.bravo, "desk@unproved.example")
    for tenant in (world.bravo, world.delta):
        message, _raw = await posted(room, tenant)
        assert message["From"].addresses[0].addr_spec == "post@localhost"
        assert (message["DKIM-Signature"], message["Reply-To"]) == (None, None)


async def test_while_records_are_wrong_letters_leave_from_ours_and_answers_reach_them(
    room: PostRoom,
) -> None:
    """None is held back or lost."""
    acme = room.site.world.acme
    sender = await room.working(acme)
    await room.break_until_fallback(acme)
    message, _raw = await posted(room, acme)
    assert message["From"].addresses[0].addr_spec == "post@localhost"
    assert message["Reply-To"].addresses[0].addr_spec == sender.address
    assert message["DKIM-Signature"] is None


async def test_after_the_key_was_changed_letters_of_before_can_be_checked(room: PostRoom) -> None:
    """Both records are there for a while."""
    from tenants.senders import services

    acme = room.site.world.acme
    await room.working(acme)
    _message, before = await posted(room, acme)
    async with room.transaction() as session:
        await services.renew_key(session, acme.id)
    await room.publish(acme)
    await room.look(acme)
    _message, after = await posted(room, acme)
    assert await verified(room, before)
    assert await verified(room, after)
    selectors = {
        message_from_bytes(each)["DKIM-Signature"].split("s=")[1][:15] for each in (before, after)
    }
    assert len(selectors) == 2


async def test_a_key_signs_for_its_own_tenant_alone(room: PostRoom) -> None:
    """Were it handed to another, it would not open."""
    world = room.site.world
    await room.working(world.acme)
    sender = (await room.served(world.acme)).sender
    with pytest.raises(CannotOpen):
        sign(b"From: a@b.example\r\n\r\nhello\r\n", sender, world.bravo.id)

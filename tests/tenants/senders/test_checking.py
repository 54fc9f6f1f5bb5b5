"""An address from its choice to its loss: proved, in danger, fallen back, restored, lapsed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from core.clock import now
from core.errors import Conflict, Invalid
from core.mail.models import Mail
from core.scope import Tenant
from tenants.domains.records import State
from tenants.senders import checking, records, services, views
from tenants.senders.models import MailSender, SenderKey
from tenants.senders.services import SenderTaken
from tenants.senders.views import Status
from tests.tenants.senders.conftest import PostRoom, fresh


async def status_of(room: PostRoom, tenant: Tenant) -> Status:
    async with room.transaction() as session:
        sender = await services.one(session, tenant.id)
        return (await views.view(session, room.site.world.settings, sender)).status


async def test_it_is_used_once_proof_spf_and_key_are_found(room: PostRoom) -> None:
    """Each missing one holds it back; DMARC does not."""
    acme = room.site.world.acme
    sender = await room.choose(acme, f"Desk@{fresh()}")
    assert sender.address == f"desk@{sender.domain}"
    assert (await room.look(acme)).verified_at is None
    await room.publish(acme)
    needed = [place for place in room.dns.zone if place[0].endswith(sender.domain)]
    assert len(needed) == 3
    for place in needed:
        kept = room.dns.zone.pop(place)
        assert (await room.look(acme)).verified_at is None, place
        room.dns.zone[place] = kept
    assert (await room.served(acme)).sender is None
    assert (await room.look(acme)).verified_at is not None
    served = (await room.served(acme)).sender
    assert served is not None
    assert served.address == sender.address
    assert await status_of(room, acme) is Status.WORKING


async def test_nobody_sends_from_a_domain_that_another_has_proved(room: PostRoom) -> None:
    """It cannot be entered; whoever entered it before is not let in; released, it is free."""
    world, domain = room.site.world, fresh()
    await room.choose(world.bravo, f"desk@{domain}")
    await room.publish(world.bravo)
    theirs = room.dns.zone[f"{records.CHALLENGE}.{domain}", "TXT"]
    await room.working(world.acme, f"desk@{domain}")
    room.dns.zone[f"{records.CHALLENGE}.{domain}", "TXT"] += theirs
    assert (await room.look(world.bravo)).verified_at is None
    assert await status_of(room, world.bravo) is Status.TAKEN
    with pytest.raises(SenderTaken):
        await room.choose(world.delta, f"other@{domain}")
    async with room.transaction() as session:
        stolen = update(MailSender).where(MailSender.tenant_id == world.bravo.id)
        async with session.begin_nested() as nested:
            with pytest.raises(IntegrityError):
                await session.execute(stolen.values(verified_at=now()))
            await nested.rollback()
    assert (await room.served(world.bravo)).sender is None
    async with room.transaction() as session:
        await services.release(session, world.signals, world.acme.id)
    assert (await room.served(world.acme)).sender is None
    assert (await room.look(world.bravo)).verified_at is not None


async def test_a_record_that_breaks_is_warned_of_and_then_not_relied_on(room: PostRoom) -> None:
    """A letter after two looks, our address after four, and back once it is mended."""
    acme = room.site.world.acme
    await room.has_an_owner(acme)
    sender = await room.working(acme)
    (key,) = await room.keys(acme)
    place = (f"{key.selector}._domainkey.{sender.domain}", "TXT")
    kept = room.dns.zone.pop(place)
    first = await room.look(acme)
    assert (first.failures, first.warned_at) == (1, None)
    assert await letters(room, "sender_wrong", sender) == 0
    await room.look(acme)
    assert await letters(room, "sender_wrong", sender) == 1
    assert await status_of(room, acme) is Status.FAILING
    third = await room.look(acme)
    assert third.next_check_at - third.checked_at == checking.WRONG_EVERY
    assert third.fallen_back_at is None
    assert (await room.look(acme)).fallen_back_at is not None
    assert await letters(room, "sender_fell_back", sender) == 1
    assert (await room.served(acme)).sender.fallen_back
    room.dns.zone[place] = kept
    back = await room.look(acme)
    assert (back.failures, back.fallen_back_at, back.warned_at) == (0, None, None)
    assert not (await room.served(acme)).sender.fallen_back
    assert await letters(room, "sender_wrong", sender) == 1


async def letters(room: PostRoom, name: str, sender: MailSender) -> int:
    """Kinds of letter about this address that were written to somebody."""
    async with room.transaction() as session:
        found = await session.scalars(
            select(Mail.text).where(Mail.template == f"portal/mail/{name}")
        )
        return len({each for each in found if sender.address in each or sender.domain in each})


@pytest.mark.parametrize("fault", ["silent", "broken"])
async def test_a_name_server_that_is_away_says_nothing(room: PostRoom, fault: str) -> None:
    """Neither a warning nor a fall."""
    acme = room.site.world.acme
    sender = await room.working(acme)
    if fault == "silent":
        room.dns.silent = True
        slow = replace(room.inspector, resolver=room.dns.resolver(0.2))
        room = PostRoom(room.site, room.dns, slow)
    else:
        room.dns.broken |= {name for name, _kind in room.dns.zone}
    for _look in range(checking.FALLS_BACK_AFTER + 1):
        after = await room.look(acme)
    assert {each["state"] for each in after.records.values()} >= {State.UNKNOWN.value}
    assert (after.failures, after.fallen_back_at) == (0, None)
    assert sender.verified_at == after.verified_at


async def test_a_domain_that_is_proved_no_more_becomes_free(room: PostRoom) -> None:
    """After two weeks without its proof, and never unwarned."""
    world = room.site.world
    sender = await room.working(world.acme)
    room.dns.zone.pop((f"{records.CHALLENGE}.{sender.domain}", "TXT"))
    await room.look(world.acme)
    await room.pass_time(world.acme, checking.GRACE)
    warned = await room.look(world.acme)
    assert warned.warned_at is not None
    assert warned.verified_at is not None, "checks stood still: first the warning"
    await room.pass_time(world.acme, checking.GRACE)
    assert (await room.look(world.acme)).verified_at is None
    assert (await room.served(world.acme)).sender is None
    await room.choose(world.bravo, f"desk@{sender.domain}")


async def test_a_new_key_signs_once_its_record_is_there(room: PostRoom) -> None:
    """Until then the old one; the old one's private half is gone at once, its record later."""
    acme = room.site.world.acme
    await room.working(acme)
    (old,) = await room.keys(acme)
    async with room.transaction() as session:
        await services.renew_key(session, acme.id)
    with pytest.raises(Conflict):
        async with room.transaction() as session:
            await services.renew_key(session, acme.id)
    waiting = await room.look(acme)
    assert waiting.next_check_at - waiting.checked_at == checking.WRONG_EVERY
    assert (await room.served(acme)).sender.selector == old.selector
    await room.publish(acme)
    turned = await room.look(acme)
    assert (turned.failures, turned.verified_at is None) == (0, False)
    first, second = await room.keys(acme)
    assert (first.state, first.private) == ("former", None)
    assert second.state == "current"
    assert (await room.served(acme)).sender.selector == second.selector
    room.dns.zone.pop((f"{old.selector}._domainkey.{turned.domain}", "TXT"))
    assert (await room.look(acme)).failures == 0, "the former record is not asked for"
    await room.pass_time(acme, checking.OVERLAP)
    await room.look(acme)
    assert [each.selector for each in await room.keys(acme)] == [second.selector]


async def test_keys_are_sealed_each_for_its_tenant(room: PostRoom) -> None:
    """The database has no PEM, and the directory's text shows no key."""
    acme = room.site.world.acme
    await room.working(acme)
    async with room.transaction() as session:
        query = text("SELECT private FROM platform.mail_sender_keys")
        for (private,) in (await session.execute(query)).all():
            assert b"PRIVATE" not in bytes(private)
    assert "key=" not in repr((await room.served(acme)).sender)


async def test_another_domain_begins_anew(room: PostRoom) -> None:
    """Another name on the same domain does not."""
    acme = room.site.world.acme
    sender = await room.working(acme)
    same = await room.choose(acme, f"info@{sender.domain}", name="Acme's desk")
    assert (same.id, same.verified_at) == (sender.id, sender.verified_at)
    assert (await room.served(acme)).sender.name == "Acme's desk"
    other = await room.choose(acme, f"desk@{fresh()}")
    assert other.verified_at is None
    assert (await room.served(acme)).sender is None
    async with room.transaction() as session:
        mine = select(func.count()).where(SenderKey.sender_id == sender.id)
        assert await session.scalar(mine) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"address": "desk"}, "address"),
        ({"address": "desk@acme.localhost"}, "address"),
        ({"address": "desk@co.uk"}, "address"),
        ({"address": "désk@hire.example"}, "address"),
        ({"address": "a b@hire.example"}, "address"),
        ({"address": "desk@hire.example\r\nBcc: x@y.example"}, "address"),
        ({"address": "desk@hire.example", "name": "A\nB\x00"}, "name"),
        ({"address": "desk@hire.example", "reply_to": "nobody"}, "reply_to"),
    ],
)
async def test_what_nobody_can_send_from_is_refused(
    room: PostRoom, given: dict[str, str], field: str
) -> None:
    """By the field at fault."""
    with pytest.raises(Invalid) as refused:
        await room.choose(room.site.world.acme, **given)
    assert [each.field for each in refused.value.errors] == [field]


async def test_what_is_due_is_given_once(room: PostRoom) -> None:
    """To whoever asks first; a look that got lost comes back after its lease."""
    acme = room.site.world.acme
    sender = await room.choose(acme, f"desk@{fresh()}")
    await room.pass_time(acme, services.FIRST_CHECK_AFTER + timedelta(seconds=1))
    async with room.transaction() as session:
        assert sender.id in await checking.due(session)
    async with room.transaction() as session:
        assert sender.id not in await checking.due(session)
    await room.pass_time(acme, checking.LEASE)
    async with room.transaction() as session:
        assert sender.id in await checking.due(session)

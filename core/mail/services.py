"""Write letters, deliver them, and forget them in time."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, crypto
from core.breaker import CircuitOpen
from core.db import outside
from core.errors import Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.jobs import GiveUp, put
from core.mail.models import Mail
from core.mail.office import office
from core.mail.smtp import Enclosure, Outcome, Verdict, hand_over, packed
from core.scope import current
from core.storage import services as storage

DELIVER: Final = "core.mail.deliver"
MOST_ATTEMPTS: Final = 8
KEPT: Final = timedelta(days=90)
_RECIPIENT: Final = "mails.recipient"
_BATCH: Final = 500
_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"\\]{1,64}@[^@\s<>,;:\"\\]{1,255}")


async def send(
    session: AsyncSession,
    template: str,
    to: str,
    context: Mapping[str, Any] | None = None,
    *,
    locale: str | None = None,
    key: str | None = None,
    unsubscribe: str | None = None,
    calendar: str | None = None,
    attached: Sequence[UUID] = (),
) -> UUID | None:
    """Write a letter; it leaves once this transaction has committed.

    It is written in the recipient's ``locale`` (the tenant's, if theirs is not known). ``key``
    makes it once: a second letter with the same key is not written, and the answer is None.
    ``unsubscribe`` is an address that ends letters of this kind by a POST without signing in
    (RFC 8058); mail programs show it as a button. ``calendar`` is an iCalendar object with a
    METHOD (RFC 5546), which they offer to put into the reader's calendar, or take out of it.
    ``attached`` are stored files that go with it; one that is discarded before it leaves does not.

    Raises:
        Invalid: ``to`` is not one e-mail address.
    """
    if not _ADDRESS.fullmatch(to):
        raise Invalid(_("Enter an e-mail address, such as name@example.com."), field="email")
    await crypto.ready(session)
    tenant = current()
    language = locale or tenant.locale
    letter = office().write(template, tenant, language, context or {})
    row = (
        insert(Mail)
        .values(
            id=new_id(),
            key=key,
            template=template,
            recipient=to,
            recipient_mark=mark_of(to),
            locale=language,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            unsubscribe=unsubscribe,
            calendar=calendar,
            attached=[str(each) for each in attached],
            state="queued",
            attempts=0,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Mail.id)
    )
    mail_id = await session.scalar(row)
    if mail_id is not None:
        await put(session, DELIVER, {"mail_id": mail_id})
    return mail_id


def mark_of(recipient: str) -> bytes:
    """By which letters to ``recipient`` are found."""
    return crypto.mark(recipient.lower(), _RECIPIENT)


async def written_to(session: AsyncSession, address: str) -> list[Mail]:
    """The letters to ``address`` that are still kept, oldest first.

    They are found by their marks; those without one, which came with an archive, are opened.
    """
    await crypto.ready(session)
    known = Mail.recipient_mark.in_(crypto.marks(address.lower(), _RECIPIENT))
    found = list(await session.scalars(select(Mail).where(known)))
    unmarked = select(Mail).where(Mail.recipient_mark.is_(None))
    opened = await session.stream_scalars(unmarked.execution_options(yield_per=_BATCH))
    found += [each async for each in opened if each.recipient.lower() == address.lower()]
    return sorted(found, key=lambda each: each.id)


async def deliver(session: AsyncSession, mail_id: UUID) -> None:
    """Hand a letter to the mail server and record what became of it.

    A letter found ``sending`` was being handed over when its worker died: whether it arrived
    cannot be known, and a second copy may be worse than none, so it becomes ``unknown``. One
    that ``failed`` is handed over again: somebody asked for that by retrying its dead letter.

    Raises:
        GiveUp: the server refuses the letter for good, or has not taken it in all its attempts.
    """
    enclosed = await _enclosed(session, mail_id)
    mail = await _locked(session, mail_id)
    if mail is None or mail.state not in {"queued", "sending", "failed"}:
        return
    if mail.state == "sending":
        _settle(mail, "unknown", "the worker stopped while handing it over")
        return
    if not office().smtp_url or current().muted:
        _settle(mail, "caught", None)
        return
    desk, tenant = office(), current()
    try:
        desk.breaker.enter()
    except CircuitOpen:  # nothing was tried, so no attempt is counted
        await _again(session, mail, timedelta(seconds=desk.breaker.pause))
        return
    mail.attempts = 1 if mail.state == "failed" else mail.attempts + 1
    mail.state = "sending"
    await session.flush()
    parcel = await packed(desk, tenant, mail, enclosed)
    outcome = await outside(session, lambda: hand_over(desk, parcel))
    fresh = await _locked(session, mail_id)
    if fresh is not None and fresh.state == "sending":
        await _record(session, fresh, outcome)


async def _enclosed(session: AsyncSession, mail_id: UUID) -> list[Enclosure]:
    """The files that go with a letter; before its row is locked, since reading ends a transaction.

    Raises:
        Missing, StorageAway: the letter waits for its files.
    """
    if not office().smtp_url or current().muted:
        return []
    wanted = select(Mail.attached).where(Mail.id == mail_id, Mail.state.in_(("queued", "failed")))
    ids = [UUID(each) for each in await session.scalar(wanted) or ()]
    files = await storage.several(session, ids)
    found = [files[each] for each in ids if each in files]
    named = [(file, file.name, file.media_type) for file in found]
    return [
        Enclosure(name, kind, await storage.content(session, file)) for file, name, kind in named
    ]


async def _record(session: AsyncSession, mail: Mail, outcome: Outcome) -> None:
    if outcome.verdict is Verdict.LATER and mail.attempts < MOST_ATTEMPTS:
        mail.state, mail.error = "queued", outcome.reason
        await _again(session, mail, timedelta(seconds=15 * 4 ** (mail.attempts - 1)))
    elif outcome.verdict is Verdict.ACCEPTED:
        _settle(mail, "sent", None)
    elif outcome.verdict is Verdict.LOST:
        _settle(mail, "unknown", outcome.reason)
    else:
        _settle(mail, "failed", outcome.reason)
        await outside(session, partial(_give_up, outcome.reason))


async def _again(session: AsyncSession, mail: Mail, pause: timedelta) -> None:
    """Up to half as much again: letters that waited together do not come back together."""
    due_at = clock.now() + pause * (1 + random.random() / 2)  # noqa: S311  # only to spread
    await put(session, DELIVER, {"mail_id": mail.id}, due_at=due_at)


async def _give_up(reason: str | None) -> None:
    """Called outside: the letter's own record is durable by then, which a failing job undoes."""
    raise GiveUp(f"the letter was not taken: {reason}")


def _settle(mail: Mail, state: str, error: str | None) -> None:
    mail.state, mail.error, mail.settled_at = state, error, clock.now()


async def _locked(session: AsyncSession, mail_id: UUID) -> Mail | None:
    question = select(Mail).where(Mail.id == mail_id).with_for_update()
    return await session.scalar(question.execution_options(populate_existing=True))


async def latest(session: AsyncSession, limit: int = 100) -> list[Mail]:
    """The newest letters first."""
    return list(await session.scalars(select(Mail).order_by(Mail.id.desc()).limit(limit)))


async def one(session: AsyncSession, mail_id: UUID) -> Mail:
    """A letter.

    Raises:
        NotFound: there is none.
    """
    if mail := await session.get(Mail, mail_id):
        return mail
    raise NotFound


async def tidy(session: AsyncSession) -> None:
    """Forget letters that are older than ``KEPT``."""
    await session.execute(delete(Mail).where(Mail.created_at < clock.now() - KEPT))

"""Handing a letter to a mail server, and what its answer means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy, default
from email.utils import format_datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

import aiosmtplib

from core.mail.signing import sign
from core.scope import Tenant

if TYPE_CHECKING:
    from core.mail.models import Mail
    from core.mail.office import Heading, Office

SECONDS: Final = 15.0
"""For which each answer of the server is waited for."""


class _Whole(UnstructuredHeader):
    """A header that is not folded. Python would write an address that is longer than a line as
    encoded words, which nobody decodes there (RFC 2047, 5): no program would unsubscribe."""

    name: str  # of the class that HeaderRegistry makes of this and its base

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
for _name in ("list-unsubscribe", "message-id"):
    _HEADERS.map_to_type(_name, cast("type[BaseHeader]", _Whole))
_METHOD: Final = re.compile(r"^METHOD:([A-Z]+)\r?$", re.MULTILINE)
_POLICY: Final = default.clone(header_factory=_HEADERS)


class Verdict(Enum):
    """What became of a letter."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``reason`` names the fault without repeating the recipient's address."""

    verdict: Verdict
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter as it travels. Bounces go to ``sender``, whose domain SPF is asked of."""

    sender: str
    recipient: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a letter."""

    name: str
    media_type: str
    body: bytes = field(repr=False)


async def packed(
    office: Office, tenant: Tenant, mail: Mail, enclosed: Sequence[Enclosure] = ()
) -> Parcel:
    """``mail`` in bytes, signed if the tenant has an address of its own."""
    heading = office.heading(tenant)
    policy = SMTP if mail.recipient.isascii() else SMTPUTF8
    raw = message_of(heading, mail, enclosed).as_bytes(policy=policy)
    if heading.signed_by is not None:
        raw = await asyncio.to_thread(sign, raw, heading.signed_by, tenant.id)
    return Parcel(heading.address, mail.recipient, raw)


async def hand_over(office: Office, parcel: Parcel) -> Outcome:
    """Give a letter to the server of ``office``.

    Until the letter itself is being sent, a fault is harmless and it is tried again later.
    From then on a broken connection means that nobody knows.
    """
    server = urlsplit(office.smtp_url)
    client = aiosmtplib.SMTP(
        hostname=server.hostname,
        port=server.port,
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=server.scheme == "smtps",
        timeout=SECONDS,
    )
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as problem:
        office.breaker.failed()
        return Outcome(Verdict.LATER, type(problem).__name__)
    options = () if parcel.recipient.isascii() else ("SMTPUTF8",)
    try:
        await client.sendmail(
            parcel.sender, [parcel.recipient], parcel.raw, mail_options=list(options)
        )
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as problem:
        office.breaker.succeeded()
        return _answered(problem)
    except (aiosmtplib.SMTPException, OSError) as problem:
        office.breaker.failed()
        return Outcome(Verdict.LOST, type(problem).__name__)
    finally:
        client.close()
    office.breaker.succeeded()
    return Outcome(Verdict.ACCEPTED)


def _answered(problem: Exception) -> Outcome:
    codes = (
        [each.code for each in problem.recipients]
        if isinstance(problem, aiosmtplib.SMTPRecipientsRefused)
        else [getattr(problem, "code", 500)]
    )
    passing = all(400 <= code < 500 for code in codes)
    reason = f"the server answered {', '.join(map(str, codes))}"
    return Outcome(Verdict.LATER if passing else Verdict.REFUSED, reason)


def message_of(heading: Heading, mail: Mail, enclosed: Sequence[Enclosure] = ()) -> EmailMessage:
    """``mail`` with its headers; its Message-ID is its own id, so that a copy can be recognised.

    The text travels as ASCII: a server that cannot take more would otherwise have to write it
    anew on the way, and no signature survives that.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(heading.name, heading.address)
    if heading.reply_to is not None:
        message["Reply-To"] = _address(heading.name, heading.reply_to)
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{heading.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = mail.locale
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.calendar:
        _enclose(message, mail.calendar)
    for each in enclosed:
        main, _, sub = each.media_type.partition("/")
        message.add_attachment(each.body, maintype=main, subtype=sub, filename=each.name)
    return message


def _enclose(message: EmailMessage, calendar: str) -> None:
    """Twice: programs that know calendars act on the alternative (RFC 6047, 2.4), the others show
    the attachment, which opens in whatever calendar their reader has."""
    method = _METHOD.search(calendar)
    params = {"method": method[1]} if method else {}
    message.add_alternative(calendar, subtype="calendar", cte="base64", params=params)
    message.add_attachment(
        calendar.encode(), maintype="application", subtype="ics", filename="booking.ics"
    )


def _address(name: str, address: str) -> Address:
    local, _at, domain = address.rpartition("@")
    return Address(name, local, domain)

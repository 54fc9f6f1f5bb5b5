"""Handing a letter to a mail server, and what its answer means."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from core.scope import Tenant

if TYPE_CHECKING:
    from core.mail.models import Mail
    from core.mail.office import Office

SECONDS: Final = 15.0
"""For which each answer of the server is waited for."""


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


async def hand_over(office: Office, tenant: Tenant, mail: Mail) -> Outcome:
    """Give ``mail`` to the server of ``office``.

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
    try:
        await client.send_message(message_of(office, tenant, mail))
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


def message_of(office: Office, tenant: Tenant, mail: Mail) -> EmailMessage:
    """``mail`` as it travels; its Message-ID is its own id, so that a copy can be recognised."""
    message = EmailMessage()
    name, address = office.from_header(tenant)
    local, _, domain = address.partition("@")
    message["From"] = Address(name, local, domain)
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = mail.locale
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message

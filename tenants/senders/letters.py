"""Letters to those who look after a business, when its own address is in danger or lost."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.settings import Settings
from tenants.domains import names
from tenants.domains.letters import readers_of
from tenants.models import TenantRecord
from tenants.senders.models import MailSender


async def wrong(session: AsyncSession, settings: Settings, sender: MailSender) -> None:
    """A record broke; if it stays so, letters will leave from our address."""
    await _write(session, settings, sender, "portal/mail/sender_wrong")


async def fell_back(session: AsyncSession, settings: Settings, sender: MailSender) -> None:
    """Letters leave from our address until the records are mended."""
    await _write(session, settings, sender, "portal/mail/sender_fell_back")


async def lapsed(session: AsyncSession, settings: Settings, sender: MailSender) -> None:
    """The domain was not proved for so long that it is anybody's."""
    await _write(session, settings, sender, "portal/mail/sender_lapsed")


async def _write(
    session: AsyncSession, settings: Settings, sender: MailSender, template: str
) -> None:
    tenant = await session.get_one(TenantRecord, sender.tenant_id)
    said = {
        "address": sender.address,
        "domain": names.shown(sender.domain),
        "business": tenant.name,
        "link": f"{settings.public_url}/businesses/{sender.tenant_id}/sender",
    }
    for email, name, locale in await readers_of(session, sender.tenant_id):
        await mail.send(session, template, email, {**said, "name": name}, locale=locale)

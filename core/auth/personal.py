"""What core itself keeps of people: their account, letters to them, and what they did."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit.models import AuditEntry
from core.auth import seats
from core.auth.models import OneTimeToken, User, UserSession
from core.i18n import _
from core.idempotency.models import KeptAnswer
from core.mail import services as mails
from core.mail.models import Mail
from core.permissions import Role
from core.personal import PersonalData, Rows
from core.plugin_settings.models import SettingsVersion
from core.storage.models import StoredFile
from core.terms.personal import ACCEPTANCES


async def account(session: AsyncSession, user_id: UUID) -> Rows:
    """Who they are, and where they are signed in."""
    user = await session.get_one(User, user_id)
    found = await session.scalars(select(UserSession).where(UserSession.user_id == user_id))
    told: dict[str, Any] = {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "locale": user.locale,
        "created_at": user.created_at,
        "signed_in": [
            {"agent": each.agent, "address": each.address, "last_seen_at": each.last_seen_at}
            for each in found
        ],
    }
    return [told]


async def forget_account(session: AsyncSession, user_id: UUID) -> None:
    """Nobody can sign in by it again; its id stays, for what it did."""
    user = await session.get_one(User, user_id, with_for_update=True)
    sits = user.disabled_at is None and user.role != Role.MEMBER.value
    await seats.change(session, sits=sits, is_to=False)
    user.email, user.name = f"{user_id.hex}@erased.invalid", str(_("Erased"))
    user.password_hash = user.locale = user.email_confirmed_at = None
    user.disabled_at = user.disabled_at or clock.now()
    await session.execute(delete(UserSession).where(UserSession.user_id == user_id))
    await session.execute(delete(OneTimeToken).where(OneTimeToken.user_id == user_id))
    await session.execute(delete(KeptAnswer).where(KeptAnswer.owner == str(user_id)))


async def letters(session: AsyncSession, user_id: UUID) -> Rows:
    """Letters to their address, as far as they are still kept."""
    return [
        {"subject": each.subject, "text": each.text, "created_at": each.created_at}
        for each in await _letters(session, user_id)
    ]


async def forget_letters(session: AsyncSession, user_id: UUID) -> None:
    """Letters to their address."""
    found = [each.id for each in await _letters(session, user_id)]
    await session.execute(delete(Mail).where(Mail.id.in_(found)))


async def _letters(session: AsyncSession, user_id: UUID) -> list[Mail]:
    user = await session.get_one(User, user_id)
    return await mails.written_to(session, user.email)


async def deeds(session: AsyncSession, user_id: UUID) -> Rows:
    """What the audit log says of them, and settings that they changed."""
    entries = await session.scalars(select(AuditEntry).where(AuditEntry.actor_id == user_id))
    changed = select(SettingsVersion).where(SettingsVersion.changed_by == user_id)
    return [
        *(
            {"at": each.at, "action": each.action, "subject": each.subject_id,
             "address": each.address}
            for each in entries
        ),
        *(
            {"at": each.changed_at, "action": "core.settings_changed", "subject": each.plugin}
            for each in await session.scalars(changed)
        ),
    ]  # fmt: skip


async def files(session: AsyncSession, user_id: UUID) -> Rows:
    """The files that they sent; what is in one is told by the part that keeps it."""
    sent = await session.scalars(select(StoredFile).where(StoredFile.created_by == user_id))
    return [
        {"name": each.name, "area": each.area, "sha256": each.sha256, "at": each.created_at}
        for each in sent
    ]


PERSONAL: Final = (
    PersonalData(
        name="letters",
        title=_("Letters"),
        tables=("mails",),
        export=letters,
        erase=forget_letters,  # before the account, whose address tells which they are
    ),
    PersonalData(
        name="deeds",
        title=_("What was done, in the audit log"),
        tables=("audit_entries", "plugin_settings_versions"),
        export=deeds,  # nobody can change the log: a business answers for what was done there
    ),
    ACCEPTANCES,
    PersonalData(
        name="files",
        title=_("Files that were sent"),
        tables=("stored_files",),
        export=files,  # whose they are, each part knows, and discards its own
    ),
    PersonalData(
        name="account",
        title=_("Account"),
        tables=("users", "sessions", "one_time_tokens", "idempotency_keys"),
        export=account,
        erase=forget_account,
    ),
)

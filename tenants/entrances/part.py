"""The shutting of entrances, as a part of the platform."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.recovery import PasswordReset
from core.i18n import _
from core.jobs import actor
from core.plugin import Plugin
from tenants.entrances import shutting
from tenants.entrances.shutting import Entrances


def entrances(ways: Entrances) -> Plugin:
    """The part ``entrances``, whose jobs ``ways`` does."""

    @actor("entrances.shut_one", time_limit=timedelta(minutes=1))
    async def shut_one(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> None:
        """End somebody's sessions at one tenant; one that is away holds up no other."""
        await ways.shut(session, tenant_id, user_id)

    @actor("entrances.shut")
    async def shut(session: AsyncSession, event: PasswordReset) -> None:
        """End the sessions of an account's person at every tenant that it may enter."""
        for tenant_id, user_id in await shutting.places_of(session, event.user_id):
            await shut_one.enqueue(session, tenant_id=tenant_id, user_id=user_id)

    return Plugin(
        name="entrances",
        title=_("Entrances"),
        summary=_("Ends what an account of the portal had entered when its password was lost"),
        version=version("atrium"),
        core_versions=">=0.1",
        package="tenants.entrances",
        actors=(shut, shut_one),
        listeners={PasswordReset: (shut,)},
    )

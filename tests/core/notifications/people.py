"""Kinds of notification that tests may send, and people of their own who are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from core import notifications
from core.auth.identity import Identity
from core.auth.models import User
from core.ids import new_id
from core.mail.models import Mail
from core.notices import Notice
from core.notifications import reading
from core.notifications.models import Notification
from core.notifications.reading import Reader, Standing
from core.permissions import Role, held_by
from core.scope import Tenant
from plugins.car_hire.notices import OWN_UNPAID
from plugins.car_hire.permissions import DESK

VALUES = {"number": "7KQ2-M9FD", "vehicle_class": "Compact", "starts_at": "Monday"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a tenant, with an account of their own."""

    site: Site
    tenant: Tenant
    id: UUID
    role: Role

    @classmethod
    async def of(cls, site: Site, tenant: Tenant, role: Role = Role.STAFF) -> Self:
        """A new one."""
        return cls(site, tenant, await site.enrol(tenant, role), role)

    @property
    def reader(self) -> Reader:
        """Who reads."""
        permissions = held_by(self.role, (DESK,))
        identity = Identity(
            user_id=self.id, name="", email="", role=self.role, permissions=permissions,
            session_id=new_id(),
        )  # fmt: skip
        return Reader.of(self.tenant, identity)

    @asynccontextmanager
    async def at(self) -> AsyncIterator[AsyncSession]:
        """A transaction of their tenant."""
        async with self.site.world.databases.transaction(self.tenant) as session:
            yield session

    async def tell(self, notice: Notice = OWN_UNPAID, **values: object) -> UUID:
        """Tell this person alone of something; the id of the row."""
        subject = new_id()
        async with self.at() as session:
            await notifications.notify(
                session, notice, to=[self.id], subject=("car_hire.booking", subject),
                link=f"/car-hire/bookings/{subject}", **{**VALUES, **values},  # type: ignore[arg-type]
            )  # fmt: skip
            found = select(Notification.id).where(Notification.subject_id == str(subject))
            return (await session.scalars(found)).one()

    async def standing(self) -> Standing:
        """What their bell shows."""
        async with self.at() as session:
            return await reading.standing(session, self.reader)

    async def letters(self) -> list[Mail]:
        """Letters to them, oldest first."""
        async with self.at() as session:
            user = await session.get_one(User, self.id)
            found = await session.scalars(select(Mail).order_by(Mail.id))
            return [each for each in found if each.recipient == user.email]

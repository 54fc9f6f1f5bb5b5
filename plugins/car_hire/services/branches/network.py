"""The branches of a firm at the moments of a hire: between which it goes, and who is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec
from babel.dates import format_date
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import FieldError, Invalid
from core.i18n import _, gettext, locale
from core.scope import Tenant
from plugins.car_hire.models import Branch, BranchDay
from plugins.car_hire.services import pricing
from plugins.car_hire.services.branches import opening
from plugins.car_hire.services.branches.opening import Opening
from plugins.car_hire.services.branches.whereabouts import Journey

NOWHERE: Final = UUID(int=0)
"""The branch of a firm that has none yet, nor any cars."""
End = Literal["pick_up", "return"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Every branch, by id, those in use first; ``days`` are special days of the dates asked for."""

    zone: str
    branches: Mapping[UUID, Branch]
    days: Mapping[UUID, Mapping[date, BranchDay]]

    @property
    def in_use(self) -> Sequence[Branch]:
        """Those that may be chosen, the main one first."""
        return [each for each in self.branches.values() if each.in_use]

    @property
    def names(self) -> dict[str, str]:
        """What may be chosen, as a form wants it; nothing where there is no choice."""
        shown = self.in_use
        return {str(each.id): each.name for each in shown} if len(shown) > 1 else {}

    @property
    def told(self) -> Mapping[UUID, str]:
        """What branches are called, by id; nothing where there is only one to speak of."""
        if len(self.branches) < 2:
            return {}
        return {each.id: each.name for each in self.branches.values()}

    @property
    def main_id(self) -> UUID:
        """Where hires go from unless somebody chose."""
        return next((each.id for each in self.in_use), NOWHERE)

    def journey(self, pick_up_id: UUID | None, return_id: UUID | None) -> Journey:
        """Between which branches a hire goes: the main one unless chosen, and back to its own.

        Raises:
            Invalid: there is no such branch, or it is closed for good.
        """
        known = {each.id for each in self.in_use}
        wrong = [
            FieldError(field, _("Choose a branch"))
            for field, chosen in (
                ("pick_up_branch_id", pick_up_id), ("return_branch_id", return_id),
            )
            if chosen is not None and chosen not in known
        ]  # fmt: skip
        if wrong:
            raise Invalid(errors=wrong)
        pick_up = pick_up_id or self.main_id
        return Journey(pick_up, return_id or pick_up)

    def opening(self, branch_id: UUID) -> Opening:
        """When a branch is open, on the dates asked for."""
        special = self.days.get(branch_id, {})
        branch = self.branches.get(branch_id)
        return Opening(
            zone=self.zone,
            week={int(day): opening.read(spans) for day, spans in branch.hours.items()}
            if branch
            else {},
            days={day: opening.read(each.spans) for day, each in special.items()},
        )

    def asked(
        self, asked: pricing.Asked, journey: Journey, house: pricing.HouseRules
    ) -> pricing.Asked:
        """What is asked of a price list, with what follows from branches and times."""
        branch = self.branches.get(journey.pick_up_branch_id)
        return msgspec.structs.replace(
            asked,
            out_of_hours=self.out_of_hours(journey, asked.starts_at, asked.ends_at),
            one_way=house.one_way if journey.is_one_way else None,
            at_airport=branch is not None and branch.is_airport,
        )

    def out_of_hours(
        self, journey: Journey, starts_at: datetime, ends_at: datetime
    ) -> tuple[End, ...]:
        """At which end of a hire nobody is there."""
        ends: tuple[tuple[End, UUID, datetime], ...] = (
            ("pick_up", journey.pick_up_branch_id, starts_at),
            ("return", journey.return_branch_id, ends_at),
        )
        return tuple(end for end, at, when in ends if not self.opening(at).is_open(when))

    def refuse_closed(
        self,
        journey: Journey,
        starts_at: datetime,
        ends_at: datetime,
        agreed: Collection[End] = (),
    ) -> None:
        """Refuse a time at which a branch that serves nobody out of hours is closed.

        Customers are held to that; the desk knows itself when it opens the door, and what it has
        ``agreed`` to stands.

        Raises:
            Invalid: naming the time at fault, and the hours of that day.
        """
        fields: dict[End, tuple[str, UUID, datetime]] = {
            "pick_up": ("starts_at", journey.pick_up_branch_id, starts_at),
            "return": ("ends_at", journey.return_branch_id, ends_at),
        }
        found = []
        for end in self.out_of_hours(journey, starts_at, ends_at):
            field, branch_id, moment = fields[end]
            branch = self.branches[branch_id]
            if end not in agreed and not branch.serves_out_of_hours:
                found.append(FieldError(field, self._closed(branch, moment)))
        if found:
            raise Invalid(errors=found)

    def _closed(self, branch: Branch, moment: datetime) -> str:
        day = clock.local(moment, self.zone).date()
        hours = opening.told(self.opening(branch.id).on(day))
        told = {"branch": branch.name, "day": _day(day), "hours": hours}
        special = self.days.get(branch.id, {}).get(day)
        if special is not None:
            told["day"] = f"{told['day']} ({special.name})"
        if not hours:
            return gettext("%(branch)s is closed on %(day)s. Choose another day") % told
        return gettext("%(branch)s is open %(hours)s on %(day)s. Choose a time within") % told


class Wanted(Protocol):
    """A hire that somebody asks for."""

    starts_at: datetime
    ends_at: datetime
    pick_up_branch_id: UUID | None
    return_branch_id: UUID | None


async def open_for(session: AsyncSession, wanted: Wanted) -> Journey:
    """Between which branches a customer's hire goes, where somebody is there for it.

    Raises:
        Invalid: there is no such branch, or it is closed at that time and says so.
    """
    branches = await read(session, wanted.starts_at, wanted.ends_at)
    journey = branches.journey(wanted.pick_up_branch_id, wanted.return_branch_id)
    branches.refuse_closed(journey, wanted.starts_at, wanted.ends_at)
    return journey


def _day(day: date) -> str:
    return format_date(day, "EEEE d MMMM", locale=locale())


async def read(session: AsyncSession, *moments: datetime) -> Network:
    """The branches, with their special days on the dates of ``moments``: one statement."""
    tenant: Tenant = session.info["tenant"]
    dates = {clock.local(each, tenant.zone).date() for each in moments}
    query = (
        select(Branch, BranchDay)
        .outerjoin(BranchDay, and_(BranchDay.branch_id == Branch.id, BranchDay.day.in_(dates)))
        .order_by(Branch.is_main.desc(), Branch.in_use.desc(), Branch.name, Branch.id)
    )
    branches: dict[UUID, Branch] = {}
    days: dict[UUID, dict[date, BranchDay]] = {}
    for branch, special in (await session.execute(query)).all():
        branches[branch.id] = branch
        if special is not None:
            days.setdefault(branch.id, {})[special.day] = special
    return Network(zone=tenant.zone, branches=branches, days=days)

"""The owner's branches: added, changed, and what they do on special days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.i18n import LazyText, _, gettext
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire.models import Booking, Branch, BranchDay, Vehicle
from plugins.car_hire.schemas_branches import BranchInput, DayInput
from plugins.car_hire.services.branches import opening
from plugins.car_hire.services.editing import Keys, edit, unique
from plugins.car_hire.services.storefront import former

_KEYS: Final[Keys] = {
    "uq_car_hire_branches_name": ("name", _("There is a branch of this name")),
    "uq_car_hire_branches_code": ("code", _("There is a branch of this code")),
}
_DAY_KEYS: Final[Keys] = {
    "uq_car_hire_branch_days_day": ("day", _("This day has hours of its own already")),
}
_UNREADABLE: Final[LazyText] = _("Write hours like 9:00-13:00, 14:00-19:00; nothing is closed")


class BranchNeeded(Conflict):
    """Cars stand there, or bookings begin or end there."""

    code = "car_hire.branch_needed"
    title = _("Cars or bookings still need this branch. Give them another one first")


async def every(session: AsyncSession) -> Sequence[Branch]:
    """Every branch, the main one first."""
    query = select(Branch).order_by(Branch.is_main.desc(), Branch.in_use.desc(), Branch.name)
    return (await session.scalars(query)).all()


async def one(session: AsyncSession, branch_id: UUID) -> Branch:
    """One branch.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Branch, branch_id)
    if found is None:
        raise NotFound(_("There is no such branch"))
    return found


async def main(session: AsyncSession) -> Branch:
    """The branch that counts where none was chosen; a firm that has none gets it by this."""
    known = select(Branch).where(Branch.is_main)
    found = await session.scalar(known)
    if found is not None:
        return found
    made = {
        "id": new_id(), "version": 1, "name": gettext("Main branch"), "code": "MAIN",
        "is_main": True, "street_address": "", "desk_phone": "", "desk_email": "",
        "is_airport": False, "serves_out_of_hours": False, "in_use": True, "hours": {},
        "created_at": clock.now(),
    }  # fmt: skip
    await session.execute(insert(Branch).values(**made).on_conflict_do_nothing())
    return (await session.scalars(known)).one()


async def chosen(session: AsyncSession, branch_id: UUID | None, field: str) -> Branch:
    """The branch that somebody named, or the main one.

    Raises:
        Invalid: there is no such branch in use.
    """
    if branch_id is None:
        return await main(session)
    found = await session.get(Branch, branch_id)
    if found is None or not found.in_use:
        raise Invalid(_("Choose a branch"), field=field)
    return found


async def add(session: AsyncSession, given: BranchInput) -> Branch:
    """Add a branch; the first is the main one.

    Raises:
        Invalid: naming the fields at fault.
    """
    values = _values(given)
    has_main = await session.scalar(select(select(Branch.id).where(Branch.is_main).exists()))
    made = Branch(id=new_id(), version=1, **values)
    if given.is_main or not has_main:
        await _demote(session)
        made.is_main = True
    async with unique(session, _KEYS):
        session.add(made)
    await audit.record(session, "car_hire.branch_added", "car_hire.branch", made.id)
    return made


async def change(
    session: AsyncSession, branch_id: UUID, given: BranchInput, expected: int | None
) -> Branch:
    """Change a branch.

    Raises:
        EditedMeanwhile: it changed since version ``expected``.
        BranchNeeded: it goes out of use, and something still needs it.
        Invalid: naming the fields at fault.
    """
    found = await session.get(Branch, branch_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such branch"))
    edit(found, expected)
    values = _values(given)
    if found.is_main and not (given.is_main and given.in_use):
        raise Invalid(_("Make another branch the main one instead"), field="is_main")
    if found.in_use and not given.in_use and await _is_needed(session, branch_id):
        raise BranchNeeded
    if given.is_main and not found.is_main:
        await _demote(session)
    changed = {
        field: [getattr(found, field), value]
        for field, value in values.items()
        if getattr(found, field) != value
    }
    in_use = await session.scalars(select(Branch).where(Branch.in_use))
    known = {each.id: each for each in (*in_use, found)}
    async with former.kept(session, "branch", known.values()), unique(session, _KEYS):
        for field, value in values.items():
            setattr(found, field, value)
    told = {field: [str(old), str(new)] for field, (old, new) in changed.items()}
    await audit.record(session, "car_hire.branch_changed", "car_hire.branch", found.id, told)
    return found


async def _demote(session: AsyncSession) -> None:
    for each in await session.scalars(select(Branch).where(Branch.is_main).with_for_update()):
        edit(each, None)
        each.is_main = False
    await session.flush()


async def _is_needed(session: AsyncSession, branch_id: UUID) -> bool:
    cars = select(Vehicle.id).where(
        Vehicle.status != "retired",
        or_(Vehicle.home_branch_id == branch_id, Vehicle.branch_id == branch_id),
    )
    booked = select(Booking.id).where(
        Booking.state.in_(("pending_payment", "confirmed", "out")),
        or_(Booking.pick_up_branch_id == branch_id, Booking.return_branch_id == branch_id),
    )
    return bool(await session.scalar(select(or_(cars.exists(), booked.exists()))))


def _values(given: BranchInput) -> dict[str, Any]:
    hours, errors = {}, []
    for number, weekday in enumerate(opening.WEEKDAYS, start=1):
        try:
            spans = opening.typed(getattr(given, weekday))
        except ValueError:
            errors.append(FieldError(weekday, _UNREADABLE))
            continue
        if spans:
            hours[str(number)] = [each.kept for each in spans]
    if (given.latitude is None) != (given.longitude is None):
        errors.append(FieldError("longitude", _("Give both coordinates, or neither")))
    if errors:
        raise Invalid(errors=errors)
    plain = (
        "name", "street_address", "desk_phone", "latitude", "longitude", "is_airport",
        "serves_out_of_hours", "is_main", "in_use",
    )  # fmt: skip
    return {name: getattr(given, name) for name in plain} | {
        "code": given.code.upper(),
        "desk_email": given.desk_email or "",
        "hours": hours,
    }


def shown(branch: Branch) -> dict[str, str]:
    """The hours of each weekday as they are typed."""
    return {
        weekday: opening.told(opening.read(branch.hours.get(str(number), [])))
        for number, weekday in enumerate(opening.WEEKDAYS, start=1)
    }


def told(day: BranchDay) -> str:
    """The hours of a special day; empty where it is closed."""
    return opening.told(opening.read(day.spans))


async def days_of(session: AsyncSession, branch_id: UUID) -> Sequence[BranchDay]:
    """The special days of a branch that are not over, in order."""
    tenant: Tenant = session.info["tenant"]
    query = select(BranchDay).where(
        BranchDay.branch_id == branch_id, BranchDay.day >= clock.today(tenant.zone)
    )
    return (await session.scalars(query.order_by(BranchDay.day).limit(200))).all()


async def add_day(session: AsyncSession, branch_id: UUID, given: DayInput) -> BranchDay:
    """Let one branch keep other hours on a day.

    Raises:
        Invalid: naming the field at fault.
    """
    branch = await one(session, branch_id)
    try:
        spans = opening.typed(given.hours)
    except ValueError:
        raise Invalid(_UNREADABLE, field="hours") from None
    made = BranchDay(
        id=new_id(), branch_id=branch.id, day=given.day, name=given.name,
        spans=[each.kept for each in spans],
    )  # fmt: skip
    async with unique(session, _DAY_KEYS):
        session.add(made)
    await _tell(session, branch, made.day, given.name)
    return made


async def remove_day(session: AsyncSession, branch_id: UUID, day_id: UUID) -> None:
    """The day is like any other again.

    Raises:
        NotFound: there is no such day.
    """
    found = await session.get(BranchDay, day_id)
    if found is None or found.branch_id != branch_id:
        raise NotFound(_("There is no such day"))
    await session.delete(found)
    await session.flush()
    await _tell(session, await one(session, branch_id), found.day, None)


async def _tell(session: AsyncSession, branch: Branch, day: date, name: str | None) -> None:
    await audit.record(
        session, "car_hire.branch_day", "car_hire.branch", branch.id,
        {"day": day.isoformat(), "name": name},
    )  # fmt: skip


async def cars_at(session: AsyncSession) -> dict[UUID, int]:
    """How many cars in service stand at each branch."""
    query = (
        select(Vehicle.branch_id, func.count())
        .where(Vehicle.status != "retired")
        .group_by(Vehicle.branch_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}

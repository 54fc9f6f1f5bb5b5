"""Price lists in versions: begun as a copy, edited, published from a moment on, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import ClassPriceRow, PriceList
from plugins.car_hire.services import pricing
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.prices import checking, current

FURTHEST: Final = timedelta(days=730)
SUBJECT: Final = "car_hire.price_list"


class NotADraft(Conflict):
    """A published list never changes."""

    code = "car_hire.price_list_published"
    title = _("This price list is published and stays as it is. Begin the next one to change it")


class InEffect(Conflict):
    """Quotes may have been made by it."""

    code = "car_hire.price_list_in_effect"
    title = _("This price list counts already. Begin the next one to change prices")


class AnotherDraft(Conflict):
    """There is one draft at a time."""

    code = "car_hire.price_list_another_draft"
    title = _("Another price list is being drafted. Publish that one first")


async def history(session: AsyncSession) -> Sequence[PriceList]:
    """The newest hundred lists, newest first."""
    query = select(PriceList).order_by(PriceList.number.desc()).limit(100)
    return (await session.scalars(query)).all()


async def one(session: AsyncSession, list_id: UUID) -> PriceList:
    """One list.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(PriceList, list_id)
    if found is None:
        raise NotFound(_("There is no such price list"))
    return found


async def begin(session: AsyncSession) -> PriceList:
    """The draft: the one there is, or a copy of the list that was published last."""
    draft = select(PriceList).where(PriceList.state == "draft")
    known = await session.scalar(draft)
    if known is not None:
        return known
    newest = select(PriceList).order_by(PriceList.number.desc()).limit(1)
    last = await session.scalar(newest)
    values: dict[str, Any] = {
        "id": new_id(),
        "number": last.number + 1 if last else 1,
        "rules": last.rules if last else msgspec.to_builtins(pricing.HouseRules()),
    }
    # Two who begin at once: one inserts, the other waits here for it and finds its draft.
    statement = insert(PriceList).values(version=1, state="draft", created_at=clock.now(), **values)
    inserting = statement.on_conflict_do_nothing().returning(PriceList)
    made: PriceList | None = await session.scalar(inserting)
    if made is None:
        return (await session.scalars(draft)).one()
    if last is not None:
        await _copy_prices(session, last.id, made.id)
    await audit.record(session, "car_hire.price_list_begun", SUBJECT, made.id)
    return made


async def _copy_prices(session: AsyncSession, source: UUID, target: UUID) -> None:
    copied = select(
        func.gen_random_uuid(), literal(target), ClassPriceRow.class_id, ClassPriceRow.prices
    ).where(ClassPriceRow.list_id == source)
    columns = ["id", "list_id", "class_id", "prices"]
    await session.execute(insert(ClassPriceRow).from_select(columns, copied))


async def drafted(session: AsyncSession, list_id: UUID, expected: int | None) -> PriceList:
    """A draft that is about to change, locked and counted up.

    Raises:
        NotFound: there is none.
        NotADraft: it is published.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _locked(session, list_id)
    if found.state != "draft":
        raise NotADraft
    edit(found, expected)
    return found


async def put_rules(
    session: AsyncSession,
    list_id: UUID,
    rules: pricing.HouseRules,
    expected: int | None = None,
) -> PriceList:
    """Change what holds for every class.

    Raises:
        Invalid: naming the fields at fault.
        NotADraft, EditedMeanwhile, NotFound: as ``drafted``.
    """
    checking.check_rules(rules)
    found = await drafted(session, list_id, expected)
    found.rules = msgspec.to_builtins(rules)
    await session.flush()
    await audit.record(session, "car_hire.price_list_changed", SUBJECT, found.id)
    return found


async def put_prices(
    session: AsyncSession,
    list_id: UUID,
    given: dict[UUID, pricing.ClassPrices],
    expected: int | None = None,
) -> PriceList:
    """Change what classes cost; those that are not named stay as they are.

    Raises:
        Invalid: naming the fields at fault, or a class that there is not.
        NotADraft, EditedMeanwhile, NotFound: as ``drafted``.
    """
    found = await drafted(session, list_id, expected)
    house = current.house_of(found)
    for class_id, prices in given.items():
        checking.check_prices(house, prices, f"{class_id}.")
    rows = [
        {"id": new_id(), "list_id": found.id, "class_id": class_id,
         "prices": msgspec.to_builtins(prices)}
        for class_id, prices in given.items()
    ]  # fmt: skip
    if rows:
        statement = insert(ClassPriceRow).values(rows)
        key = (ClassPriceRow.list_id, ClassPriceRow.class_id)
        changed = {"prices": statement.excluded.prices}
        await session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
    await session.flush()
    await audit.record(
        session, "car_hire.price_list_changed", SUBJECT, found.id,
        {"classes": [str(each) for each in given]},
    )  # fmt: skip
    return found


async def publish(
    session: AsyncSession,
    list_id: UUID,
    effective_from: datetime | None = None,
    expected: int | None = None,
) -> PriceList:
    """The list counts from ``effective_from`` on, None being now.

    Raises:
        Invalid: the moment has passed or is too far ahead, or nothing has a price or a tax.
        NotADraft, EditedMeanwhile, NotFound: as ``drafted``.
    """
    found = await drafted(session, list_id, expected)
    now = clock.now()
    if effective_from is not None and not now <= effective_from <= now + FURTHEST:
        raise Invalid(_("Choose a moment between now and two years ahead"), field="effective_from")
    checking.check_complete(current.house_of(found), await current.prices_of(session, found.id))
    person = identity.current()
    found.state = "published"
    found.published_at, found.effective_from = now, effective_from or now
    found.published_by = person.user_id if person else None
    await session.flush()
    await audit.record(
        session, "car_hire.price_list_published", SUBJECT, found.id,
        {"number": found.number, "effective_from": found.effective_from.isoformat()},
    )  # fmt: skip
    return found


async def take_back(session: AsyncSession, list_id: UUID, expected: int | None = None) -> PriceList:
    """Make a list that does not count yet a draft again.

    Raises:
        InEffect: it counts already.
        AnotherDraft: there is another draft by now.
        NotFound, EditedMeanwhile: as ``drafted``.
    """
    found = await _locked(session, list_id)
    if found.effective_from is None or found.effective_from <= clock.now():
        raise InEffect
    if await session.scalar(select(PriceList.id).where(PriceList.state == "draft")):
        raise AnotherDraft
    edit(found, expected)
    found.state = "draft"
    found.effective_from = found.published_at = found.published_by = None
    await session.flush()
    await audit.record(session, "car_hire.price_list_taken_back", SUBJECT, found.id)
    return found


async def _locked(session: AsyncSession, list_id: UUID) -> PriceList:
    found = await session.get(PriceList, list_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such price list"))
    return found

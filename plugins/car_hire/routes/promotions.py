"""The owner's promotion codes: what each takes off, how often it was used, and by whom."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _, in_reading
from core.money import Money
from core.permissions import permission
from core.scope import Tenant
from core.web.api import Listing, expected, page_of, paged, place
from core.web.formatting import wall
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import Promotion
from plugins.car_hire.routes.http import API, RATES, SHOWN, AnyRequest, versioned
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.routes.views_promotions import PromotionView
from plugins.car_hire.schemas_promotions import NewPromotionInput, PromotionInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.prices.typed import plain
from plugins.car_hire.services.promotions import keeping, using

PATH: Final = "/car-hire/desk/promotions"
ACCESS = permission(RATES)
STATES: Final = {"active": _("In use"), "retired": _("Retired")}
Session = NamedDependency[AsyncSession]


class Promotions(Controller):
    """Promotion codes."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """Codes with their uses so far, the newest first."""
        active = {"active": True, "retired": False}.get(status)
        rows = await keeping.page(session, text=text[:40], active=active, before=place(cursor))
        found = paged(rows, keeping.PAGE_SIZE, cursor, lambda row: row.id)
        counts = await using.counts(session, [each.id for each in rows])
        shown = {
            "text": text,
            "status": status,
            "states": STATES,
            "counts": counts,
            "reading": in_reading,
            "now": clock.now(),
        }
        return Page("car_hire/desk/promotions.html", found | shown | _money(session))

    @get("/new", access=ACCESS)
    async def new(self, session: Session) -> Page:
        """A form for one more."""
        return await _page(session, blank(NewPromotionInput))

    @post("/new", access=ACCESS, idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add it."""
        form = bind(NewPromotionInput, await typed_fields(request))
        try:
            made = await keeping.add(session, form.value)
        except DomainError as error:
            return await _page(session, form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/{made.id}", flash=_("Added. Customers may use it"))

    @get("/{promotion_id:uuid}", access=ACCESS)
    async def show(
        self,
        session: Session,
        promotion_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """One, with the bookings that were made with it."""
        found = await keeping.one(session, promotion_id)
        form = blank(PromotionInput, _values(found))
        return await _page(session, form, promotion_id=promotion_id, cursor=cursor)

    @post("/{promotion_id:uuid}", access=ACCESS)
    async def change(
        self, request: AnyRequest, session: Session, promotion_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change it; quotes and bookings already made keep what they have."""
        version = await seen_version(request)
        return await save_form(
            request,
            PromotionInput,
            partial(keeping.change, session, promotion_id, expected=version),
            partial(_page, session, promotion_id=promotion_id),
            f"{PATH}/{promotion_id}",
            _("Saved. Quotes already made keep theirs"),
        )


class PromotionsApi(Controller):
    """Promotion codes for programs; amounts are net of tax."""

    path = f"{API}/promotions"
    tags = ("Car hire",)

    @get(access=ACCESS)
    async def listing(
        self, session: Session, text: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Listing[PromotionView]:
        """Codes, the newest first; ``text`` is how a code begins."""
        rows = await keeping.page(session, text=text, before=place(cursor))
        page, following = page_of(rows, keeping.PAGE_SIZE, lambda row: (str(row.id),))
        counts = await using.counts(session, [each.id for each in page])
        return Listing([PromotionView.of(each, counts) for each in page], following)

    @post(access=ACCESS, idempotent=True)
    async def add(
        self, session: Session, data: JSONBody[NewPromotionInput]
    ) -> Response[PromotionView]:
        """Add a code."""
        return versioned(PromotionView.of(await keeping.add(session, data), {}), 201)

    @get("/{promotion_id:uuid}", access=ACCESS)
    async def show(self, session: Session, promotion_id: FromPath[UUID]) -> Response[PromotionView]:
        """One code, with its uses so far."""
        found = await keeping.one(session, promotion_id)
        return versioned(PromotionView.of(found, await using.counts(session, [found.id])))

    @put("/{promotion_id:uuid}", access=ACCESS)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        promotion_id: FromPath[UUID],
        data: JSONBody[PromotionInput],
    ) -> Response[PromotionView]:
        """Change one; If-Match guards against overwriting somebody else's change."""
        found = await keeping.change(session, promotion_id, data, expected(request))
        return versioned(PromotionView.of(found, await using.counts(session, [found.id])))


def _money(session: AsyncSession) -> dict[str, Any]:
    tenant: Tenant = session.info["tenant"]
    return {"money": lambda amount: Money(amount, tenant.currency)}


def _values(found: Promotion) -> dict[str, Any]:
    return {
        "name_en": found.texts.get("en", ""),
        "name_pt": found.texts.get("pt", ""),
        "percent": plain(found.share * 100) if found.share else "",
        "amount": plain(found.amount) if found.amount else "",
        "booked_from": wall(found.booked_from) if found.booked_from else "",
        "booked_to": wall(found.booked_to) if found.booked_to else "",
        **{
            name: getattr(found, name)
            for name in (
                "hired_from", "hired_to", "days_from", "most_uses", "most_each", "class_ids",
                "branch_ids", "combines", "active",
            )
        },
    }  # fmt: skip


async def _page(
    session: AsyncSession,
    form: Bound[Any],
    promotion_id: UUID | None = None,
    cursor: str | None = None,
    status: int = 200,
) -> Page:
    found, used, rows = None, 0, {"rows": ()}
    if promotion_id is not None:
        found = await keeping.one(session, promotion_id)
        used = (await using.counts(session, [promotion_id])).get(promotion_id, 0)
        made = await keeping.uses(session, promotion_id, place(cursor))
        rows = paged(made, keeping.PAGE_SIZE, cursor, lambda row: row[0].id)
    branches = await network.read(session)
    context = {
        "form": form,
        "found": found,
        "used": used,
        "class_names": {str(each.id): each.name for each in await fleet.classes(session)},
        "branches": branches.names,
        "branch_names": branches.told,
        "reading": in_reading,
    }
    return Page("car_hire/desk/promotion.html", rows | context | SHOWN, status=status)


CONTROLLERS = (Promotions, PromotionsApi)

"""The owner's extras and covers: what there is, how many, and what it costs from when."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _, in_reading
from core.money import Money
from core.permissions import permission
from core.scope import Tenant
from core.web.forms import Bound, bind, blank, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import EXTRA_KINDS, Extra
from plugins.car_hire.routes.http import RATES, AnyRequest, shown_again, version_seen
from plugins.car_hire.schemas_extras import ExtraInput, NewExtraInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.extras import catalogue
from plugins.car_hire.services.prices.typed import plain

PATH: Final = "/car-hire/desk/extras"
ACCESS = permission(RATES)
Session = NamedDependency[AsyncSession]


class Extras(Controller):
    """Extras and covers."""

    path = PATH
    include_in_schema = False

    @get(access=ACCESS)
    async def listing(self, session: Session) -> Page:
        """Every extra and cover, with what it costs now."""
        rows = await catalogue.everything(session)
        context = {"rows": rows, "kinds": EXTRA_KINDS, "reading": in_reading, **_money(session)}
        return Page("car_hire/desk/extras.html", context)

    @get("/new", access=ACCESS)
    async def new(self, session: Session) -> Page:
        """A form for one more."""
        return await _page(session, blank(NewExtraInput))

    @post("/new", access=ACCESS, idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add it."""
        form = bind(NewExtraInput, await typed_fields(request))
        try:
            made = await catalogue.add(session, form.value)
        except DomainError as error:
            return await _page(session, form.refuse(error), status=error.status)
        return SeeOther(f"{PATH}/{made.id}", flash=_("Added. Customers may choose it"))

    @get("/{extra_id:uuid}", access=ACCESS)
    async def show(self, session: Session, extra_id: FromPath[UUID]) -> Page:
        """One, with its prices."""
        found = await catalogue.one(session, extra_id)
        return await _page(session, blank(ExtraInput, await _values(session, found)), found)

    @post("/{extra_id:uuid}", access=ACCESS)
    async def change(
        self, request: AnyRequest, session: Session, extra_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change it; quotes already made keep their prices."""
        found = await catalogue.one(session, extra_id)
        typed = await typed_fields(request)
        expected = version_seen(typed)
        form = bind(ExtraInput, typed)
        try:
            await catalogue.change(session, extra_id, form.value, expected)
        except DomainError as error:
            form = shown_again(form, error, expected)
            return await _page(session, form, found, error.status)
        return SeeOther(f"{PATH}/{extra_id}", flash=_("Saved. Quotes already made keep theirs"))

    @post("/{extra_id:uuid}/prices/{price_id:uuid}/withdrawal", access=ACCESS)
    async def withdraw(
        self, session: Session, extra_id: FromPath[UUID], price_id: FromPath[UUID]
    ) -> SeeOther:
        """Take back a price that does not count yet."""
        await catalogue.withdraw_price(session, extra_id, price_id)
        return SeeOther(f"{PATH}/{extra_id}", flash=_("The price is taken back"))


def _money(session: AsyncSession) -> dict[str, Any]:
    tenant: Tenant = session.info["tenant"]
    return {"money": lambda amount: Money(amount, tenant.currency)}


async def _values(session: AsyncSession, found: Extra) -> dict[str, Any]:
    price = await catalogue.price_now(session, found.id)
    return {
        "kind": found.kind,
        "name_en": found.texts.get("en", ""),
        "name_pt": found.texts.get("pt", ""),
        "about_en": found.about.get("en", ""),
        "about_pt": found.about.get("pt", ""),
        "price": plain(price.price),
        "per": price.per,
        "cap": plain(price.cap),
        "excess": plain(price.excess) if found.is_cover else "",
        "stock": found.stock,
        "most": found.most,
        "zones": found.zones,
        "class_ids": found.class_ids,
        "on_offer": found.on_offer,
    }


async def _page(
    session: AsyncSession,
    form: Bound[Any],
    found: Extra | None = None,
    status: int = 200,
) -> Page:
    classes = await fleet.classes(session)
    return Page(
        "car_hire/desk/extra.html",
        {
            "form": form,
            "found": found,
            "prices": await catalogue.prices(session, found.id) if found else (),
            "now": clock.now(),
            "class_names": {str(each.id): each.name for each in classes},
            "reading": in_reading,
            **_money(session),
        },
        status=status,
    )


CONTROLLERS = (Extras,)

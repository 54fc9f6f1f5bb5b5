"""``/api/v1/car-hire/price-lists``: prices in versions, for programs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import permission
from core.web.api import Listing, expected
from plugins.car_hire.models import PriceList
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, RATES, AnyRequest, versioned
from plugins.car_hire.schemas_prices import (
    ClassPricesInput,
    PublicationInput,
    RulesInput,
    TrialInput,
)
from plugins.car_hire.services import pricing
from plugins.car_hire.services.prices import current, lists, trying, typed

Session = NamedDependency[AsyncSession]


class PriceListView(views.RowView, frozen=True, kw_only=True):
    """A version of the prices; amounts are net of tax, shares and rates fractions."""

    id: UUID
    version: int
    number: int
    state: str
    effective_from: datetime | None
    published_at: datetime | None


class WholeListView(PriceListView, frozen=True, kw_only=True):
    """A version with its rules, and what each class costs."""

    rules: pricing.HouseRules
    classes: dict[str, pricing.ClassPrices]

    @classmethod
    async def read(cls, session: AsyncSession, found: PriceList) -> Self:
        """As it is kept."""
        kept = {name: getattr(found, name) for name in PriceListView.__struct_fields__}
        prices = await current.prices_of(session, found.id)
        return cls(
            rules=current.house_of(found),
            classes={str(class_id): each for class_id, each in prices.items()},
            **kept,
        )


class TrialView(views.View, frozen=True, kw_only=True):
    """What a hire would cost by a list."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: list[views.LineView]


class PriceLists(Controller):
    """Prices in versions."""

    path = f"{API}/price-lists"
    tags = ("Car hire",)

    @get(access=permission(RATES))
    async def listing(self, session: Session) -> Listing[PriceListView]:
        """The newest hundred, newest first."""
        return Listing([PriceListView.of(each) for each in await lists.history(session)])

    @post(access=permission(RATES), idempotent=True)
    async def begin(self, session: Session) -> Response[WholeListView]:
        """The draft: the one there is, or a copy of the list that was published last."""
        draft = await lists.begin(session)
        return versioned(await WholeListView.read(session, draft), 201)

    @get("/{list_id:uuid}", access=permission(RATES))
    async def show(self, session: Session, list_id: FromPath[UUID]) -> Response[WholeListView]:
        """One list."""
        found = await lists.one(session, list_id)
        return versioned(await WholeListView.read(session, found))

    @put("/{list_id:uuid}", access=permission(RATES))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        list_id: FromPath[UUID],
        data: JSONBody[RulesInput],
    ) -> Response[WholeListView]:
        """Change what holds for every class of a draft; If-Match guards against overwriting."""
        await lists.one(session, list_id)
        rules = typed.rules(data)
        found = await lists.put_rules(session, list_id, rules, expected(request))
        return versioned(await WholeListView.read(session, found))

    @put("/{list_id:uuid}/classes/{class_id:uuid}", access=permission(RATES))
    async def price(
        self,
        request: AnyRequest,
        session: Session,
        list_id: FromPath[UUID],
        class_id: FromPath[UUID],
        data: JSONBody[ClassPricesInput],
    ) -> Response[WholeListView]:
        """Say what a class costs by a draft; If-Match guards against overwriting."""
        prices = {class_id: typed.class_prices(data)}
        found = await lists.put_prices(session, list_id, prices, expected(request))
        return versioned(await WholeListView.read(session, found))

    @post("/{list_id:uuid}/publication", access=permission(RATES), idempotent=True)
    async def publish(
        self,
        request: AnyRequest,
        session: Session,
        list_id: FromPath[UUID],
        data: JSONBody[PublicationInput],
    ) -> Response[WholeListView]:
        """The list counts from a moment on; quotes already made keep theirs."""
        found = await lists.publish(session, list_id, data.effective_from, expected(request))
        return versioned(await WholeListView.read(session, found), 201)

    @post("/{list_id:uuid}/withdrawal", access=permission(RATES), idempotent=True)
    async def take_back(
        self, request: AnyRequest, session: Session, list_id: FromPath[UUID]
    ) -> Response[WholeListView]:
        """Make a list that does not count yet a draft again."""
        found = await lists.take_back(session, list_id, expected(request))
        return versioned(await WholeListView.read(session, found), 201)

    @post("/{list_id:uuid}/trial", access=permission(RATES), status_code=200)
    async def trial(
        self, session: Session, list_id: FromPath[UUID], data: JSONBody[TrialInput]
    ) -> TrialView:
        """What a hire would cost by this list; nothing is written."""
        found = await lists.one(session, list_id)
        priced = await trying.out(session, found, data.class_id, data.starts_at, data.ends_at)
        unit = priced.gross.unit
        return TrialView(
            currency=unit,
            net=priced.net.amount,
            tax=priced.tax.amount,
            gross=priced.gross.amount,
            lines=[views.LineView.of(line, unit) for line in priced.lines],
        )


CONTROLLERS = (PriceLists,)

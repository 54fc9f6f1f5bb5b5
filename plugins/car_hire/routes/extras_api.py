"""``/api/v1/car-hire/extras``: extras and covers for programs, and those of a booking."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import member, permission, public
from core.web.api import Listing, expected
from plugins.car_hire.models import Extra, ExtraPrice
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, RATES, AnyRequest, check_own, versioned
from plugins.car_hire.schemas_extras import ChoicesInput, ExtraInput, NewExtraInput
from plugins.car_hire.services import bookings
from plugins.car_hire.services.extras import catalogue, quoting

Session = NamedDependency[AsyncSession]


class OfferedView(views.View, frozen=True, kw_only=True):
    """An extra or a cover that customers may choose; amounts are net of tax."""

    code: str
    kind: str
    names: dict[str, str]
    about: dict[str, str]
    price: Decimal
    per: str
    cap: Decimal | None
    excess: Decimal | None
    zones: list[str]
    most: int
    class_ids: list[str]

    @classmethod
    def of(cls, each: catalogue.Offered) -> Self:
        """With the price that counts."""
        extra, price = each.extra, each.price
        return cls(
            code=extra.code,
            kind=extra.kind,
            names=extra.texts,
            about=extra.about,
            price=price.price,
            per=price.per,
            cap=price.cap,
            excess=price.excess if extra.is_cover else None,
            zones=extra.zones,
            most=extra.most,
            class_ids=extra.class_ids,
        )


class PriceView(views.RowView, frozen=True, kw_only=True):
    """What an extra costs from a moment on."""

    id: UUID
    effective_from: datetime
    per: str
    price: Decimal
    cap: Decimal | None
    excess: Decimal


class ExtraView(views.View, frozen=True, kw_only=True):
    """An extra or a cover as it is kept, with its prices, the newest first; of a list only the
    price that counts."""

    id: UUID
    version: int
    code: str
    kind: str
    names: dict[str, str]
    about: dict[str, str]
    stock: int | None
    most: int
    class_ids: list[str]
    zones: list[str]
    on_offer: bool
    prices: list[PriceView]

    @classmethod
    def of(cls, row: Extra, prices: Iterable[ExtraPrice]) -> Self:
        """As it is kept."""
        own = [name for name in cls.__struct_fields__ if name not in {"names", "prices"}]
        return cls(
            names=row.texts,
            prices=[PriceView.of(each) for each in prices],
            **{name: getattr(row, name) for name in own},
        )

    @classmethod
    async def read(cls, session: AsyncSession, row: Extra) -> Self:
        """With every price."""
        return cls.of(row, await catalogue.prices(session, row.id))


class RepricedView(views.View, frozen=True, kw_only=True):
    """What a booking would cost with other extras; ``difference`` below zero comes back."""

    currency: str
    before: Decimal
    gross: Decimal
    difference: Decimal
    lines: list[views.LineView]


class Extras(Controller):
    """Extras and covers."""

    path = f"{API}/extras"
    tags = ("Car hire",)

    @get("/offered", access=public)
    async def offered(self, session: Session) -> Listing[OfferedView]:
        """What customers may choose; without ``class_ids`` it goes with every class."""
        rows = await catalogue.everything(session)
        return Listing([OfferedView.of(each) for each in rows if each.extra.on_offer])

    @get(access=permission(RATES))
    async def listing(self, session: Session) -> Listing[ExtraView]:
        """Every extra and cover."""
        rows = await catalogue.everything(session)
        return Listing([ExtraView.of(each.extra, [each.price]) for each in rows])

    @post(access=permission(RATES), idempotent=True)
    async def add(self, session: Session, data: JSONBody[NewExtraInput]) -> Response[ExtraView]:
        """Add an extra or a cover."""
        made = await catalogue.add(session, data)
        return versioned(await ExtraView.read(session, made), 201)

    @get("/{extra_id:uuid}", access=permission(RATES))
    async def show(self, session: Session, extra_id: FromPath[UUID]) -> Response[ExtraView]:
        """One, with its prices."""
        return versioned(await ExtraView.read(session, await catalogue.one(session, extra_id)))

    @put("/{extra_id:uuid}", access=permission(RATES))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        extra_id: FromPath[UUID],
        data: JSONBody[ExtraInput],
    ) -> Response[ExtraView]:
        """Change one, or its price from a moment on; If-Match guards against overwriting."""
        found = await catalogue.change(session, extra_id, data, expected(request))
        return versioned(await ExtraView.read(session, found))


class BookedExtras(Controller):
    """Extras and covers of a booking."""

    path = f"{API}/bookings/{{booking_id:uuid}}/extras"
    tags = ("Car hire",)

    @post("/preview", access=member, status_code=200)
    async def preview(
        self, session: Session, booking_id: FromPath[UUID], data: JSONBody[ChoicesInput]
    ) -> RepricedView:
        """What other extras would cost; nothing is written."""
        await check_own(session, await bookings.one(session, booking_id))
        made = await quoting.preview(session, booking_id, data)
        unit = made.before.unit
        return RepricedView(
            currency=unit,
            before=made.before.amount,
            gross=made.priced.gross.amount,
            difference=made.difference.amount,
            lines=[views.LineView.of(line, unit) for line in made.priced.lines],
        )

    @put(access=member)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        booking_id: FromPath[UUID],
        data: JSONBody[ChoicesInput],
    ) -> Response[views.BookingView]:
        """Let a booking have these in place of what it has; If-Match guards against overwriting."""
        await check_own(session, await bookings.one(session, booking_id))
        found = await quoting.change(session, booking_id, data, expected(request))
        return versioned(views.BookingView.of(found))


CONTROLLERS = (Extras, BookedExtras)

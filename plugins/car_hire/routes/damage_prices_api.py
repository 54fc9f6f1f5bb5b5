"""``/api/v1/car-hire/damage-prices``: what damage and dirt cost, in versions, for programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any, Final, Self
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import permission
from core.web.api import Listing, expected
from core.web.forms.fields import Form
from plugins.car_hire.models import DamagePrices
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, RATES, AnyRequest
from plugins.car_hire.routes.reports import CSV
from plugins.car_hire.routes.reports_api import wants_csv
from plugins.car_hire.services.damages import tables
from plugins.car_hire.services.damages.tables import Table

Session = NamedDependency[AsyncSession]


class VersionView(views.RowView, frozen=True, kw_only=True):
    """A version of the table, and from when it counts."""

    id: UUID
    number: int
    effective_from: datetime


class DamagePricesView(views.View, frozen=True, kw_only=True):
    """A version with its prices: net of tax, for damage of medium severity, by part and kind.

    ``classes`` holds what differs there, by the id of a class; ``shares`` what light and severe
    damage cost of that. ``number`` 0 is the empty table before the first version.
    """

    number: int
    prices: Table


class PublicationInput(Form, kw_only=True):
    """The whole next version, as it is read here; without ``effective_from`` it counts at once."""

    prices: dict[str, Any]
    effective_from: datetime | None = None


class PublishedView(VersionView, frozen=True, kw_only=True):
    """A version that was just made."""

    prices: Table

    @classmethod
    def made(cls, row: DamagePrices, prices: Table) -> Self:
        """With its prices."""
        return cls(id=row.id, number=row.number, effective_from=row.effective_from, prices=prices)


class DamagePricesApi(Controller):
    """The table of damage prices."""

    path = f"{API}/damage-prices"
    tags = ("Car hire",)

    @get(access=permission(RATES))
    async def newest(
        self, request: AnyRequest, session: Session
    ) -> Response[DamagePricesView | str]:
        """The newest version, whether it counts yet or not; its ETag is the number. As CSV where
        ``Accept`` asks for ``text/csv``."""
        number, table = await tables.newest(session)
        headers = {"etag": f'"{number}"', "vary": "accept"}
        if wants_csv(request):
            return Response(_csv(table), media_type=CSV, headers=headers)
        return Response(DamagePricesView(number=number, prices=table), headers=headers)

    @get("/table.csv", access=permission(RATES), media_type=CSV)
    async def sheet(self, session: Session) -> Response[str]:
        """The newest version as CSV."""
        _number, table = await tables.newest(session)
        return Response(_csv(table))

    @get("/versions", access=permission(RATES))
    async def versions(self, session: Session) -> Listing[VersionView]:
        """The newest fifty, newest first."""
        return Listing([VersionView.of(each) for each in await tables.history(session)])

    @post("/versions", access=permission(RATES), idempotent=True)
    async def publish(
        self, request: AnyRequest, session: Session, data: JSONBody[PublicationInput]
    ) -> Response[PublishedView]:
        """Make the next version; If-Match, with the number of the last, guards against
        overwriting."""
        table = tables.typed(data.prices)
        made = await tables.publish(session, table, data.effective_from, expected(request))
        view = PublishedView.made(made, table)
        return Response(view, status_code=201, headers={"etag": f'"{made.number}"'})


def _csv(table: Table) -> str:
    made = StringIO()
    writer = csv.writer(made)
    writer.writerow(("class_id", "part", "kind", "price"))
    writer.writerows(_lines(table))
    return made.getvalue()


def _lines(table: Table) -> Iterator[tuple[str, str, str, str]]:
    """Every price, those of every class first, without a class."""
    for class_id, grid in (("", table.every), *table.classes.items()):
        for part, row in grid.items():
            for kind, price in row.items():
                yield class_id, part, kind, f"{price:f}"
    for level, price in table.cleaning.items():
        yield "", "cleaning", level, f"{price:f}"
    for severity, share in table.shares.items():
        yield "", "share", severity, f"{share:f}"


CONTROLLERS: Final = (DamagePricesApi,)

"""``/api/v1/car-hire/reports``: the owner's figures, for programs and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Self

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import NotFound
from core.scope import Tenant
from core.web.api import Listing
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import API, AnyRequest
from plugins.car_hire.routes.reports import ACCESS, CSV, TABLES, as_csv
from plugins.car_hire.services import reports
from plugins.car_hire.services.reports import OfClass, OfDay, Report, Share

Session = NamedDependency[AsyncSession]
_SUFFIX: Final = ".csv"


class ShareView(views.View, frozen=True, kw_only=True):
    """A row: how many hires, and what they brought, with tax. ``used`` is the share of the
    cars' time that was hired, from 0 to 1: of a class, which has ``cars``, or of a day."""

    name: str
    hires: int
    revenue: Decimal
    cars: int | None = None
    used: float | None = None

    @classmethod
    def of(cls, row: Share) -> Self:
        """As it was reckoned."""
        return cls(
            name=str(row.name),
            hires=row.hires,
            revenue=row.revenue.rounded().amount,
            cars=row.cars if isinstance(row, OfClass) else None,
            used=round(row.used, 4) if isinstance(row, OfClass | OfDay) else None,
        )


class ReportView(views.View, frozen=True, kw_only=True):
    """Everything of a stretch of days; amounts are with tax, ``unpaid`` is what is owed now."""

    first: date
    last: date
    currency: str
    used: float
    hires: int
    revenue: Decimal
    damage: Decimal
    added: Decimal
    unpaid: Decimal
    classes: list[ShareView]
    days: list[ShareView]
    lengths: list[ShareView]
    leads: list[ShareView]
    channels: list[ShareView]

    @classmethod
    def of(cls, report: Report) -> Self:
        """As it was reckoned."""
        return cls(
            first=report.range.first,
            last=report.range.last,
            currency=report.total.revenue.unit,
            used=round(report.used, 4),
            hires=report.total.hires,
            revenue=report.total.revenue.rounded().amount,
            damage=report.damage.rounded().amount,
            added=report.added.rounded().amount,
            unpaid=report.unpaid.rounded().amount,
            **{name: _rows(getattr(report, name)) for name in TABLES},
        )


def _rows(rows: Sequence[Share]) -> list[ShareView]:
    return [ShareView.of(each) for each in rows]


class ReportsApi(Controller):
    """Figures of a stretch of days; without days, of the last thirty."""

    path = f"{API}/reports"
    tags = ("Car hire",)

    @get(access=ACCESS)
    async def show(
        self,
        session: Session,
        first: FromQuery[date | None] = None,
        last: FromQuery[date | None] = None,
    ) -> ReportView:
        """All of them."""
        return ReportView.of(await _read(session, first, last))

    @get("/{table:str}", access=ACCESS)
    async def table(
        self,
        request: AnyRequest,
        session: Session,
        table: FromPath[str],
        first: FromQuery[date | None] = None,
        last: FromQuery[date | None] = None,
    ) -> Response[Listing[ShareView] | str]:
        """One table: ``classes``, ``days``, ``lengths``, ``leads`` or ``channels``; as CSV with
        ``.csv`` behind its name, or where ``Accept`` asks for ``text/csv``."""
        name = table.removesuffix(_SUFFIX)
        if name not in TABLES:
            raise NotFound
        rows = getattr(await _read(session, first, last), name)
        if table != name or wants_csv(request):
            return Response(as_csv(rows), media_type=CSV, headers={"vary": "accept"})
        return Response(Listing(_rows(rows)), headers={"vary": "accept"})


def wants_csv(request: AnyRequest) -> bool:
    """Whether a program asks for a table rather than for JSON."""
    asked = request.headers.get("accept", "")
    return asked.partition(",")[0].partition(";")[0].strip().lower() == "text/csv"


async def _read(session: AsyncSession, first: date | None, last: date | None) -> Report:
    tenant: Tenant = session.info["tenant"]
    return await reports.read(session, reports.range_of(tenant, first, last))


CONTROLLERS: Final = (ReportsApi,)

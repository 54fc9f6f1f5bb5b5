"""/api/v1/car-hire/papers: the same papers, for programs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import NotFound
from core.i18n import _
from core.permissions import permission
from core.web.api import Listing, page_of, place
from core.web.forms import bind
from plugins.car_hire.models import Paper
from plugins.car_hire.routes.http import API, DESK
from plugins.car_hire.routes.papers import amounts_of
from plugins.car_hire.routes.views import View
from plugins.car_hire.schemas_papers import CreditNoteInput, PapersInput
from plugins.car_hire.services.papers import agreements, crediting, issuing, listing, refunding

Session = NamedDependency[AsyncSession]


class PaperView(View, frozen=True, kw_only=True):
    """A paper; ``content`` is what is printed, ``file_id`` its PDF once that is drawn."""

    id: UUID
    kind: str
    number: str
    issued_at: datetime
    issued_on: date
    buyer: str
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    customer_id: UUID | None
    booking_id: UUID | None
    refers_to: UUID | None
    file_id: UUID | None
    content: dict[str, Any]

    @classmethod
    def of(cls, row: Paper, file_id: UUID | None) -> Self:
        """As it is kept."""
        fields = (name for name in cls.__struct_fields__ if name != "file_id")
        return cls(file_id=file_id, **{name: getattr(row, name) for name in fields})


class AgreementView(View, frozen=True, kw_only=True):
    """What was agreed when a car left; ``file_id`` is its PDF once that is drawn."""

    hire_id: UUID
    made_at: datetime
    signed_on_screen: bool
    file_id: UUID | None


class Agreements(Controller):
    """Hire agreements."""

    path = f"{API}/hires"
    tags = ("Car hire",)

    @get("/{hire_id:uuid}/agreement", access=permission(DESK))
    async def show(self, session: Session, hire_id: FromPath[UUID]) -> AgreementView:
        """The agreement of a hire."""
        found = await agreements.of_hire(session, hire_id)
        if found is None:
            raise NotFound(_("This hire has no agreement"))
        row, file_id = found
        return AgreementView(
            hire_id=row.hire_id,
            made_at=row.made_at,
            signed_on_screen=row.inspection_id is not None,
            file_id=file_id,
        )


class Papers(Controller):
    """Invoices, credit notes and receipts."""

    path = f"{API}/papers"
    tags = ("Car hire",)

    @get(access=permission(DESK))
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        since: FromQuery[str] = "",
        until: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Listing[PaperView]:
        """Papers, newest first; ``text`` begins a number or is part of a name."""
        given = {"text": text, "kind": kind, "since": since, "until": until}
        wanted = bind(PapersInput, {key: value for key, value in given.items() if value}).value
        query = listing.found(
            text=wanted.text, kind=wanted.kind, since=wanted.since, until=wanted.until
        )
        rows = await listing.page(session, query, place(cursor))
        page, following = page_of(rows, listing.PAGE_SIZE, lambda row: (str(row[0].id),))
        return Listing([PaperView.of(paper, file_id) for paper, file_id in page], following)

    @get("/{paper_id:uuid}", access=permission(DESK))
    async def show(self, session: Session, paper_id: FromPath[UUID]) -> PaperView:
        """One paper."""
        return await _view(session, await issuing.one(session, paper_id))

    @post("/{paper_id:uuid}/credit-note", access=permission(DESK), idempotent=True)
    async def credit(
        self, session: Session, paper_id: FromPath[UUID], data: JSONBody[CreditNoteInput]
    ) -> Response[PaperView]:
        """Take something off an invoice; without ``lines`` all that is left of it."""
        invoice = await issuing.one(session, paper_id)
        wanted = amounts_of({f"lines.{at}": net for at, net in data.lines.items()})
        if not wanted and invoice.kind == "invoice":
            wanted = {each.position: each.net for each in await crediting.left(session, invoice)}
        way = refunding.WAYS[data.back]
        made = await way(session, paper_id, wanted, data.reason, refunding.fresh_key())
        return Response(await _view(session, made), status_code=201)


async def _view(session: AsyncSession, paper: Paper) -> PaperView:
    file = await listing.file_of(session, paper.id)
    return PaperView.of(paper, file.file_id if file else None)


CONTROLLERS = (Papers, Agreements)

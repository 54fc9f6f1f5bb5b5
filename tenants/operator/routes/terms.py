"""The operator's own terms, which every account of the portal accepts: a page and an API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.errors import DomainError
from core.i18n import _, locale
from core.terms import services
from core.terms.publishing import NewTerms, publish, publishing_page
from core.terms.services import Edition
from core.web.forms import Bound, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.operator.permissions import ACT, acting, looking
from tenants.operator.routes import parts

PATH = f"{parts.HOME}/terms"


class OperatorTerms(Controller):
    """``/operator/terms``."""

    path = PATH
    include_in_schema = False

    @get(access=looking)
    async def show(self, session: Session) -> Page:
        """Every version, and a form for the next."""
        return await _page(session)

    @post(access=acting, status_code=200, idempotent=True)
    async def publish(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Publish the next version."""
        form = await posted(request, NewTerms)
        try:
            await publish(session, form.value)
        except DomainError as problem:
            return await _page(session, form.refuse(problem), problem.status)
        return SeeOther(PATH, flash=_("It is published."))


class TermsOut(msgspec.Struct, kw_only=True):
    """A version that was published; ``text`` is left out of listings."""

    kind: str
    number: int
    valid_from: datetime
    must_accept: bool
    accept_by: datetime | None
    digests: dict[str, str]
    published_at: datetime
    published_by: str
    text: str | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, edition: Edition, text: str = "", language: str = "") -> TermsOut:
        """As programs see it."""
        return cls(
            kind=edition.kind,
            number=edition.number,
            valid_from=edition.valid_from,
            must_accept=edition.must_accept,
            accept_by=edition.accept_by,
            digests=dict(edition.digests),
            published_at=edition.published_at,
            published_by=edition.published_by,
            text=text or msgspec.UNSET,
            language=language or msgspec.UNSET,
        )


class TermsApi(Controller):
    """``/api/v1/operator/terms``."""

    path = "/api/v1/operator/terms"
    tags = ("Operator",)

    @get(access=looking)
    async def every(self, session: Session) -> list[TermsOut]:
        """Every version of both documents, those to come included, without their texts."""
        return [TermsOut.of(each) for each in await services.published(session)]

    @post(access=acting, idempotent=True)
    async def publish(self, session: Session, data: JSONBody[NewTerms]) -> TermsOut:
        """Publish the next version of a document."""
        return TermsOut.of(await publish(session, data))

    @get("/{kind:str}/{number:int}", access=looking)
    async def one(self, session: Session, kind: FromPath[str], number: FromPath[int]) -> TermsOut:
        """One version with its text, in the language that was asked for if it has it."""
        text, language = await services.text_of(session, kind, number, locale())
        found = await services.published(session)
        edition = next(each for each in found if (each.kind, each.number) == (kind, number))
        return TermsOut.of(edition, text, language)


async def _page(
    session: AsyncSession, form: Bound[NewTerms] | None = None, status: int = 200
) -> Page:
    may = identities.required().may(ACT.name)
    return await publishing_page(
        session, "operator/console.html", PATH, form, may_publish=may, status=status
    )

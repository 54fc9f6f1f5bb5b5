"""A business from an archive: sent, checked, looked at, confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Databases, outside
from core.errors import DomainError, Invalid, NotFound
from core.i18n import _, fill, locale, reading_in
from core.permissions import member
from core.scope import Tenant
from core.throttle import Allowance
from core.web.forms import Bound, blank, posted
from core.web.forms.streamed import pour
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants import lifecycle
from tenants.files import upload_file
from tenants.imports import services
from tenants.imports.models import ArchiveUpload
from tenants.portal.routes import parts
from tenants.portal.schemas import ArchiveFile, NewImport

HERE: Final = "/imports"
LOOK_EVERY: Final = 0.5
LOOKS: Final = 1200
"""So many looks, then the browser asks again."""
SENT: Final = Allowance("archives", 30, 60 * 60)
"""Archives of one account: each costs disk, and reading it."""
TRIED: Final = Allowance("archive_passphrases", 20, 15 * 60)
"""A key takes a tenth of a second and 32 MB to make."""


async def mine(session: Session, upload_id: FromPath[UUID]) -> ArchiveUpload:
    """An archive of whoever is signed in; to others it does not exist."""
    return await services.one(session, parts.member().user_id, upload_id)


MINE: Final = {"upload": Provide(mine)}


class Imports(Controller):
    """For everybody with an account: what comes of it is theirs."""

    path = HERE
    include_in_schema = False

    @get("/", access=member)
    async def begin(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Choose an archive, or go on with the one that was sent."""
        upload = await services.latest(session, parts.member().user_id)
        if upload is not None:
            return SeeOther(path_of(upload.id))
        return _begin_page(request)

    # The only route that takes more than a form holds: ``pour`` counts what comes.
    @post("/", access=member, status_code=200, request_max_body_size=None)
    async def send(self, request: AnyRequest, session: Session) -> Response[Any]:
        """Take an archive, to disk as it comes."""
        settings, account = parts.settings(request), parts.member().user_id
        await parts.authority(request).throttle.take(SENT, str(account))
        # Whoever does not say how much comes may send the most.
        announced = min(request.content_length or settings.import_bytes, settings.import_bytes)
        upload_id = await services.begin(session, settings, account, announced)
        file = upload_file(settings, upload_id)
        try:
            came = await outside(
                session,
                lambda: pour(request, "archive", file, settings.import_bytes, _too_large(request)),
            )
        except Invalid as problem:
            return _begin_page(request, blank(ArchiveFile, {}).refuse(problem))
        await services.came(session, settings, upload_id, came.name, came.size)
        return SeeOther(path_of(upload_id))

    @get("/{upload_id:uuid}", access=member, dependencies=MINE)
    async def show(
        self, request: AnyRequest, session: Session, upload: NamedDependency[ArchiveUpload]
    ) -> Response[Any]:
        """How the check goes, why it was refused, or what would be made of it."""
        if upload.tenant_id is not None:
            return SeeOther(f"/businesses/{upload.tenant_id}/progress")
        return await _page(request, session, upload)

    @get("/{upload_id:uuid}/events", access=member, dependencies=MINE)
    async def events(
        self,
        request: AnyRequest,
        tenant: NamedDependency[Tenant],
        upload: NamedDependency[ArchiveUpload],
    ) -> ServerSentEvent:
        """How the check comes along, as a stream that holds no connection while it waits."""
        return ServerSentEvent(_told(parts.databases(request), tenant, upload, locale()))

    @post(
        "/{upload_id:uuid}/order", access=member, dependencies=MINE, idempotent=True,
        status_code=200,
    )  # fmt: skip
    async def order(
        self, request: AnyRequest, session: Session, upload: NamedDependency[ArchiveUpload]
    ) -> Response[Any]:
        """Make it; the making is followed like any other's."""
        person = parts.member()
        await parts.authority(request).throttle.take(TRIED, str(person.user_id))
        form = await posted(request, NewImport)
        try:
            wanted = form.value
            made = await services.order(
                session,
                parts.settings(request),
                upload,
                person,
                name=" ".join(wanted.name.split()),
                slug=wanted.slug,
                passphrase=wanted.passphrase,
            )
        except DomainError as problem:
            return await _page(request, session, upload, form.refuse(problem))
        return SeeOther(f"/businesses/{made.tenant_id}/progress")

    @post("/{upload_id:uuid}/remove", access=member, dependencies=MINE, status_code=200)
    async def remove(
        self, request: AnyRequest, session: Session, upload: NamedDependency[ArchiveUpload]
    ) -> SeeOther:
        """Forget the archive, and begin again."""
        await services.remove(session, parts.settings(request), upload)
        return SeeOther(HERE)


def path_of(upload_id: UUID) -> str:
    """Where the page of an archive is."""
    return f"{HERE}/{upload_id}"


def _too_large(request: AnyRequest) -> Any:
    text = _("This file is larger than {size} MB; ask whoever runs this installation.")
    return fill(text, size=parts.settings(request).import_bytes // 1_000_000)


def _begin_page(request: AnyRequest, refused: Bound[ArchiveFile] | None = None) -> Page:
    return Page(
        "portal/imports/begin.html",
        {
            "form": refused or blank(ArchiveFile, {}),
            "most": parts.settings(request).import_bytes,
            "too_large": _too_large(request),
        },
        status=422 if refused is not None else 200,
    )


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    upload: ArchiveUpload,
    refused: Bound[NewImport] | None = None,
) -> Page:
    summary = services.summary_of(upload)
    form = refused
    if form is None and summary is not None:
        free = await lifecycle.suggest(session, summary.slug, count=1)
        form = blank(NewImport, {"name": summary.name, "slug": free[0] if free else ""})
    domain = parts.settings(request).tenant_url("*", "").partition("*")[2]
    return Page(
        "portal/imports/show.html",
        {
            "upload": upload,
            "summary": summary,
            "percent": _percent(upload),
            "products": parts.products(request),
            "form": form,
            "domain": domain,
        },
        status=422 if refused is not None else 200,
    )


def _percent(upload: ArchiveUpload) -> int:
    return round(99 * min(upload.checked, upload.total) / upload.total) if upload.total else 0


async def _told(
    databases: Databases, platform: Tenant, upload: ArchiveUpload, language: str
) -> AsyncIterator[ServerSentEventMessage]:
    before: int | None = None
    for _look in range(LOOKS):
        try:
            async with databases.transaction(platform) as session:
                found = await services.one(session, upload.account_id, upload.id)
            percent, over = _percent(found), found.state != "checking"
        except NotFound:
            over = True
        if over:
            leads = msgspec.json.encode({"location": path_of(upload.id)}).decode()
            yield ServerSentEventMessage(data=leads, event="done")
            return
        if percent != before:
            before = percent
            with reading_in(language):
                message = str(_("Comparing every file with its checksum"))
            told = msgspec.json.encode({"percent": percent, "message": message}).decode()
            yield ServerSentEventMessage(data=told, event="progress")
        await asyncio.sleep(LOOK_EVERY)

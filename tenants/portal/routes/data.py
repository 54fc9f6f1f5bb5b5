"""A business's data in the portal: all of it as a file, and a copy of the business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import File, ServerSentEvent, ServerSentEventMessage

from core.db import Databases, outside
from core.errors import DomainError, Invalid, NotFound
from core.i18n import _, locale, reading_in
from core.permissions import Role, member
from core.scope import Tenant
from core.web.forms import posted
from core.web.http import AnyRequest, Session
from core.web.pages import SeeOther
from tenants import exports
from tenants.archive.sealing import ArchiveKey
from tenants.files import archive_file
from tenants.lifecycle import Owner, restoring
from tenants.portal.routes import access, parts
from tenants.portal.routes.upkeep_page import path_of, refused_page, shown_export
from tenants.portal.schemas import NewCopy, Passphrase
from tenants.portal.services import businesses
from tenants.portal.services.businesses import Business

LOOK_EVERY = 0.5
LOOKS = 1200
"""So many looks, then the browser asks again."""


class Data(Controller):
    """For owners alone: it is everything that the business knows."""

    path = "/businesses/{business_id:uuid}"
    include_in_schema = False
    dependencies = access.OWNED

    @post("/upkeep/export", access=member, status_code=200, before_terms=True)
    async def export(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Ask for an archive; a job writes it, and a letter tells when it is ready."""
        form = await posted(request, Passphrase)
        form.id = "export"
        try:
            passphrase = form.value.passphrase
            key = await outside(session, lambda: ArchiveKey.of(passphrase))
            await exports.ask(
                session,
                business.id,
                key,
                account_id=parts.member().user_id,
                locale=locale(),
            )
        except Invalid as problem:
            return await refused_page(request, session, business, form, problem)
        return SeeOther(path_of(business), flash=_("We are writing the archive."))

    @get("/upkeep/export/events", access=member)
    async def events(
        self,
        request: AnyRequest,
        tenant: NamedDependency[Tenant],
        business: NamedDependency[Business],
    ) -> ServerSentEvent:
        """How the archive comes along, as a stream that holds no connection while it waits."""
        account = parts.member().user_id
        told = _told(parts.databases(request), tenant, account, business, locale())
        return ServerSentEvent(told)

    @get("/upkeep/export/download", access=member)
    async def download(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """The archive itself."""
        if await exports.latest(session, business.id) is None:
            return SeeOther(path_of(business))
        export = await exports.fetched(session, business.id)
        file = archive_file(parts.settings(request), business.id, export.id)
        return await archive_answer(file, f"{business.slug}.zip")

    @post("/upkeep/copy", access=member, status_code=200)
    async def copy(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Order a copy; its making is followed like any other's."""
        form = await posted(request, NewCopy)
        form.id = "copy"
        person = parts.member()
        owner = Owner(
            email=person.email,
            name=person.name,
            account_id=person.user_id,
            user_id=business.user_id,
        )
        try:
            wanted = form.value
            made = await restoring.clone(
                session,
                parts.settings(request),
                business.id,
                wanted.slug,
                " ".join(wanted.name.split()),
                owner,
            )
        except DomainError as problem:
            return await refused_page(request, session, business, form, problem)
        return SeeOther(f"/businesses/{made.tenant_id}/progress")

    @post("/upkeep/unmute", access=member, status_code=200)
    async def unmute(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Let a copy speak."""
        await restoring.unmute(session, parts.signals(request), business.id)
        return SeeOther(path_of(business), flash=_("Letters are sent from now on."))


async def archive_answer(file: Path, name: str) -> Response[Any]:
    """An archive as a download, read as it is sent.

    Raises:
        NotFound: it is not there.
    """
    if not await asyncio.to_thread(file.is_file):
        raise NotFound
    return File(
        file,
        filename=name,
        media_type="application/zip",
        headers={"cache-control": "private, no-store"},
    )


async def _told(
    databases: Databases, platform: Tenant, account: UUID, business: Business, language: str
) -> AsyncIterator[ServerSentEventMessage]:
    before: dict[str, Any] | None = None
    for _look in range(LOOKS):
        async with databases.transaction(platform) as session:
            if await businesses.role_of(session, account, business.id) is not Role.OWNER:
                return
            found = await exports.latest(session, business.id)
        with reading_in(language):
            shown = shown_export(found, business)
        if shown is None or shown["state"] in {"ready", "failed", "expired"}:
            leads = msgspec.json.encode({"location": path_of(business)}).decode()
            yield ServerSentEventMessage(data=leads, event="done")
            return
        if shown != before:
            before = shown
            told = {"percent": shown["percent"], "message": shown["message"]}
            yield ServerSentEventMessage(data=msgspec.json.encode(told).decode(), event="progress")
        await asyncio.sleep(LOOK_EVERY)

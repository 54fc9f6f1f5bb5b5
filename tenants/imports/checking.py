"""Looks at an archive that has come: all of it is read once, with no transaction open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.i18n import reading_in
from tenants.archive.reading import BadArchive, opened
from tenants.archive.vetting import Summary, vet
from tenants.files import upload_file
from tenants.imports.models import ArchiveUpload
from tenants.imports.services import UNPACKED
from tenants.means import Means

log = structlog.get_logger(__name__)

_TELL_EVERY: Final = 0.5
"""Seconds between two notes of the progress."""
_STEP: Final = 16 << 20
"""Bytes that are read between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks archives. One serves a whole process."""

    means: Means

    async def run(self, session: AsyncSession, upload_id: UUID) -> None:
        """Find an archive good or refuse it; one that was checked or removed is passed over."""
        upload = await session.get(ArchiveUpload, upload_id)
        if upload is None or upload.state != "checking":
            return
        language, size = upload.locale, upload.size
        reason: str | None = None
        summary: Summary | None = None
        try:
            summary = await outside(session, lambda: self._check(upload_id, size))
        except BadArchive as problem:
            with reading_in(language):
                reason = str(problem.message)
            log.info("upload.refused", upload=str(upload_id), reason=type(problem).__name__)
        except FileNotFoundError:
            log.info("upload.gone", upload=str(upload_id))
            return
        found = await session.get(
            ArchiveUpload, upload_id, with_for_update=True, populate_existing=True
        )
        if found is None or found.state != "checking":
            return
        found.state, found.reason = ("refused" if reason else "ready"), reason
        found.summary = msgspec.to_builtins(summary) if summary else None
        await session.flush()
        if reason is not None:  # nobody can do anything with it
            await asyncio.to_thread(self._file(upload_id).unlink, missing_ok=True)

    async def _check(self, upload_id: UUID, size: int) -> Summary:
        """Raises: BadArchive, FileNotFoundError."""
        file = self._file(upload_id)
        if not await asyncio.to_thread(file.is_file):
            raise FileNotFoundError(file.name)
        most = self.means.settings.import_bytes * UNPACKED
        async with opened(file) as archive:
            summary = await asyncio.to_thread(
                vet, archive, self.means.plugins, self.means.lines, size, most
            )
            told_at, done = 0.0, 0
            reading = archive.checking()

            def step() -> int | None:
                """The bytes that were read, some at a time; None in the end."""
                read = 0
                for each in reading:
                    read += each
                    if read >= _STEP:
                        return read
                return read or None

            while (read := await asyncio.to_thread(step)) is not None:
                done += read
                if time.monotonic() - told_at > _TELL_EVERY:
                    told_at = time.monotonic()
                    await self._note(upload_id, done, summary.size)
        return summary

    async def _note(self, upload_id: UUID, done: int, total: int) -> None:
        async with self.means.databases.transaction(self.means.platform) as session:
            await session.execute(
                update(ArchiveUpload)
                .where(ArchiveUpload.id == upload_id)
                .values(checked=done, total=total)
            )

    def _file(self, upload_id: UUID) -> Path:
        return upload_file(self.means.settings, upload_id)

"""Where the platform's files lie below ``settings.files_dir``, which all processes share.

Tenants' own files are objects of ``core.storage``.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from core.settings import Settings


def archives_of(settings: Settings, tenant_id: UUID) -> Path:
    """The archives made of a tenant; they are the platform's, until they expire."""
    return settings.files_dir / "archives" / tenant_id.hex


def archive_file(settings: Settings, tenant_id: UUID, archive_id: UUID) -> Path:
    """One of them."""
    return archives_of(settings, tenant_id) / f"{archive_id}.zip"


def uploads_of(settings: Settings) -> Path:
    """Where archives lie that people have sent."""
    return settings.files_dir / "uploads"


def upload_file(settings: Settings, upload_id: UUID) -> Path:
    """An archive that somebody has sent; it is nobody's tenant yet."""
    return uploads_of(settings) / f"{upload_id}.zip"


def forget_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)

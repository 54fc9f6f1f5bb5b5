"""Where files lie below ``settings.files_dir``, which web and worker processes share."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from core.settings import Settings


def folder_of(settings: Settings, tenant_id: UUID) -> Path:
    """A tenant's own files."""
    return settings.files_dir / "tenants" / tenant_id.hex


def archives_of(settings: Settings, tenant_id: UUID) -> Path:
    """The archives made of a tenant; they are the platform's, until they expire."""
    return settings.files_dir / "archives" / tenant_id.hex


def archive_file(settings: Settings, tenant_id: UUID, archive_id: UUID) -> Path:
    """One of them."""
    return archives_of(settings, tenant_id) / f"{archive_id}.zip"

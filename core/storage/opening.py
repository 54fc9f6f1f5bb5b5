"""The store that the settings ask for."""

from __future__ import annotations

from functools import cache

from core.settings import Settings
from core.storage.disk import DiskStore
from core.storage.s3 import Access, S3Store
from core.storage.store import Store


@cache
def store_of(settings: Settings) -> Store:
    """A bucket if one is named, else the folder ``files_dir``."""
    if not settings.s3_bucket:
        return DiskStore(settings.files_dir)
    return S3Store(
        Access(
            bucket=settings.s3_bucket,
            endpoint=settings.s3_endpoint or None,
            region=settings.s3_region or None,
            access_key=settings.s3_access_key or None,
            secret_key=settings.s3_secret_key or None,
        )
    )
